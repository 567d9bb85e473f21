"""The picture of a sound, drawn from a pyramid that is computed once and kept.

Whatever is looked at, a page gets about as many bins as its screen has columns, and no samples.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.domain.voice import Clip, Recording
from core.stages.voice_dataset.sound.pyramid import FACTOR, FINEST, FULL, Painter, Pairs, level_sizes
from core.stages.voice_dataset.sound.sound_file import Samples, blocks, mono, shape_of, stretch_of
from core.store import Store

MOST_BINS = 2_000
"""More points than a screen has columns only weigh."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Lows and highs, one pair a bin, -1 to 1."""

    lows: tuple[float, ...]
    highs: tuple[float, ...]
    seconds: float
    """How long the stretch is that they show."""
    start: float = 0.0
    """Where it begins in its sound, in seconds."""


def envelope_of(sound: Recording | Clip, *, store: Store, bins: int = MOST_BINS) -> Envelope:
    """Return the envelope of a whole recording or rendered clip, from the cache where it was drawn before."""
    if isinstance(sound, Recording):
        return window_of(sound, 0, sound.seconds, bins=bins, store=store)
    path = store.files.path(sound.sha256)
    seconds = sound.seconds or sound.end - sound.start
    cached = cached_waveform(store, sound.sha256)
    frames = shape_of(path, sound.id).frames if path.exists() else round(seconds * 32_000)
    return _window(_Drawn(path, sound.id, cached, frames), 0, frames, bins, 0.0, seconds)


def window_of(recording: Recording, start: float, end: float, *, bins: int = MOST_BINS, store: Store) -> Envelope:
    """Return the envelope of a stretch (seconds), of at most so many bins; a few milliseconds for any of two hours."""
    rate, frames = recording.sample_rate, round(recording.seconds * recording.sample_rate)
    start, end = max(start, 0.0), min(end, recording.seconds)
    path = store.files.path(recording.sound)
    first, last = min(round(start * rate), frames), min(round(end * rate), frames)
    drawn = _Drawn(path, recording.name, cached_waveform(store, recording.sound), frames)
    return _window(drawn, first, last, bins, start, max(end - start, 0.0))


def cached_waveform(store: Store, sha256: str) -> Path:
    """Return where the pyramid of that sound is kept."""
    return store.workspace / "cache" / "waveforms" / f"{sha256}.pyramid.npy"


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A sound and where its pyramid lies."""

    path: Path
    name: str
    cached: Path
    frames: int

    def levels(self) -> Iterator[tuple[int, Pairs]]:
        """Yield the levels, finest first, each with the frames of a bin; drawn anew when the file does not fit."""
        sizes = level_sizes(self.frames)
        pyramid = self._mapped()
        if pyramid is None or len(pyramid) != sum(sizes):
            paint(self.path, self.name, self.cached)
            pyramid = np.load(self.cached, mmap_mode="r")
        at = 0
        for step, size in enumerate(sizes):
            yield FINEST * FACTOR**step, pyramid[at : at + size]
            at += size

    def _mapped(self) -> Pairs | None:
        try:
            pyramid: Pairs = np.load(self.cached, mmap_mode="r")
        except (FileNotFoundError, EOFError, ValueError):
            return None
        return pyramid


def paint(path: Path, name: str, cached: Path) -> None:
    """Read a sound and keep its pyramid there."""
    painter = Painter()
    for block in blocks(path, name):
        painter.add(mono(block))
    cached.parent.mkdir(parents=True, exist_ok=True)
    draft = cached.with_suffix(f".{secrets.token_hex(4)}")
    painter.save(draft)
    draft.replace(cached)


def _window(drawn: _Drawn, first: int, last: int, bins: int, start: float, seconds: float) -> Envelope:
    if last <= first or bins < 1:
        return Envelope((), (), 0.0, start)
    wanted = (last - first) / bins  # frames a bin
    if wanted * 2 < FINEST:
        lows, highs = _from_samples(drawn, first, last, bins)
    else:
        width, level = [one for one in drawn.levels() if one[0] <= max(wanted, FINEST)][-1]
        part = level[first // width : -(-last // width)].astype(np.float32) / FULL
        edges = _edges(len(part), bins)
        lows, highs = np.minimum.reduceat(part[:, 0], edges), np.maximum.reduceat(part[:, 1], edges)
    return Envelope(tuple(np.round(lows, 4).tolist()), tuple(np.round(highs, 4).tolist()), seconds, start)


def _from_samples(drawn: _Drawn, first: int, last: int, bins: int) -> tuple[Samples, Samples]:
    samples = stretch_of(drawn.path, drawn.name, first, last - first)
    if not len(samples):
        return samples, samples
    edges = _edges(len(samples), bins)
    return np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)


def _edges(count: int, bins: int) -> npt.NDArray[np.int64]:
    """Return where each of at most so many nearly equal parts begins."""
    parts = min(bins, count)
    return np.arange(parts, dtype=np.int64) * count // parts
