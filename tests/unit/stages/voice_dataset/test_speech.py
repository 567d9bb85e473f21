from __future__ import annotations

import numpy as np
import pytest

from core.settings import stage_defaults
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.speech import speech_in, split_on_silence
from tests.unit.stages.voice_dataset.sounds import SETTINGS, file_of, take_in, tones

pytestmark = pytest.mark.slow  # librosa compiles at its first call


def test_what_stands_out_of_silence_is_proposed_with_a_little_air(store):
    recording = take_in(file_of(tones((0.5, 1.2), (2.0, 2.6))), store)
    first, second = speech_in(recording, 0, 3, settings=SETTINGS, store=store)

    assert (first.start, first.end) == pytest.approx((0.4, 1.3), abs=0.05)
    assert (second.start, second.end) == pytest.approx((1.9, 2.7), abs=0.05)


def test_a_part_of_a_recording_is_proposed_in_the_recordings_own_time(store):
    recording = take_in(file_of(tones((0.5, 1.2), (2.0, 2.6))), store)
    (only,) = speech_in(recording, 1.5, 3, settings=SETTINGS, store=store)

    assert only.start == pytest.approx(1.9, abs=0.05)


def test_a_breath_does_not_split():
    assert len(split_on_silence(tones((0.5, 1), (1.2, 2)), 16_000, quiet_db=35, padding=0)) == 1


@pytest.mark.parametrize("samples", [np.zeros(16_000, dtype=np.float32), np.zeros(0, dtype=np.float32)])
def test_silence_has_no_speech(samples):
    assert split_on_silence(samples, 16_000, quiet_db=35, padding=0.1) == []


def test_the_shipped_configuration_is_valid():
    assert stage_defaults("voice_dataset", VoiceDatasetSettings).sample_rate == 32_000
