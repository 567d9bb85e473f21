"""Where somebody speaks: how far each hundredth of a second stands out of the noise around it.

Twelve bands are weighed by their own noise, so that a hum or a hiss in some of them does not hide a voice in the
others; the noise of a band is what its quiet tenth measures nearby (after the minimum statistics of Martin, 2001).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.stages.voice_dataset.sound.sound_file import Samples

HOP_MS = 10
"""Milliseconds a hop."""
RISING = 2.0
"""Decibels over the noise at which a voice is heard."""
STAYING = 0.5
"""Decibels over the noise down to which it still goes on."""

_BANDS = 12
_LOWEST, _HIGHEST = 100.0, 7_600.0
"""Hertz; below is hum, above is hiss."""
_RATE = 16_000
"""Faster sound is thinned out to this rate or a little more."""
_BLOCK = 1_000
"""Hops whose quiet tenth is the noise: ten seconds."""
_NEAR = 2
"""Blocks to either side that are asked as well; speech seldom goes on for so long without a breath."""
_QUIET = 0.1
_RANGE = 1e-5
"""Nothing this far below the loudest (as power) is told from silence."""
_SILENCE = 1e-8
"""Power below which there is nothing to hear: -80 dB of full scale."""
_SMOOTH = np.array([1, 2, 3, 2, 1], np.float32) / 9

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Profile:
    """One pair of numbers for every hop of ten milliseconds."""

    level: Floats
    """Root mean square up to 8 kHz, in dB of full scale."""
    rise: Floats
    """Decibels over the noise; about 0 where there is nothing but noise."""
    seconds: float

    def save(self, path: Path) -> None:
        """Keep it as hundredths of a decibel in 16 bits."""
        with path.open("wb") as file:
            np.save(file, np.rint(np.stack([self.level, self.rise]) * 100).clip(-32_768, 32_767).astype(np.int16))

    @classmethod
    def load(cls, path: Path, seconds: float) -> Profile:
        """Return what `save` kept."""
        level, rise = np.load(path, allow_pickle=False).astype(np.float32) / 100
        return cls(level, rise, seconds)


class Listener:
    """Makes the profile of a sound that comes in pieces; holds its twelve bands, not the sound."""

    def __init__(self, sample_rate: int) -> None:
        self._thinning = max(sample_rate // _RATE, 1)
        self._sample_rate = sample_rate
        self._rate = sample_rate / self._thinning
        self._hop = self._rate * HOP_MS / 1000
        self._size = max(1 << int(np.ceil(np.log2(0.02 * self._rate))), 64)
        self._window = np.hanning(self._size + 2)[1:-1].astype(np.float32)
        self._scale = np.float32(2 / (self._size * float(np.square(self._window).sum())))
        self._bands = _bands(self._size, self._rate)
        self._rest = np.zeros(0, np.float32)
        self._waiting = np.zeros(self._size // 2, np.float32)
        self._waiting_from = -(self._size // 2)
        self._hops = 0
        self._frames = 0
        self._energies: list[Floats] = []

    def add(self, samples: Samples) -> None:
        """Take the next samples of one channel."""
        self._frames += len(samples)
        joined = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(joined) // self._thinning * self._thinning
        self._rest = joined[whole:].copy()
        self._hear(_thinned(joined[:whole], self._thinning))

    def profile(self) -> Profile:
        """Return the profile of all that was added."""
        hops = -(-self._frames * 1000 // (self._sample_rate * HOP_MS))
        missing = round((hops + 1) * self._hop) + self._size - (self._waiting_from + len(self._waiting))
        self._hear(np.zeros(max(missing, 0), np.float32))
        powers = np.concatenate([*self._energies, np.zeros((0, _BANDS), np.float32)])[:hops]
        level = 10 * np.log10(np.maximum(powers.sum(axis=1), 1e-12))
        return Profile(level, _rise(powers, _bias(self._size, round(self._rate))), self._frames / self._sample_rate)

    def _hear(self, samples: Samples) -> None:
        self._waiting = np.concatenate([self._waiting, samples])
        fitting = (self._waiting_from + len(self._waiting) - self._size / 2) / self._hop - 0.5
        hops = np.arange(self._hops, int(fitting))
        if not len(hops):
            return
        starts = np.rint((hops + 0.5) * self._hop).astype(np.int64) - self._size // 2 - self._waiting_from
        self._energies.extend(self._powers(starts[at : at + 128]) for at in range(0, len(starts), 128))
        done = int(starts[-1])
        self._waiting, self._waiting_from = self._waiting[done:].copy(), self._waiting_from + done
        self._hops = int(hops[-1]) + 1

    def _powers(self, starts: npt.NDArray[np.int64]) -> Floats:
        # Here because it imports for a while; numpy's own works in double precision.
        from scipy import fft  # type: ignore[import-untyped]  # ships no types

        frames = np.lib.stride_tricks.sliding_window_view(self._waiting, self._size)[starts] * self._window
        spectra = fft.rfft(frames, axis=1)
        powers: Floats = (np.square(spectra.real) + np.square(spectra.imag)) @ self._bands
        return powers * self._scale


def profile_of(samples: Samples | Iterable[Samples], sample_rate: int) -> Profile:
    """Return the profile of a sound of one channel, whole or in pieces."""
    listener = Listener(sample_rate)
    for piece in (samples,) if isinstance(samples, np.ndarray) else samples:
        listener.add(piece)
    return listener.profile()


def active(profile: Profile, quiet_db: float | None = None) -> npt.NDArray[np.bool_]:
    """Return for every hop whether somebody speaks: over the noise, or louder than `quiet_db` where that is given."""
    if quiet_db is not None:
        loud: npt.NDArray[np.bool_] = profile.level > quiet_db
        return loud
    heard = profile.rise > STAYING
    begins, ends = runs(heard)
    sure = np.concatenate([[0], np.cumsum(profile.rise > RISING)])
    found = sure[ends] > sure[begins]  # a murmur that never rises is none
    marks = np.zeros(len(heard) + 1, np.int32)
    np.add.at(marks, begins[found], 1)
    np.add.at(marks, ends[found], -1)
    return np.cumsum(marks[:-1]) > 0


def runs(flags: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where stretches of True begin, and where they have ended."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _rise(powers: Floats, bias: Floats) -> Floats:
    """Return the mean over the bands of their power by that of their noise, in decibels."""
    if not len(powers):
        return np.zeros(0, np.float32)
    smooth = _smoothed(powers)
    totals = smooth.sum(axis=1)
    least = max(float(np.quantile(totals, 0.99)) * _RANGE, _SILENCE) / _BANDS
    floors = np.maximum(_floors(smooth) * bias, least)
    ratio = np.zeros(len(powers), np.float32)
    blocks = (np.arange(len(powers)) + 0.5) / _BLOCK - 0.5
    places = np.arange(len(floors))
    for band in range(_BANDS):
        ratio += smooth[:, band] / np.exp(np.interp(blocks, places, np.log(floors[:, band]))).astype(np.float32)
    rise: Floats = 10 * np.log10(np.maximum(ratio / _BANDS, 1e-3))
    return rise


def _floors(smooth: Floats) -> Floats:
    """Return for every block and band the power of its quiet tenth, or that of a quieter neighbour."""
    count = max(round(len(smooth) / _BLOCK), 1)
    quiet = np.stack([np.quantile(part, _QUIET, axis=0) for part in np.array_split(smooth, count)]).astype(np.float32)
    around = [np.roll(quiet, shift, axis=0) for shift in range(-_NEAR, _NEAR + 1)]
    for shift, rolled in zip(range(-_NEAR, _NEAR + 1), around, strict=True):
        if shift:
            rolled[slice(None, shift) if shift > 0 else slice(shift, None)] = np.inf
    lowest: Floats = np.minimum.reduce(around)
    return lowest


def _smoothed(powers: Floats) -> Floats:
    padded = np.pad(powers, ((2, 2), (0, 0)), mode="edge")
    smooth: Floats = np.zeros_like(powers)
    for at, weight in enumerate(_SMOOTH):
        smooth += weight * padded[at : at + len(powers)]
    return smooth


def _thinned(samples: Samples, by: int) -> Samples:
    """Return the means of every so many samples: a crude low-pass, enough to tell loud from quiet."""
    if by == 1:
        return samples
    thin = samples[::by].copy()
    for at in range(1, by):
        thin += samples[at::by]
    return thin / np.float32(by)


@lru_cache
def _bands(size: int, rate: float) -> Floats:
    """Return which bins of a spectrum make up which band, equally wide in mel."""
    bins = np.fft.rfftfreq(size, 1 / rate)
    top = min(_HIGHEST, 0.95 * rate / 2)
    lowest, highest = 2595 * np.log10(1 + _LOWEST / 700), 2595 * np.log10(1 + top / 700)
    edges = 700 * (10 ** (np.linspace(lowest, highest, _BANDS + 1) / 2595) - 1)
    band = np.searchsorted(edges, bins, side="right") - 1
    matrix: Floats = (band[:, None] == np.arange(_BANDS)).astype(np.float32)
    return matrix


@lru_cache
def _bias(size: int, rate: int) -> Floats:
    """Return how far the mean power of steady noise lies over its quiet tenth, measured on white noise."""
    listener = Listener(rate)
    hiss = np.random.default_rng(0).standard_normal(20 * rate).astype(np.float32)
    listener._hear(hiss)
    smooth = _smoothed(np.concatenate(listener._energies))[10:]
    bias: Floats = (smooth.mean(axis=0) / np.quantile(smooth, _QUIET, axis=0)).astype(np.float32)
    return bias
