"""How loud a sound is, in numbers a curator can sort by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.stages.voice_dataset.sound_file import Samples

SILENCE_DB = -120.0
CLIPPED_AT = 0.999


@dataclass(frozen=True, slots=True)
class Levels:
    """Decibels relative to full scale."""

    peak_db: float
    rms_db: float
    """Root mean square over the whole stretch; not yet LUFS."""
    clipped: int
    """Samples at full scale."""


def levels_of(samples: Samples) -> Levels:
    """Return the levels of mono samples; silence is -120 dB."""
    if not samples.size:
        return Levels(SILENCE_DB, SILENCE_DB, 0)
    magnitude = np.abs(samples)
    rms = math.sqrt(float(np.mean(np.square(samples, dtype=np.float64))))
    return Levels(_decibels(float(magnitude.max())), _decibels(rms), int((magnitude >= CLIPPED_AT).sum()))


def _decibels(amplitude: float) -> float:
    return round(max(20 * math.log10(amplitude), SILENCE_DB), 2) if amplitude > 0 else SILENCE_DB
