"""Judges the clips of a persona side by side: how odd each voice is among the others, and what rules object to.

What comes of it is no decision: it is written beside the clips, and a curator decides.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.backends.rows import build
from core.backends.voiceprint import VOICEPRINTS, Print, Voiceprint, VoiceprintSource
from core.domain.text import ReviewStatus
from core.domain.voice import Clip
from core.stages.voice_dataset.complaints import all_complaints, complaints_of
from core.stages.voice_dataset.oddness import oddness_among
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.sound_file import shape_of, stretch_of
from core.store import Store
from core.store.clips import ClipFilter


def judge(persona_id: str, *, settings: VoiceDatasetSettings, store: Store) -> int:
    """Judge all clips of the persona anew; return to how many there are objections.

    A rejected clip is no measure for the others, and is compared with none.
    """
    clips = list(store.clips.iterate(ClipFilter(persona_id)))
    odd = _oddness([one for one in clips if one.status is not ReviewStatus.REJECTED], settings, store)
    found = all_complaints([replace(one, oddness=odd.get(one.id)) for one in clips], settings.complaints)
    judged = {one.id: (odd.get(one.id), tuple(rule.name for rule in found[one.id])) for one in clips}
    store.clips.judge({one.id: judged[one.id] for one in clips if judged[one.id] != (one.oddness, one.complaints)})
    return sum(bool(names) for _odd, names in judged.values())


def told_by(settings: VoiceDatasetSettings) -> str:
    """Return in a sentence what tells voices apart here, marked for translation."""
    return VOICEPRINTS[settings.voiceprint].summary if settings.voiceprint in VOICEPRINTS else settings.voiceprint


def objections(clip: Clip, settings: VoiceDatasetSettings) -> tuple[str, ...]:
    """Return the rules that object to a clip after it was changed alone; that it is double stays as it was judged."""
    double = "doubled" in clip.complaints
    return tuple(one.name for one in complaints_of(clip, settings.complaints, double_of=clip.id if double else None))


def _oddness(clips: Iterable[Clip], settings: VoiceDatasetSettings, store: Store) -> dict[str, float]:
    teller = build(VOICEPRINTS, settings.voiceprint, VoiceprintSource(settings.voiceprint_model))
    shelf = store.workspace / "cache" / "voiceprints" / settings.voiceprint
    shelf.mkdir(parents=True, exist_ok=True)
    speakers: defaultdict[str, dict[str, Print]] = defaultdict(dict)
    try:
        for clip in clips:
            if (found := _print_of(clip, teller, shelf, store)) is not None:
                speakers[clip.speaker][clip.id] = found
        odd: dict[str, float] = {}
        for prints in speakers.values():
            odd |= oddness_among(prints, directional=teller.directional)
    finally:
        teller.close()
    return odd


def _print_of(clip: Clip, teller: Voiceprint, shelf: Path, store: Store) -> Print | None:
    """Return the print of a clip's sound, from the cache where it was made before; an empty one is None."""
    kept = shelf / f"{clip.sha256}.npy"
    if not kept.exists():
        path = store.files.path(clip.sha256)
        shape = shape_of(path, clip.id)
        made = teller.of(stretch_of(path, clip.id, 0, shape.frames), shape.sample_rate)
        draft = kept.with_suffix(f".{secrets.token_hex(4)}")
        with draft.open("wb") as file:
            np.save(file, np.zeros(0) if made is None else made)
        draft.replace(kept)
    found: Print = np.load(kept, allow_pickle=False)
    return found if found.size else None
