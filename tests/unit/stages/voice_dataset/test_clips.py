from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from core.domain.voice import Clip, Recording
from core.errors import InvalidInputError
from core.stages.voice_dataset.clips import levels_of_clip, make_clip
from core.stages.voice_dataset.sound.levels import levels_of
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
    whole = levels_of(samples.astype(np.float32))

    assert whole.peak_db == pytest.approx(0, abs=0.05)
    assert np.corrcoef(samples, tones((0, 3)))[0, 1] > 0.999


def test_levels_are_those_of_a_known_tone(store, recording):
    levels = levels_of_clip(cut(recording, store, 1.2, 1.8), store=store)

    assert levels.peak_db == pytest.approx(-10.2, abs=0.1)
    assert levels.rms_db == pytest.approx(-14, abs=0.3)
    assert levels.clipped == 0


def test_silence_has_levels_too():
    assert levels_of(np.zeros(10, dtype=np.float32)).rms_db == -120
    assert levels_of(np.zeros(0, dtype=np.float32)).peak_db == -120
    assert levels_of(np.ones(10, dtype=np.float32)).clipped == 10
