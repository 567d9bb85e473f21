"""How loud a sound seems and how high it peaks, as broadcasting measures it: LUFS and true peak."""

from __future__ import annotations

import math

import numpy as np
import soxr  # type: ignore[import-untyped]  # ships no types

from core.stages.voice_dataset.sound.sound_file import Samples

SILENCE_DB = -120.0
OVERSAMPLED = 4

_BLOCK = 0.4
"""Seconds of a gating block; nothing shorter is measured as it is."""
_SHORTEST = 0.05
"""Seconds below which a sound has no loudness."""


def loudness_of(samples: Samples, sample_rate: int) -> float | None:
    """Return the integrated loudness in LUFS (ITU-R BS.1770-4, by pyloudnorm); None for silence, or under 50 ms.

    A sound shorter than the standard's block of 400 ms is measured as if it went on.
    """
    import pyloudnorm  # type: ignore[import-untyped]  # ships no types; here because it brings scipy's filters

    if len(samples) < _SHORTEST * sample_rate:
        return None
    enough = -(-int(_BLOCK * sample_rate + 2) // len(samples))
    whole = np.tile(samples, enough) if enough > 1 else samples
    with np.errstate(all="ignore"):  # it takes the mean of no blocks where all are silent
        found = float(pyloudnorm.Meter(sample_rate).integrated_loudness(whole.astype(np.float64)))
    return round(found, 2) if math.isfinite(found) and found > SILENCE_DB else None


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
