"""How far the clock of subtitles is off that of the sound: cues and speech activity are correlated by FFT."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.stages.voice_dataset.words.subtitles import Cue

MOST_SECONDS = 60.0
"""Offsets up to here are looked for, either way."""
_FILM, _NTSC, _PAL = 24.0, 24 / 1.001, 25.0
STRETCHES = (1.0, _PAL / _NTSC, _NTSC / _PAL, _PAL / _FILM, _FILM / _PAL, _FILM / _NTSC, _NTSC / _FILM)
"""What subtitles timed for one frame rate and shown at another must be stretched by; the likeliest first."""
SURE = 0.5
"""A confidence from which on a shift may be applied unasked."""
_APART = 3.0
"""Seconds from the best offset at which others are rivals and no longer the same peak."""
_LEAST_CUES = 5
_BETTER = 1.02
"""How much better a stretch must fit than none: over a short stretch of sound all fit alike."""


@dataclass(frozen=True, slots=True)
class ClockShift:
    """What makes the subtitles' times the sound's: `time * stretch + seconds`."""

    seconds: float
    stretch: float
    confidence: float
    """0 to 1: how far this fits better than any other shift."""

    @property
    def sure(self) -> bool:
        """Whether it may be applied without asking."""
        return self.confidence >= SURE

    def apply(self, seconds: float) -> float:
        """Return the moment in the sound."""
        return seconds * self.stretch + self.seconds


def shifted(cues: Iterable[Cue], shift: ClockShift) -> list[Cue]:
    """Return the cues by the sound's clock; what would lie before its beginning is left out."""
    moved = (replace(cue, start=max(shift.apply(cue.start), 0.0), end=shift.apply(cue.end)) for cue in cues)
    return [cue for cue in moved if cue.end > cue.start]


def clock_offset(cues: Sequence[Cue], active: npt.NDArray[Any], *, hop: float = 0.01) -> ClockShift:
    """Return how far the subtitles are off; no shift and confidence 0 where that cannot be told.

    `active`: speech activity of the sound, one number (or truth) a hop of `hop` seconds. Constant offsets up to 60
    seconds and the usual frame rates (24/1.001, 24, 25) are looked for.
    """
    heard = np.asarray(active, np.float32)
    if len(cues) < _LEAST_CUES or heard.size < 2 or float(heard.std()) < 1e-6:
        return ClockShift(0.0, 1.0, 0.0)
    heard = heard - heard.mean()
    best = _fit(cues, heard, 1.0, hop)
    for stretch in STRETCHES[1:]:
        other = _fit(cues, heard, stretch, hop)
        if other.score > best.score * _BETTER:
            best = other
    return ClockShift(best.seconds, best.stretch, best.confidence) if best.score > 0 else ClockShift(0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Fit:
    seconds: float
    stretch: float
    score: float
    """Correlation coefficient at the best offset."""
    rival: float
    """The same at the best offset elsewhere."""

    @property
    def confidence(self) -> float:
        """Near 0 where another offset fits as well, 1 where the best stands far above all others."""
        ahead = (self.score - max(self.rival, 0.0)) / max(self.score, 1e-9)
        return float(np.clip(2.5 * ahead, 0, 1) * np.clip(self.score / 0.25, 0, 1))


def _fit(cues: Sequence[Cue], heard: npt.NDArray[np.float32], stretch: float, hop: float) -> _Fit:
    shown = _shown(cues, stretch, hop)
    shown = shown - shown.mean()
    lags = int(MOST_SECONDS / hop)
    scores = _correlations(heard, shown, lags)
    best = int(scores.argmax())
    near = int(_APART / hop)
    others = np.concatenate([scores[: max(best - near, 0)], scores[best + near + 1 :]])
    rival = float(others.max()) if others.size else 0.0
    return _Fit((best - lags) * hop, stretch, float(scores[best]), rival)


def _shown(cues: Sequence[Cue], stretch: float, hop: float) -> npt.NDArray[np.float32]:
    """Return 1 where a cue stands and 0 elsewhere, hop by hop."""
    ends = np.zeros(int(max(cue.end for cue in cues) * stretch / hop) + 2, np.float32)
    for cue in cues:
        ends[int(cue.start * stretch / hop)] += 1
        ends[int(cue.end * stretch / hop) + 1] -= 1
    return np.minimum(np.cumsum(ends), 1)


def _correlations(heard: npt.NDArray[np.float32], shown: npt.NDArray[np.float32], lags: int) -> npt.NDArray[np.float64]:
    """Return the correlation coefficient for each shift of `shown` from -lags to lags."""
    size = 1 << (len(heard) + len(shown) + lags).bit_length()
    both = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(shown, size)), size)
    norm = float(np.linalg.norm(heard) * np.linalg.norm(shown)) or 1.0
    return np.concatenate([both[-lags:], both[: lags + 1]]).astype(np.float64) / norm
