"""Takes the noise out of a clip; the result is a clip of its own beside the first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.domain.identity import new_id, now
from core.errors import NotFoundError
from core.jobs.context import RunContext
from core.settings import stage_defaults
from core.stages.voice_dataset.clips import levels_of_clip, rendered
from core.stages.voice_dataset.effects import denoise_step
from core.stages.voice_dataset.settings import DenoiseSettings, VoiceDatasetSettings
from core.store import Store
from core.translation import N_


def run(settings: DenoiseSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Render the clip again with the noise taken out; return the new clip's id and both loudnesses."""
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


def _known(clip_id: str, store: Store) -> bool:
    """Whether an attempt before a crash has stored it already."""
    try:
        store.voice.clip(clip_id)
    except NotFoundError:
        return False
    return True
