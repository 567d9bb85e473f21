from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.jobs.context import RunContext
from core.stages.voice_dataset import importing
from core.stages.voice_dataset.importing import RecordingImport
from core.stages.voice_dataset.recordings import activity_of, cached_activity, receive
from core.stages.voice_dataset.sound import decoding
from core.stages.voice_dataset.sound.waveform import cached_waveform, envelope_of
from core.store import Store
from tests.unit.stages.runs import begun
from tests.unit.stages.voice_dataset.media_files import encoded, film
from tests.unit.stages.voice_dataset.sounds import file_of, tones

STEREO = file_of(np.stack([tones((0.5, 1), rate=44_100)] * 2, axis=1), 44_100)


def received(store: Store, content: bytes, name: str = "录音.wav", **more: Any) -> RecordingImport:
    upload = receive(io.BytesIO(content), name, files=store.files, max_megabytes=50)
    return RecordingImport(name=upload.name, sha256=upload.sha256, **more)


def run(store: Store, settings: RecordingImport, run_id: str = "run-0000000001") -> dict[str, Any]:
    return importing.run(settings, context=begun(store, "recording", run_id=run_id), store=store)


def test_a_received_file_becomes_a_recording_with_its_picture_and_its_speech(store):
    subtitles = store.files.put(b"1\n00:00:00,000 --> 00:00:01,000\n...\n")
    settings = received(store, STEREO, subtitles_name="录音.srt", subtitles_sha256=subtitles)
    result = run(store, settings)
    (recording,) = store.voice.recordings("a-qing")

    wanted = {"recording_id": recording.id, "name": "录音.wav", "seconds": 3.0, "truncated": False}
    assert wanted.items() <= result.items()
    assert (recording.channels, recording.sample_rate, recording.container) == (2, 44_100, "wav")
    assert store.files.read(recording.sha256) == STEREO
    assert recording.sound_sha256 not in ("", recording.sha256)
    assert (recording.subtitles_name, recording.subtitles_sha256) == ("录音.srt", subtitles)
    assert cached_waveform(store, recording.sound).exists()
    assert cached_activity(store, recording.sound).exists()
    assert max(envelope_of(recording, store=store).highs) > 0.3
    assert activity_of(recording, store=store).rise[75] > 10


def test_a_wav_of_one_channel_is_its_own_sound(store):
    run(store, received(store, file_of(tones((0.5, 1)))))
    (recording,) = store.voice.recordings("a-qing")

    assert recording.sound_sha256 == recording.sha256


def test_a_run_that_goes_on_after_a_crash_makes_no_second_recording(store, monkeypatch):
    remembered: dict[str, Any] = {}

    def durable(name: str, step: Callable[[], Any]) -> Any:
        if name not in remembered:
            remembered[name] = step()
        return remembered[name]

    def attempt() -> dict[str, Any]:
        context = begun(store, "recording")
        return importing.run(
            settings, context=RunContext(context.run, store=store, folder=context.folder, durable=durable), store=store
        )

    settings = received(store, STEREO)
    for place, lost in ((importing, "kept"), (Path, "unlink")):  # before the recording is stored, and after
        with monkeypatch.context() as patch:
            patch.setattr(place, lost, lambda *_given, **_more: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                attempt()
    result = attempt()
    (recording,) = store.voice.recordings("a-qing")

    assert result["recording_id"] == recording.id
    assert store.files.has(recording.sound)
    assert cached_waveform(store, recording.sound).exists()


def test_a_file_cut_off_is_kept_and_said_to_be_cut_off(store):
    assert run(store, received(store, STEREO[: len(STEREO) // 2]))["truncated"] is True


def test_a_refusal_comes_out_of_the_process_with_its_reason(store):
    with pytest.raises(InvalidInputError, match=r"录音\.wav holds no sound"):
        run(store, received(store, film(None, 48_000)))

    assert store.voice.recordings("a-qing") == []


def test_what_breaks_the_decoder_is_a_refusal(store, monkeypatch):
    monkeypatch.setattr(decoding, "MEMORY", 50_000_000)  # too little to start in

    with pytest.raises(InvalidInputError, match="broke its decoder"):
        run(store, received(store, STEREO))


def test_the_same_file_again_is_said_to_be_there(store):
    run(store, received(store, STEREO))

    with pytest.raises(ConflictError, match="already there"):
        run(store, received(store, STEREO), "run-0000000002")


def test_content_that_is_gone_is_said_to_be_gone(store):
    with pytest.raises(NotFoundError):
        run(store, RecordingImport(name="a.wav", sha256="0" * 64))


def test_a_lost_profile_is_made_again(store):
    run(store, received(store, encoded(tones((0.5, 1), rate=48_000), 48_000, "mp3", "libmp3lame"), "她.mp3"))
    (recording,) = store.voice.recordings("a-qing")
    before = activity_of(recording, store=store)
    cached_activity(store, recording.sound).unlink()

    assert activity_of(recording, store=store).rise == pytest.approx(before.rise, abs=0.1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"#EXTM3U\nhttp://example.org/a.ts\n", "understood here"), (b"PK\x03\x04" * 99, "understood"),
     (STEREO * 3, "larger than 1 MB")],
    ids=["nothing", "a playlist", "a zip", "too large"],
)  # fmt: skip
def test_what_is_no_sound_or_too_large_is_refused_while_it_streams(store, content, reason):
    with pytest.raises(InvalidInputError, match=reason):
        receive(io.BytesIO(content), "a.wav", files=store.files, max_megabytes=1)

    assert not [path for path in (store.workspace / "files").rglob("*") if path.is_file()]


def test_a_name_does_not_decide(store):
    upload = receive(io.BytesIO(film(tones((0, 1), rate=48_000, seconds=1), 48_000)), "../a.txt", files=store.files,
                     max_megabytes=1)  # fmt: skip

    assert upload.name == "a.txt"
    assert len(store.files.read(upload.sha256)) == upload.size
