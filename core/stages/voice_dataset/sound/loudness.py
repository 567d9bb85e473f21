"""How high a sound peaks between its samples, and how it is turned to a loudness."""

from __future__ import annotations

import math

import numpy as np
import soxr  # type: ignore[import-untyped]  # ships no types

from core.domain.loudness import SILENCE_DB, loudness_of
from core.stages.voice_dataset.sound.sound_file import Samples

OVERSAMPLED = 4


def true_peak(samples: Samples, sample_rate: int) -> float:
    """Return the peak between the samples too, in dBTP (ITU-R BS.1770-4, annex 2); silence is -120."""
    return decibels(_peak(samples, sample_rate))


def normalised(samples: Samples, sample_rate: int, *, lufs: float, peak_db: float) -> Samples:
    """Return the samples at that loudness, or softer where their true peak would pass `peak_db`: the limit wins.

    They are turned down as a whole, never squeezed. Silence stays as it is.
    """
    loudness = loudness_of(samples, sample_rate)
    if loudness is None:
        return samples
    gain = min(10 ** ((lufs - loudness) / 20), 10 ** (peak_db / 20) / max(_peak(samples, sample_rate), 1e-9))
    return samples * np.float32(gain)


def decibels(amplitude: float) -> float:
    """Return an amplitude in dB of full scale, at least -120."""
    return round(max(20 * math.log10(amplitude), SILENCE_DB), 2) if amplitude > 0 else SILENCE_DB


def _peak(samples: Samples, sample_rate: int) -> float:
    if not len(samples):
        return 0.0
    between = soxr.resample(samples, sample_rate, OVERSAMPLED * sample_rate, quality="MQ")
    return float(max(np.abs(samples).max(), np.abs(between).max(initial=0)))
