"""How loud a sound seems, as broadcasting measures it. Pure."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from core.domain.sounds import Samples

SILENCE_DB: Final = -120.0
_BLOCK: Final = 0.4
"""Seconds of a gating block; nothing shorter is measured as it is."""
_SHORTEST: Final = 0.05
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
