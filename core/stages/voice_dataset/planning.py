"""Plans where a recording is cut: on its silences, at its subtitles, or where lines of the persona's are spoken.

A page shows a plan at every move of a slider; a run cuts just what was planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from pydantic import Field

from core.domain.persona import Persona
from core.domain.section import Section
from core.domain.text import ReviewStatus
from core.domain.voice import Recording, TextOrigin
from core.errors import MissingArtifactError
from core.stages.voice_dataset.recordings import activity_of
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.activity import HOP_MS, Profile, active, runs
from core.stages.voice_dataset.sound.effect_chain import EffectChain
from core.stages.voice_dataset.sound.slicing import Silence, Stretch, cuts
from core.stages.voice_dataset.words.alignment import Hit, find_lines
from core.stages.voice_dataset.words.clock import ClockShift, clock_offset, shifted
from core.stages.voice_dataset.words.subtitles import Cue, read_cues
from core.store import Store
from core.store.utterances import UtteranceFilter
from core.translation import N_

_NEAR = 0.5
"""Seconds around a cue's ends in which speech begins and ends."""
_OVERLAP = 0.5
"""Share of a cue that must be heard in a piece for its words to be the piece's."""

Way = Literal["silence", "subtitles", "lines"]


class CuttingSettings(Section):
    """What is cut out of which recording, and how."""

    recording_id: str = Field(max_length=64, description="The recording.")
    by: Way = Field(default="silence", description="On silences, at each subtitle, or only her lines of the book.")
    start: float = Field(default=0, ge=0, description="From where, in seconds.")
    end: float | None = Field(default=None, gt=0, description="Up to where, in seconds; empty for the end.")
    silence: Silence = Field(default=Silence(), description="How silences are found and pieces made.")
    clock_shift: float | None = Field(
        default=None, ge=-600, le=600, description="Seconds the subtitles come too early; empty to find it."
    )
    effects: EffectChain = Field(default=EffectChain(), description="What is done to the sound of each clip.")


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """A clip that would be cut."""

    start: float
    """Seconds into the recording."""
    end: float
    text: str = ""
    text_origin: TextOrigin = TextOrigin.NONE
    confidence: float | None = None
    utterance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would cut."""

    clips: tuple[PlannedClip, ...]
    shift: ClockShift | None = None
    """How far the clock of the subtitles is off; None where none were asked."""


def planned(
    settings: CuttingSettings, recording: Recording, persona: Persona, *, rules: VoiceDatasetSettings, store: Store
) -> Plan:
    """Return what would be cut, in order of time; MissingArtifactError where subtitles are asked and there are none.

    Some tens of milliseconds for two hours when cut on silences; some seconds the first time for lines of a novel.
    """
    profile = activity_of(recording, store=store)
    longest = min(settings.silence.longest, rules.longest_clip)
    silence = settings.silence.model_copy(update={"longest": longest})
    cues, shift = ([], None) if not recording.subtitles_sha256 else _cues(recording, profile, settings, store)
    if settings.by == "silence":
        clips = [_worded(piece, cues) for piece in cuts(profile, silence)]
    elif not cues:
        raise MissingArtifactError(
            N_("{name} has no subtitles."),
            remedy=N_("Add them to the recording, or cut on silences."),
            name=recording.name,
        )
    elif settings.by == "subtitles":
        clips = _of_cues(cues, profile, silence)
    else:
        clips = _of_lines(cues, profile, silence, recording, persona, rules, store)
    end = settings.end or recording.seconds
    return Plan(tuple(one for one in clips if settings.start <= one.start and one.end <= end), shift)


def cues_of(recording: Recording, *, store: Store) -> tuple[Cue, ...]:
    """Return the subtitles of a recording by their own clock; none where it has none."""
    if not recording.subtitles_sha256:
        return ()
    return _read_cues(store.files.read(recording.subtitles_sha256), recording.subtitles_name)


@lru_cache(maxsize=8)
def _read_cues(data: bytes, name: str) -> tuple[Cue, ...]:
    return tuple(read_cues(data, name))


def _cues(
    recording: Recording, profile: Profile, settings: CuttingSettings, store: Store
) -> tuple[list[Cue], ClockShift]:
    cues = cues_of(recording, store=store)
    if settings.clock_shift is not None:
        shift = ClockShift(settings.clock_shift, 1.0, 1.0)
    else:
        found = clock_offset(cues, active(profile))
        # What is not sure may be worse than the file's own word.
        shift = found if found.sure else ClockShift(0.0, 1.0, found.confidence)
    return [cue for cue in shifted(cues, shift) if cue.start < profile.seconds], shift


def _worded(piece: Stretch, cues: Sequence[Cue]) -> PlannedClip:
    """Return the piece with the words of the subtitles that are heard in it."""
    heard, share = [], 1.0
    for cue in cues:
        common = min(cue.end, piece.end) - max(cue.start, piece.start)
        if common > _OVERLAP * (cue.end - cue.start):
            heard.append(cue.text)
            share = min(share, common / (cue.end - cue.start))
    if not heard:
        return PlannedClip(piece.start, piece.end)
    return PlannedClip(piece.start, piece.end, "".join(heard), TextOrigin.SUBTITLES, round(share, 3))


def _of_cues(cues: Sequence[Cue], profile: Profile, silence: Silence) -> list[PlannedClip]:
    wanted = [PlannedClip(one.start, one.end, one.text, TextOrigin.SUBTITLES, 0.9) for one in cues]
    return _fitted(wanted, profile, silence)


def _of_lines(
    cues: Sequence[Cue],
    profile: Profile,
    silence: Silence,
    recording: Recording,
    persona: Persona,
    rules: VoiceDatasetSettings,
    store: Store,
) -> list[PlannedClip]:
    hits = _hits(tuple(cues), persona, rules, store)
    wanted = [
        PlannedClip(one.start, one.end, one.spoken, TextOrigin.SUBTITLES, round(one.confidence, 3), one.utterance_id)
        for one in hits
    ]
    return _fitted(wanted, profile, silence)


def _hits(cues: tuple[Cue, ...], persona: Persona, rules: VoiceDatasetSettings, store: Store) -> Sequence[Hit]:
    lines = [
        line for line in store.utterances.iterate(UtteranceFilter(persona.id))
        if line.status is not ReviewStatus.REJECTED
    ]  # fmt: skip
    if not any(line.speaker == persona.name for line in lines):
        raise MissingArtifactError(
            N_("There are no lines of {name} to look for yet."),
            remedy=N_("Extract the dialogues first."),
            name=persona.name,
        )
    return find_lines(cues, lines, persona=persona, settings=rules.alignment)


def _fitted(wanted: Sequence[PlannedClip], profile: Profile, silence: Silence) -> list[PlannedClip]:
    """Return the clips with their ends where speech begins and ends nearby, padded, none reaching into its neighbour.

    Subtitles stand a little longer than what is said, or begin a little late.
    """
    if not wanted:
        return []
    begins, ends = (places * (HOP_MS / 1000) for places in runs(active(profile, silence.quiet_db)))
    limits = [0.0, *((one.end + other.start) / 2 for one, other in pairwise(wanted)), profile.seconds]
    fitted = []
    for place, one in enumerate(wanted):
        start = _nearest(begins, one.start) - silence.padding
        end = _nearest(ends, one.end) + silence.padding
        start, end = max(start, min(limits[place], one.start), 0.0), min(end, max(limits[place + 1], one.end))
        end = min(end, profile.seconds, start + silence.longest)
        if end - start >= silence.shortest:
            fitted.append(replace(one, start=round(start, 3), end=round(end, 3)))
    return fitted


def _nearest(places: Any, moment: float) -> float:
    """Return the place nearest to the moment, the moment itself where none is near."""
    if not len(places):
        return moment
    at = int(np.abs(places - moment).argmin())
    return float(places[at]) if abs(places[at] - moment) <= _NEAR else moment
