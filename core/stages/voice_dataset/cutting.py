"""Cuts a recording into clips where `planning` says, after somebody has looked at the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from core.domain.identity import fingerprint, now
from core.domain.persona import Persona
from core.domain.voice import Clip, Measures, Recording, TextOrigin
from core.jobs.context import RunContext
from core.settings import stage_defaults
from core.stages.voice_dataset.clips import kept, rendered
from core.stages.voice_dataset.judging import judge
from core.stages.voice_dataset.planning import CuttingSettings, PlannedClip, planned
from core.stages.voice_dataset.processing import AT_ONCE
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.store import Store
from core.store.clips import ClipFilter
from core.translation import N_

_SAME = 0.03
"""Seconds by which the ends of one and the same cut may differ."""


def run(settings: CuttingSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Cut what is planned and store the clips as one change; what is cut already at the same place is passed over."""
    recording = store.voice.recording(settings.recording_id)
    rules = stage_defaults("voice_dataset", VoiceDatasetSettings)
    persona = store.personas.get(context.run.persona_id)
    context.progress(None, N_("Looking where to cut"))
    # Remembered first: what is rendered later is matched to this list, whatever has changed when a run goes on.
    plan = context.step("plan", partial(_plan, settings, recording, persona, rules, store))
    new = [PlannedClip(**{**one, "text_origin": TextOrigin(one["text_origin"])}) for one in plan["new"]]
    clips: list[Clip] = []
    for first in range(0, len(new), AT_ONCE):
        some = new[first : first + AT_ONCE]
        made = context.step(f"render-{first}", partial(_sounds, some, recording, settings, rules, store))
        clips += [
            _clip(one, sound, recording, persona, context.run.id, settings)
            for one, sound in zip(some, made, strict=True)
        ]
        context.progress((first + len(some)) / len(new) * 0.9, N_("{count} clips cut"), count=len(clips))
    store.clips.add(clips, who=context.run.created_by)
    context.progress(0.95, N_("Comparing the clips"))
    judge(persona.id, settings=rules, store=store)
    context.log(f"{len(clips)} clips cut, {plan['there_already']} were there already")
    context.progress(1.0, N_("{count} clips cut"), count=len(clips))
    found = {name: plan[name] for name in ("there_already", "clock")}
    return {"recording_id": recording.id, "clips": len(clips), **found}


def _plan(
    settings: CuttingSettings, recording: Recording, persona: Persona, rules: VoiceDatasetSettings, store: Store
) -> dict[str, Any]:
    """Return what is to be cut and is not there yet, as plain values."""
    plan = planned(settings, recording, persona, rules=rules, store=store)
    there = [(one.start, one.end) for one in store.clips.iterate(ClipFilter(persona.id, recording.id))]
    new = [one for one in plan.clips if not _cut_already(one, there)]
    shift = plan.shift
    return {
        "new": [{**asdict(one), "text_origin": one.text_origin.value} for one in new],
        "there_already": len(plan.clips) - len(new),
        "clock": {"seconds": shift.seconds, "stretch": shift.stretch, "sure": shift.sure} if shift else None,
    }


def _cut_already(one: PlannedClip, there: Sequence[tuple[float, float]]) -> bool:
    return any(abs(one.start - start) < _SAME and abs(one.end - end) < _SAME for start, end in there)


def _sounds(
    wanted: Sequence[PlannedClip],
    recording: Recording,
    settings: CuttingSettings,
    rules: VoiceDatasetSettings,
    store: Store,
) -> list[dict[str, Any]]:
    steps = settings.effects.steps()
    sounds = (rendered(recording, one.start, one.end, effects=steps, settings=rules, store=store) for one in wanted)
    return [kept(sound, store=store) for sound in sounds]


def _clip(
    one: PlannedClip,
    sound: Mapping[str, Any],
    recording: Recording,
    persona: Persona,
    run_id: str,
    settings: CuttingSettings,
) -> Clip:
    # Named by its run and place: the same run gone on with after a crash makes no second one.
    name = fingerprint([run_id, one.start, one.end])[:12]
    return Clip(
        id=f"clip-{name}",
        recording_id=recording.id,
        start=one.start,
        end=one.end,
        text=" ".join(one.text.replace("|", " ").split()),
        speaker=persona.name,
        sha256=sound["sha256"],
        created_at=now(),
        effects=settings.effects.steps(),
        utterance_id=one.utterance_id,
        text_origin=one.text_origin,
        confidence=one.confidence,
        seconds=sound["seconds"],
        measures=Measures(**sound["measures"]),
        run_id=run_id,
    )
