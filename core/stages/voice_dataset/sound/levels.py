"""What is measured on a sound, in numbers a curator can sort by."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.domain.loudness import loudness_of
from core.domain.voice import Measures
from core.stages.voice_dataset.sound.activity import HOP_MS, Profile, active, profile_of, runs
from core.stages.voice_dataset.sound.loudness import true_peak
from core.stages.voice_dataset.sound.sound_file import Samples

CLIPPED_AT = 0.999
_RUN = 3
"""So many samples in a row at full scale were cut off; fewer are a peak."""
_FEW = 6
"""Hops; less quiet, or less speech, tells nothing about the noise."""
_CLEAN = 60.0
"""Decibels; noise further below is not told from silence."""


def measures_of(samples: Samples, sample_rate: int) -> Measures:
    """Return what a curator sorts clips by, measured on mono samples."""
    profile = profile_of(samples, sample_rate)
    speaking = active(profile)
    return Measures(
        loudness=loudness_of(samples, sample_rate),
        peak_db=true_peak(samples, sample_rate),
        snr_db=_snr(profile, speaking),
        clipped=_clipped(samples),
        voiced=round(float(speaking.mean()), 3) if len(speaking) else 0.0,
        musical=_musical(samples, sample_rate, profile, speaking),
    )


def _snr(profile: Profile, speaking: npt.NDArray[np.bool_]) -> float | None:
    """Return the power of the speech over that of the quiet between it; the hops at its edges count for neither."""
    if len(speaking) < 2 * _FEW:
        return None
    edge = np.convolve(speaking, np.ones(5), mode="same")
    powers = 10 ** (profile.level.astype(np.float64) / 10)
    speech, quiet = powers[speaking], powers[edge == 0]
    if len(speech) < _FEW or len(quiet) < _FEW:
        return None
    noise = float(quiet.mean())
    clean = max(float(speech.mean()) - noise, 1e-12)  # the noise goes on under the words
    return round(min(10 * math.log10(clean / max(noise, 1e-12)), _CLEAN), 1)


def _clipped(samples: Samples) -> int:
    begins, ends = runs(np.abs(samples) >= CLIPPED_AT)
    lengths = ends - begins
    return int(lengths[lengths >= _RUN].sum())


def _musical(samples: Samples, sample_rate: int, profile: Profile, speaking: npt.NDArray[np.bool_]) -> float:
    """Return how tonal, and how loud beside the loudest, the quietest fifth of the sound is.

    Noise averages out flat however it is coloured, a held note stays a peak; what is far below the words does not
    matter. Words without any pause look a little like music.
    """
    if len(profile.level) < 5 * _FEW:
        return 0.0
    loud, quiet = np.quantile(profile.level, [0.95, 0.2])
    heard = float(np.clip((quiet - loud + 45) / 25, 0, 1))
    if quiet < -75 or heard == 0:
        return 0.0
    hop, size = sample_rate * HOP_MS / 1000, 1 << int(np.log2(0.07 * sample_rate))
    starts = np.rint(np.flatnonzero(profile.level <= quiet) * hop).astype(np.int64)
    starts = starts[starts + size <= len(samples)]
    if len(starts) < _FEW:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[starts[:: 1 + len(starts) // 200]]
    spectrum = np.square(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1))).mean(axis=0) + 1e-12
    bins = spectrum[int(150 * size / sample_rate) : int(5_000 * size / sample_rate)]
    parts = bins[: len(bins) // 16 * 16].reshape(-1, 16)
    if not len(parts):
        return 0.0
    flatness = np.exp(np.log(parts).mean(axis=1)) / parts.mean(axis=1)
    tonal = float(np.average(1 - flatness, weights=parts.sum(axis=1)))
    return round(float(np.clip((tonal - 0.25) / 0.5, 0, 1)) * heard, 3)
