"""Loudness by the standard's own anchor, and what has none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.domain.loudness import loudness_of
from core.domain.sounds import samples_of
from tests.contract.doubles import tone

RATE = 48_000


def sine(decibels: float, seconds: float = 3.0, hertz: float = 997) -> np.ndarray:
    at = np.arange(int(seconds * RATE)) / RATE
    return (10 ** (decibels / 20) * np.sin(2 * math.pi * hertz * at)).astype(np.float32)


@pytest.mark.parametrize("decibels", [0, -20, -40])
def test_a_sine_of_997_hertz_is_3_below_its_peak(decibels: float) -> None:
    assert loudness_of(sine(decibels), RATE) == pytest.approx(decibels - 3.01, abs=0.05)


def test_a_short_sound_is_as_loud_as_if_it_went_on_and_silence_has_no_loudness() -> None:
    assert loudness_of(sine(-20, 0.2), RATE) == pytest.approx(-23, abs=0.5)
    assert loudness_of(sine(-20, 0.04), RATE) is None
    assert loudness_of(np.zeros(RATE, np.float32), RATE) is None


def test_a_wav_is_read_as_one_channel_at_its_own_rate() -> None:
    samples, rate = samples_of(tone(0.5, 8_000, loudness=0.25).wav)

    assert (samples.shape, rate) == ((4_000,), 8_000)
    assert float(np.abs(samples).max()) == pytest.approx(0.25, abs=0.01)
