"""Gives many clips another sound: the chain of effects is applied anew from the recording, never to what it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from pydantic import Field

from core.domain.section import Section
from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Measures
from core.errors import InvalidInputError, MissingArtifactError
from core.jobs.context import RunContext
from core.settings import stage_defaults
from core.stages.voice_dataset.clips import kept, rendered
from core.stages.voice_dataset.judging import judge
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.effect_chain import EffectChain
from core.store import Store
from core.store.clips import ClipFilter
from core.store.records import from_json, plain
from core.translation import N_

AT_ONCE: Final = 20
"""Clips rendered between two memories of a run."""


class ProcessingSettings(Section):
    """Which clips get which sound."""

    clip_ids: tuple[str, ...] = Field(default=(), description="These clips; empty for all that are not rejected.")
    recording_id: str = Field(default="", max_length=64, description="Only clips of this recording; empty for all.")
    effects: EffectChain = Field(
        default=EffectChain(), description="What is done; nothing makes them again what was recorded."
    )


def run(settings: ProcessingSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Render the clips and write them as one change; return how many were changed and which could not be."""
    rules = stage_defaults("voice_dataset", VoiceDatasetSettings)
    persona = context.run.persona_id
    steps = settings.effects.steps()
    # Remembered first, each as it was seen: one that is changed before a broken-off run goes on is left as it is.
    work = context.step("clips", partial(_work, settings, steps, persona, store))
    waiting = [from_json(Clip, one) for one in work["waiting"]]
    sounds: dict[str, dict[str, Any]] = {}
    for first in range(0, len(waiting), AT_ONCE):
        some = waiting[first : first + AT_ONCE]
        # Remembered: after a crash no clip is rendered twice.
        sounds |= context.step(f"render-{first}", partial(_sounds, some, steps, rules, store))
        context.progress(
            0.9 * len(sounds) / len(waiting), N_("{count} of {total} clips"), count=len(sounds), total=len(waiting)
        )
    changed = _write(waiting, sounds, steps, who=context.run.created_by, store=store)
    judge(persona, settings=rules, store=store)
    refused = [{"clip": clip_id, "why": sound["refused"]} for clip_id, sound in sounds.items() if "refused" in sound]
    for one in refused:
        context.log(f"{one['clip']}: {one['why']}")
    context.progress(1.0, N_("{count} clips sound anew"), count=len(changed))
    return {"changed": len(changed), "looked_at": work["looked_at"], "refused": refused}


def _work(
    settings: ProcessingSettings, steps: Sequence[Mapping[str, Any]], persona_id: str, store: Store
) -> dict[str, Any]:
    """Return the clips that do not sound so yet, as plain values; MissingArtifactError when there are none at all."""
    where = ClipFilter(persona_id, settings.recording_id or None, ids=settings.clip_ids or None)
    clips = [one for one in store.clips.iterate(where) if one.status is not ReviewStatus.REJECTED]
    if not clips:
        raise MissingArtifactError(N_("There are no clips to work on."), remedy=N_("Cut some first."))
    waiting = [plain(one) for one in clips if list(one.effects) != list(steps)]
    return {"waiting": waiting, "looked_at": len(clips)}


def _sounds(
    clips: Sequence[Clip], steps: Sequence[Mapping[str, Any]], rules: VoiceDatasetSettings, store: Store
) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for clip in clips:
        recording = store.voice.recording(clip.recording_id)
        try:
            sound = rendered(recording, clip.start, clip.end, effects=steps, settings=rules, store=store)
        except InvalidInputError as problem:
            made[clip.id] = {"refused": str(problem)}
        else:
            made[clip.id] = kept(sound, store=store)
    return made


def _write(
    clips: Sequence[Clip],
    sounds: Mapping[str, Mapping[str, Any]],
    steps: tuple[dict[str, Any], ...],
    *,
    who: str,
    store: Store,
) -> list[str]:
    changes = {}
    for clip in clips:
        if "refused" not in (sound := sounds[clip.id]):
            fields = {**sound, "measures": Measures(**sound["measures"]), "effects": steps}
            changes[clip.id] = (clip.revision, fields)
    return store.clips.edit_each(changes, who=who, action="sound")
