"""Import as a run: a received file is decoded in a process of its own and becomes a recording with its caches."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pydantic import Field

from core.domain.identity import new_id, now
from core.domain.section import Section
from core.domain.voice import Recording
from core.errors import InvalidInputError, NotFoundError, ToolFailedError
from core.jobs.context import RunContext
from core.settings import stage_defaults
from core.stages.voice_dataset.clips import make_clip
from core.stages.voice_dataset.recordings import cached_activity, refuse_known
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.decoding import ACTIVITY, SOUND, WAVEFORM, Decoded, answer_in, command, share_of
from core.stages.voice_dataset.sound.waveform import cached_waveform
from core.store import Store
from core.store.clips import ClipFilter
from core.translation import N_


class RecordingImport(Section):
    """A received file, and the subtitles received with it."""

    name: str = Field(min_length=1, max_length=200, description="The file's name, to be shown.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="The file, by its content.")
    subtitles_name: str = Field(default="", max_length=200, description="Name of the subtitles beside it.")
    subtitles_sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$", description="The subtitles, by content.")
    as_clip: bool = Field(default=False, description="Make a clip of all of it, as of a take at the microphone.")
    text: str = Field(default="", max_length=2000, description="The words spoken in that clip, where known.")


def run(settings: RecordingImport, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Decode the file and store its recording; return its id and what it is.

    InvalidInputError for what cannot be a recording; ConflictError when the persona has that file already.
    """
    recording_id = context.step("recording", lambda: new_id("rec"))
    out = context.folder / "decoded"
    decoded = _decoded(settings, recording_id, out, context, store)
    recording = _known(recording_id, store)
    if recording is None:
        context.check()
        context.progress(0.9, N_("Keeping {name}"), name=settings.name)
        recording = Recording(
            id=recording_id,
            persona_id=context.run.persona_id,
            name=settings.name,
            sha256=settings.sha256,
            seconds=decoded.seconds,
            sample_rate=decoded.sample_rate,
            channels=decoded.channels,
            imported_at=now(),
            run_id=context.run.id,
            sound_sha256=kept(settings.sha256, decoded, out, store),
            container=decoded.container,
            subtitles_name=settings.subtitles_name,
            subtitles_sha256=settings.subtitles_sha256,
        )
        store.voice.add_recording(recording, who=context.run.created_by)
    clip_id = _as_clip(settings, recording, context, store) if settings.as_clip else None
    for left in (SOUND, WAVEFORM, ACTIVITY):  # the answer stays: it is how a run that goes on knows what it found
        (out / left).unlink(missing_ok=True)
    shape = f"{recording.container}, {recording.sample_rate} Hz, {recording.channels} channels"
    context.log(f"{recording.name}: {shape}, {recording.seconds:.1f} s{', truncated' if decoded.truncated else ''}")
    context.progress(1.0, N_("{name} is there"), name=recording.name)
    return {
        "recording_id": recording.id,
        "name": recording.name,
        "seconds": recording.seconds,
        "truncated": decoded.truncated,
        "clip_id": clip_id,
    }


def _as_clip(settings: RecordingImport, recording: Recording, context: RunContext, store: Store) -> str:
    """Make the whole recording a clip, once; InvalidInputError when it is too long for one (the recording stays)."""
    persona = store.personas.get(context.run.persona_id)
    there = store.clips.page(ClipFilter(persona.id, recording.id), limit=1).rows
    if there:
        return there[0].id
    rules = stage_defaults("voice_dataset", VoiceDatasetSettings)
    clip = make_clip(
        recording,
        0,
        recording.seconds,
        text=settings.text,
        speaker=persona.name,
        settings=rules,
        store=store,
        who=context.run.created_by,
    )
    return clip.id


def kept(sha256: str, decoded: Decoded, out: Path, store: Store) -> str:
    """Put the sound into the content store and its caches in their places; return the sound's sha256."""
    sound = sha256
    if decoded.copied:
        with (out / SOUND).open("rb") as file:
            sound = store.files.put(file)
    for made, place in ((WAVEFORM, cached_waveform(store, sound)), (ACTIVITY, cached_activity(store, sound))):
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f"{place.name}.{new_id('draft')}")
        shutil.copyfile(out / made, draft)  # the cache may lie on another disk
        draft.replace(place)
    return sound


def _decoded(settings: RecordingImport, recording_id: str, out: Path, context: RunContext, store: Store) -> Decoded:
    """Return what the process that decodes says; an attempt before this one may have asked it already."""
    if _known(recording_id, store) is None:
        refuse_known(settings.sha256, settings.name, context.run.persona_id, store)
    if not store.files.has(settings.sha256):
        store.files.open(settings.sha256)  # raises what it says of missing content
    path = store.files.path(settings.sha256)
    minutes = stage_defaults("voice_dataset", VoiceDatasetSettings).max_minutes

    def follow(line: str) -> None:
        if (share := share_of(line)) is not None:
            context.progress(0.9 * min(share, 1.0), N_("Decoding {name}"), name=settings.name)

    context.progress(0.0, N_("Decoding {name}"), name=settings.name)
    try:
        context.execute("decode", lambda: command(path, out, name=settings.name, max_minutes=minutes), on_line=follow)
        return answer_in(out)
    except ToolFailedError:
        shutil.rmtree(out, ignore_errors=True)
        raise InvalidInputError(
            N_("{name} broke its decoder, or took too long or too much memory."),
            remedy=N_("Open it in an audio editor, save it as WAV or FLAC, and import that."),
            name=settings.name,
        ) from None


def _known(recording_id: str, store: Store) -> Recording | None:
    """Return the recording when an attempt before a crash has stored it already."""
    try:
        return store.voice.recording(recording_id)
    except NotFoundError:
        return None
