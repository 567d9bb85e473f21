"""The work on sound that takes longer than a moment: denoising a clip, finding speech in a recording."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from core.domain.identity import new_id, now
from core.errors import NotFoundError
from core.jobs.context import RunContext
from core.settings import stage_defaults
from core.stages.voice_dataset.clips import levels_of_clip, rendered
from core.stages.voice_dataset.effects import denoise_step
from core.stages.voice_dataset.settings import VoiceDatasetSettings, VoiceWork
from core.stages.voice_dataset.speech import speech_in
from core.store import Store
from core.translation import N_


def run(settings: VoiceWork, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Do what the settings ask for and return what came of it."""
    return _ACTIONS[settings.action](settings, context, store)


def denoise(settings: VoiceWork, context: RunContext, store: Store) -> dict[str, Any]:
    """Render a clip again with the noise taken out, as a clip beside the first; return its id and both loudnesses."""
    clip = store.voice.clip(settings.clip_id)
    recording = store.voice.recording(clip.recording_id)
    rules = stage_defaults("voice_dataset", VoiceDatasetSettings)
    effects = (*clip.effects, denoise_step(settings.strength, stationary=settings.stationary))
    clip_id = context.step("clip", lambda: new_id("clip"))
    context.progress(None, N_("Taking the noise out"))
    sha256 = context.step(
        "render",
        lambda: store.files.put(
            rendered(recording, clip.start, clip.end, effects=effects, settings=rules, store=store)
        ),
    )
    cleaned = replace(clip, id=clip_id, sha256=sha256, effects=effects, created_at=now())
    if not _known(clip_id, store):
        store.voice.add_clip(cleaned, who=context.run.created_by)
    before, after = levels_of_clip(clip, store=store), levels_of_clip(cleaned, store=store)
    context.log(f"{clip.id} -> {clip_id}: {before.rms_db} dB -> {after.rms_db} dB")
    context.progress(1.0, N_("The noise is taken out"))
    return {"clip_id": clip_id, "of": clip.id, "rms_db_before": before.rms_db, "rms_db_after": after.rms_db}


def find_speech(settings: VoiceWork, context: RunContext, store: Store) -> dict[str, Any]:
    """Look for speech in a stretch of a recording; return the stretches proposed, in seconds."""
    recording = store.voice.recording(settings.recording_id)
    rules = stage_defaults("voice_dataset", VoiceDatasetSettings)
    context.progress(None, N_("Looking for speech"))
    found = speech_in(recording, settings.start, settings.end, settings=rules, store=store)
    context.progress(1.0, N_("Found {count} stretches of speech"), count=len(found))
    return {"recording_id": recording.id, "stretches": [asdict(stretch) for stretch in found]}


_ACTIONS = {"denoise": denoise, "find_speech": find_speech}


def _known(clip_id: str, store: Store) -> bool:
    """Whether an attempt before a crash has stored it already."""
    try:
        store.voice.clip(clip_id)
    except NotFoundError:
        return False
    return True
