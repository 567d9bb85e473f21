"""The picture of a sound: lowest and highest sample of each bin, computed once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.domain.voice import Clip, Recording
from core.stages.voice_dataset.sound_file import blocks, shape_of
from core.store import Store

MOST_BINS = 2_000
"""More points than a screen has columns only weigh."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Lows and highs, one pair a bin, -1 to 1; channels together."""

    lows: tuple[float, ...]
    highs: tuple[float, ...]
    seconds: float


def envelope_of(sound: Recording | Clip, *, store: Store) -> Envelope:
    """Return the envelope of a recording or a rendered clip, from the cache where it was drawn before."""
    cached = store.workspace / "cache" / "waveforms" / f"{sound.sha256}.npy"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        draft = cached.with_suffix(".draft")
        with draft.open("wb") as file:
            np.save(file, envelope(store.files.path(sound.sha256), sound.id))
        draft.replace(cached)
    pairs = np.load(cached)
    seconds = sound.seconds if isinstance(sound, Recording) else sound.end - sound.start
    return Envelope(tuple(pairs[0].tolist()), tuple(pairs[1].tolist()), seconds)


def envelope(path: Path, name: str, *, bins: int = MOST_BINS) -> npt.NDArray[np.float32]:
    """Return lows and highs (2 by at most `bins`), reading the file once in blocks."""
    frames = shape_of(path, name).frames
    width = max(-(-frames // bins), 1)  # frames a bin, rounded up
    count = -(-frames // width)
    lows = np.full(count, np.inf, dtype=np.float32)
    highs = np.full(count, -np.inf, dtype=np.float32)
    position = 0
    for block in blocks(path, name):
        places = (np.arange(position, position + len(block)) // width).clip(max=count - 1)
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        touched = places[starts]
        lows[touched] = np.minimum(lows[touched], np.minimum.reduceat(block.min(axis=1), starts))
        highs[touched] = np.maximum(highs[touched], np.maximum.reduceat(block.max(axis=1), starts))
        position += len(block)
    silent = ~np.isfinite(lows)  # a file that is shorter than its header says
    lows[silent], highs[silent] = 0, 0
    return np.stack([lows, highs]).round(4).astype(np.float32)
