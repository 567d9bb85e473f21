from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from core.domain.voice import Clip, Recording
from core.errors import InvalidInputError
from core.stages.voice_dataset.clips import make_clip
from core.stages.voice_dataset.sound.levels import measures_of
from core.stages.voice_dataset.sound.sound_file import wav_of
from core.store import Store
from core.store.clips import ClipFilter
from tests.unit.stages.voice_dataset.sounds import SETTINGS, file_of, take_in, tones


@pytest.fixture
def recording(store):
    return take_in(file_of(np.stack([tones((1, 2), rate=44_100)] * 2, axis=1), 44_100), store)


def cut(recording: Recording, store: Store, start: float = 0.9, end: float = 2.1, **more: Any) -> Clip:
    values: dict[str, Any] = {"text": "外头冷。", "speaker": "沈青", "settings": SETTINGS, "store": store, **more}
    return make_clip(recording, start, end, **values)


def test_a_clip_is_a_recipe_and_a_16_bit_mono_wav_at_the_trainers_rate(store, recording):
    clip = cut(recording, store, utterance_id="s.1.0")
    info = soundfile.info(io.BytesIO(store.files.read(clip.sha256)))

    assert (info.samplerate, info.channels, info.subtype) == (32_000, 1, "PCM_16")
    assert info.duration == pytest.approx(1.2, abs=0.001)
    assert (clip.start, clip.end, clip.effects, clip.utterance_id) == (0.9, 2.1, (), "s.1.0")
    assert store.clips.of_line("a-qing", "s.1.0") == clip


def test_a_clip_sounds_where_the_recording_sounds(store, recording):
    samples, rate = soundfile.read(io.BytesIO(store.files.read(cut(recording, store).sha256)))

    assert np.abs(samples[: int(0.08 * rate)]).max() < 0.01
    assert np.abs(samples[int(0.2 * rate) : int(1 * rate)]).max() == pytest.approx(0.31, abs=0.01)


def test_the_recording_is_never_touched(store, recording):
    before = store.files.read(recording.sha256)
    cut(recording, store)

    assert store.files.read(recording.sha256) == before


@pytest.mark.parametrize(
    ("start", "end"),
    [(-0.1, 1), (1, 1), (2, 1), (2, 3.5), (1, 1.1)],
    ids=["before it", "empty", "backwards", "past it", "too short"],
)
def test_a_stretch_that_is_none_is_refused(store, recording, start, end):
    with pytest.raises(InvalidInputError):
        cut(recording, store, start, end)

    assert store.clips.count(ClipFilter("a-qing")) == 0


@pytest.mark.parametrize("text", ["一|二", "一\n二"])
def test_a_text_a_list_file_cannot_hold_is_refused(store, recording, text):
    with pytest.raises(InvalidInputError):
        cut(recording, store, text=text)


def test_a_stretch_to_the_very_end_is_fine(store, recording):
    assert cut(recording, store, 1, recording.seconds + 1e-6).end == 3


def test_too_loud_samples_are_turned_down_not_clipped():
    samples, _ = soundfile.read(io.BytesIO(wav_of(5 * tones((0, 3)), 16_000)))

    assert np.abs(samples).max() == pytest.approx(1, abs=0.005)
    assert np.corrcoef(samples, tones((0, 3)))[0, 1] > 0.999


def test_a_clip_is_measured_as_it_was_rendered(store, recording):
    measures = cut(recording, store, 1.2, 1.8).measures

    assert measures is not None
    assert measures.peak_db == pytest.approx(-10.2, abs=0.2)
    assert measures.loudness == pytest.approx(-14, abs=1.5)
    assert measures.clipped == 0


def test_silence_is_measured_too():
    quiet = measures_of(np.zeros(16_000, dtype=np.float32), 16_000)

    assert (quiet.loudness, quiet.peak_db, quiet.snr_db, quiet.clipped) == (None, -120, None, 0)
    assert measures_of(np.zeros(0, dtype=np.float32), 16_000).voiced == 0
    assert measures_of(np.ones(160, dtype=np.float32), 16_000).clipped == 160
