"""Which of the proposed pairs are duplicates: all are measured in a few calls, the likely ones compared in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Indel

from core.stages.dataset.near_duplicates.candidates import Indices
from core.stages.dataset.near_duplicates.meaning import Cast
from core.stages.dataset.near_duplicates.measure import containable, needed_likeness, of_ordered
from core.stages.dataset.near_duplicates.records import Settings

_ROUNDING = 1e-5
"""Likeness is measured in single precision."""


class Pairs:
    """Texts to be compared by position, each the spelt words of a line."""

    def __init__(self, texts: Sequence[str], cast: Cast, settings: Settings) -> None:
        self.texts, self._cast, self._settings = texts, cast, settings
        self._table = np.array(texts, dtype=object)
        self._lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        longest = range(int(self._lengths.max(initial=0)) + 1)
        self._needed = np.array([needed_likeness(length, settings) for length in longest])
        self._room = np.array([_longest_whole(length, settings) for length in longest])

    def alike(self, proposed: Iterable[tuple[Indices, Indices]]) -> Iterator[tuple[int, int]]:
        """Yield those of the proposed pairs that are duplicates."""
        for first, second in proposed:
            for one, other in self._likely(first, second):
                shorter, longer = sorted((self.texts[one], self.texts[other]), key=lambda words: (len(words), words))
                if of_ordered(shorter, longer, (shorter, longer), self._cast, self._settings).duplicate:
                    yield one, other

    def alike_to(self, best: int, others: Sequence[int]) -> set[int]:
        """Return which of the others are duplicates of one text."""
        second = np.array(others, dtype=np.int64)
        return {other for _, other in self.alike([(np.full_like(second, best), second)])}

    def _likely(self, first: Indices, second: Indices) -> Iterator[tuple[int, int]]:
        """Yield the pairs alike enough, or with the one possibly at an end of the other."""
        short = np.minimum(self._lengths[first], self._lengths[second])
        both = self._lengths[first] + self._lengths[second]
        within = both - short <= self._room[short]
        most = 2 * short / both
        possible = (most >= self._needed[short]) | within
        first, second, short, within, most = (part[possible] for part in (first, second, short, within, most))
        least = np.where(within, np.minimum(most, self._needed[short]), self._needed[short])
        likeness = self._measured(first, second, float(least.min(initial=1.0)))
        kept = (likeness >= self._needed[short] - _ROUNDING) | (within & (likeness >= most - _ROUNDING))
        yield from zip(first[kept].tolist(), second[kept].tolist(), strict=True)

    def _measured(self, first: Indices, second: Indices, least: float) -> NDArray[np.float32]:
        ours, theirs = self._table[first].tolist(), self._table[second].tolist()
        cutoff = max(least - _ROUNDING, 0.0)
        return process.cpdist(
            ours, theirs, scorer=Indel.normalized_similarity, score_cutoff=cutoff, dtype=np.float32, workers=1
        )


def _longest_whole(short: int, settings: Settings) -> int:
    """Return the length of the longest line that may be one of `short` characters and more; 0 where none may."""
    longest = 0
    while containable(short, longest + 1, settings):
        longest += 1
    return longest
