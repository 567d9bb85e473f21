"""The pyramid a waveform is drawn from: lowest and highest sample of ever wider bins.

A bin of the finest level is 256 frames; four make one of the next.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.stages.voice_dataset.sound.sound_file import Samples

FINEST = 256
"""Frames a bin."""
FACTOR = 4
_COARSEST = 512
"""Bins of the last level, at most."""
FULL = 32_767

Pairs = npt.NDArray[np.int16]
"""Bins by low and high, of full scale 32767."""


class Painter:
    """Makes the pyramid of a sound that comes in pieces."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._finest: list[Pairs] = []

    def add(self, samples: Samples) -> None:
        """Take the next samples of one channel."""
        joined = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(joined) // FINEST * FINEST
        if whole:
            self._finest.append(_pairs(joined[:whole].reshape(-1, FINEST)))
        self._rest = joined[whole:].copy()

    def save(self, path: Path) -> None:
        """Write all levels, the finest first, one after the other."""
        last = [_pairs(self._rest[None])] if len(self._rest) else []
        levels = [np.concatenate([np.zeros((0, 2), np.int16), *self._finest, *last])]
        while len(levels[-1]) > _COARSEST:
            levels.append(_coarser(levels[-1]))
        with path.open("wb") as file:
            np.save(file, np.concatenate(levels))


def level_sizes(frames: int) -> list[int]:
    """Return how many bins each level has, finest first."""
    sizes = [-(-frames // FINEST)]
    while sizes[-1] > _COARSEST:
        sizes.append(-(-sizes[-1] // FACTOR))
    return sizes


def _pairs(parts: Samples) -> Pairs:
    both = np.stack([np.floor(parts.min(axis=1) * FULL), np.ceil(parts.max(axis=1) * FULL)], axis=1)
    return both.clip(-FULL, FULL).astype(np.int16)


def _coarser(level: Pairs) -> Pairs:
    edges = np.arange(0, len(level), FACTOR)
    return np.stack([np.minimum.reduceat(level[:, 0], edges), np.maximum.reduceat(level[:, 1], edges)], axis=1)
