"""Plans cuts on silence: from the profile of a recording to stretches, none longer than the maximum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from core.domain.section import Section
from core.stages.voice_dataset.sound.activity import HOP_MS, Floats, Profile, active, runs
from core.translation import N_

_CLICK = 4
"""Hops; what is shorter is a click, no word."""
_HIDDEN = 5
"""Hops a voice begins before and ends after it is heard in noise, which hides its weak first and last consonants."""
_CLEAR = 25.0
"""Decibels over the noise at which a voice hides nothing."""
_QUIET_PLACE = 15
"""Hops over which a place is as quiet as it is: 150 ms."""


Places = npt.NDArray[np.int64]


class Silence(Section):
    """How a recording is cut on its silences; seconds, unless said otherwise."""

    quiet_db: float | None = Field(
        default=None, ge=-100, le=0, description="Quieter than this many dB of full scale is silence; empty to find it."
    )
    min_silence: float = Field(default=0.3, ge=0.02, le=5, description="Shorter silences lie within a sentence.")
    shortest: float = Field(default=0.3, ge=0.05, le=10, description="Shorter pieces are left out.")
    longest: float = Field(default=12, ge=1, le=300, description="No piece is longer: it is cut where it is quietest.")
    padding: float = Field(default=0.1, ge=0, le=2, description="Silence kept before and after, never a neighbour's.")
    join_below: float = Field(default=1.5, ge=0, le=60, description="Shorter pieces are joined with a near neighbour.")
    join_across: float = Field(default=0.8, ge=0, le=10, description="Longest silence that pieces are joined across.")

    @model_validator(mode="after")
    def _ordered(self) -> Silence:
        if 2 * self.shortest > self.longest:
            raise ValueError(N_("The longest piece must be at least twice the shortest."))
        return self


@dataclass(frozen=True, slots=True)
class Stretch:
    """From where to where a piece goes, in seconds into the recording."""

    start: float
    end: float


def cuts(profile: Profile, silence: Silence) -> list[Stretch]:
    """Return the pieces in order, none overlapping, none longer than `longest`, padding included.

    Pure, and quick enough to be asked at every move of a slider: some tens of milliseconds for two hours.
    """
    pieces = _long_enough(_joined(_spoken(profile, silence), silence), silence)
    short = [part for piece in pieces for part in _shortened(piece, profile, silence)]
    return _padded(short, silence, int(profile.seconds * 1000 + 1e-6))


def _spoken(profile: Profile, silence: Silence) -> list[tuple[int, int]]:
    """Return the hops in which somebody speaks, from and to, short silences closed and clicks left out."""
    heard = active(profile, silence.quiet_db)
    begins, ends = runs(heard)
    words = ends - begins >= _CLICK
    begins, ends = begins[words], ends[words]
    if not len(begins):
        return []
    apart = begins[1:] - ends[:-1] >= _hops(silence.min_silence)
    firsts = begins[np.concatenate([[True], apart])]
    lasts = ends[np.concatenate([apart, [True]])]
    if silence.quiet_db is None and np.quantile(profile.rise[heard], 0.9) < _CLEAR:
        firsts, lasts = _wider(firsts, lasts, len(profile.level))
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _wider(firsts: Places, lasts: Places, hops: int) -> tuple[Places, Places]:
    """Return the pieces with what noise hides at their ends, as far as half of the silence between two of them."""
    gaps = np.concatenate([firsts, [hops + 1]]) - np.concatenate([[-1], lasts])
    half = (gaps - 1) // 2
    return firsts - np.minimum(_HIDDEN, half[:-1]), lasts + np.minimum(_HIDDEN, half[1:])


def _joined(pieces: Sequence[tuple[int, int]], silence: Silence) -> list[tuple[int, int]]:
    """Join pieces while one of two neighbours is short, the silence between them too, and both fit together."""
    small, reach, longest = _hops(silence.join_below), _hops(silence.join_across), _hops(silence.longest)
    joined: list[tuple[int, int]] = []
    for start, end in pieces:
        if joined:
            first, last = joined[-1]
            near = start - last <= reach and end - first <= longest
            if near and min(end - start, last - first) < small:
                joined[-1] = (first, end)
                continue
        joined.append((start, end))
    return joined


def _long_enough(pieces: Sequence[tuple[int, int]], silence: Silence) -> list[tuple[int, int]]:
    return [(start, end) for start, end in pieces if end - start >= silence.shortest * 1000 / HOP_MS]


def _shortened(piece: tuple[int, int], profile: Profile, silence: Silence) -> Iterator[tuple[int, int]]:
    """Cut a piece that is too long where it is quietest; the parts abut, and none is too short."""
    start, end = piece
    longest, shortest = _hops(silence.longest), -int(-silence.shortest * 1000 // HOP_MS)
    if end - start <= longest:
        yield piece
        return
    quiet = _quietness(profile.level[start:end])
    at = start
    while end - at > longest:
        first = max(at + max(shortest, longest // 2), at + 1)
        last = min(at + longest, end - shortest)
        cut = first + int(np.argmin(quiet[first - start : last - start + 1]))
        yield at, cut
        at = cut
    yield at, end


def _quietness(level: Floats) -> Floats:
    """Return the loudness around every hop, so that the middle of a pause is its quietest place."""
    bell = np.hanning(_QUIET_PLACE + 2)[1:-1]
    padded = np.pad(np.maximum(level, -90), _QUIET_PLACE // 2, mode="edge")
    around: Floats = np.convolve(padded, bell / bell.sum(), mode="valid").astype(np.float32)
    return around


def _padded(pieces: Sequence[tuple[int, int]], silence: Silence, total: int) -> list[Stretch]:
    """Return the pieces in seconds, with air around: at most half of a silence, never past the maximum."""
    room, longest = int(silence.padding * 1000), int(silence.longest * 1000 + 1e-6)
    edges = [(start * HOP_MS, min(end * HOP_MS, total)) for start, end in pieces]
    padded = []
    for place, (start, end) in enumerate(edges):
        before = start if place == 0 else (start - edges[place - 1][1]) // 2
        after = total - end if place == len(edges) - 1 else (edges[place + 1][0] - end) // 2
        spare = longest - (end - start)
        left = min(room, before, max(spare // 2, spare - min(room, after)))
        padded.append(Stretch((start - left) / 1000, (end + min(room, after, spare - left)) / 1000))
    return padded


def _hops(seconds: float) -> int:
    return int(seconds * 1000 / HOP_MS + 1e-6)
