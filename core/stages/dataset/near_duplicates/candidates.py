"""Which lines may say the same: those that share a run of characters that few others have.

An inverted index over character runs of 2 to 6, in whole arrays. At each place the shortest run counts that at
most `RARE` lines share; of neighbouring places the rarest is kept, so that two lines with a stretch in common
choose the same run in it wherever that stretch stands: truncated and merged lines are found as well as altered
ones, which a sketch of the whole line (MinHash) is not made for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]

RARE = 8
"""Runs shared by at most so many lines pair them all; in larger groups only neighbours are paired."""
NEIGHBOURS = 3
LONGEST = 6
"""Characters of the longest run."""
WINDOW = 6
"""Of so many neighbouring places one is kept."""
FEW = 300
"""Up to so many texts every pair is compared."""
SHORT = 16
"""Lines up to this many characters keep every place."""
_MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))
_SPARE = 1
"""Counts are kept in 2 to this power times as many buckets as there are characters."""
_PER_BLOCK = 4_000_000
"""Pairs handed out at once, which bounds the memory taken."""


def candidates(texts: Sequence[str]) -> Iterator[tuple[Indices, Indices]]:
    """Yield blocks of pairs of positions (first < second), no pair twice; `texts` are distinct and sorted."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    if len(texts) <= FEW:
        first, second = np.triu_indices(len(texts), 1)
        yield first.astype(np.int64), second.astype(np.int64)
        return
    keys, lines = _keys(texts, lengths)
    pairs = _pairs(keys, lines)
    for begin in range(0, len(pairs), _PER_BLOCK):
        block = pairs[begin : begin + _PER_BLOCK]
        yield (block >> np.uint64(32)).astype(np.int64), (block & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _keys(texts: Sequence[str], lengths: Indices) -> tuple[Hashes, NDArray[np.uint32]]:
    """Return the chosen runs, hashed and in order, with the line each stands in."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    lines = np.repeat(np.arange(len(texts), dtype=np.uint32), lengths)
    ends = np.cumsum(lengths)
    left = (np.repeat(ends, lengths) - np.arange(len(codes))).clip(max=LONGEST + 1).astype(np.uint8)
    chosen, shared = _runs(codes, left)
    kept = _rarest(chosen, shared, lines) | (np.repeat(lengths, lengths) <= SHORT)
    kept &= shared > 1
    keys, lines = chosen[kept], lines[kept]
    order = np.argsort(keys, kind="stable")
    return keys[order], lines[order]


def _runs(codes: NDArray[np.uint32], left: NDArray[np.uint8]) -> tuple[Hashes, NDArray[np.int32]]:
    """Return for each place the hash of the run that counts and how many places share it; 1 where none does."""
    hashes = _mixed(codes.astype(np.uint64), np.uint64(1))
    chosen = np.zeros(len(codes), np.uint64)
    shared = np.ones(len(codes), np.int32)
    open_ = np.ones(len(codes), np.bool_)
    bits = min(28, max(10, len(codes).bit_length() + _SPARE))
    for size in range(2, LONGEST + 1):
        open_ &= left >= size
        places = np.flatnonzero(open_)
        if not len(places):
            break
        hashes[places] = _mixed(hashes[places] * _MIXERS[0] + codes[places + size - 1], np.uint64(size))
        found = hashes[places]
        buckets = (found >> np.uint64(64 - bits)).astype(np.int64)
        count = np.bincount(buckets, minlength=1 << bits).astype(np.int32)[buckets]
        chosen[places] = found
        shared[places] = count
        open_[places] = count > RARE
    return chosen, shared


def _mixed(values: Hashes, salt: np.uint64) -> Hashes:
    values = (values + salt) * _MIXERS[1]
    values ^= values >> np.uint64(29)
    values *= _MIXERS[0]
    values ^= values >> np.uint64(32)
    return values


def _rarest(chosen: Hashes, shared: NDArray[np.int32], lines: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Mark the places that are the rarest of some window of their line; those nobody shares are never it."""
    worth = np.where(shared > 1, shared, np.int32(1 << 20)).astype(np.uint64) << np.uint64(40)
    worth |= chosen >> np.uint64(24)
    lowest = worth.copy()
    for step in range(1, WINDOW):
        same = lines[step:] == lines[:-step]
        lowest[:-step] = np.where(same, np.minimum(lowest[:-step], worth[step:]), lowest[:-step])
    marked = np.zeros(len(chosen), np.bool_)
    for step in range(WINDOW):
        best = worth[step:] == lowest[: len(lowest) - step]
        marked[step:] |= best & (lines[step:] == lines[: len(lines) - step])
    return marked


def _pairs(keys: Hashes, lines: NDArray[np.uint32]) -> Hashes:
    """Return each pair of lines once, as `first << 32 | second`."""
    sizes = np.diff(np.flatnonzero(np.r_[True, keys[1:] != keys[:-1], True])) if len(keys) else np.zeros(0, np.int64)
    crowded = np.repeat(sizes > RARE, sizes)
    found: list[Hashes] = []
    for step in range(1, RARE):
        same = keys[step:] == keys[:-step]
        if step > NEIGHBOURS:
            same &= ~crowded[step:]
        same &= lines[step:] != lines[:-step]
        first, second = lines[:-step][same].astype(np.uint64), lines[step:][same].astype(np.uint64)
        found.append(_distinct(np.minimum(first, second) << np.uint64(32) | np.maximum(first, second)))
    return _distinct(np.concatenate(found))


def _distinct(values: Hashes) -> Hashes:
    """Return the values in order, each once; numpy's own `unique` hashes, which takes five times as long here."""
    values.sort()
    first = np.ones(len(values), np.bool_)
    first[1:] = values[1:] != values[:-1]
    distinct: Hashes = values[first]
    return distinct
