"""The lines of a book as letters, and which of them share runs of letters with some words.

Letters are what is compared everywhere in this room: folded (traditional as simplified characters), no marks, no
white space. The index holds every pair of neighbouring letters; rare pairs count more (inverse document frequency).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.domain.normalising import folded
from core.domain.text import Utterance, UtteranceKind

_PROPOSED = 10
"""Lines proposed for some words."""
_SAME = 60
"""Lines of the very same words that are proposed besides."""
_LEAST = 0.22
"""Share of the words' own weight that a line must have in common with them."""
_UNSAID = (UtteranceKind.FRAGMENT, UtteranceKind.NONSPEECH)


def letters(text: str) -> str:
    """Return what of a text is compared."""
    return "".join(filter(str.isalnum, folded(text))).lower()


class LineIndex:
    """Lines in the order of the book, found by the letters they share with other words."""

    def __init__(self, lines: Iterable[Utterance]) -> None:
        self.lines: Sequence[Utterance] = [line for line in lines if line.kind not in _UNSAID]
        # Folded in one go, which is a hundred times faster than line by line.
        whole = folded("\n".join(line.text.replace("\n", " ") for line in self.lines)).lower()
        self.letters = ["".join(filter(str.isalnum, one)) for one in whole.split("\n")] if self.lines else []

    def proposed(self, words: str) -> list[int]:
        """Return positions of lines that may be these words (letters), in no particular order."""
        found = self._same.get(words, [])[:_SAME]
        codes = np.unique(_pairs(words))
        if not len(self._codes) or not len(codes):
            return found
        places = np.searchsorted(self._codes, codes).clip(max=len(self._codes) - 1)
        places = places[self._codes[places] == codes]
        if not len(places):
            return found
        where = np.concatenate([self._postings[self._starts[at] : self._starts[at + 1]] for at in places])
        weights = np.repeat(self._weights[places], self._starts[places + 1] - self._starts[places])
        shared = np.bincount(where, weights, minlength=len(self.lines))
        best = np.argpartition(shared, -min(_PROPOSED, len(shared)))[-_PROPOSED:]
        # A pair no line has counts as the rarest: words that are nowhere in the book find nothing.
        least = _LEAST * (self._weights[places].sum() + (len(codes) - len(places)) * self._rarest)
        return list(dict.fromkeys([*found, *(int(at) for at in best if shared[at] >= least)]))

    @cached_property
    def _same(self) -> Mapping[str, list[int]]:
        same: dict[str, list[int]] = {}
        for place, words in enumerate(self.letters):
            same.setdefault(words, []).append(place)
        return same

    @cached_property
    def _tables(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Distinct pairs, sorted; where each pair's lines begin in the third, and one more; the lines."""
        sizes = [len(words) for words in self.letters]
        codes = _pairs("".join(self.letters))
        line = np.repeat(np.arange(len(sizes)), sizes)
        within = line[:-1] == line[1:]
        both = np.unique(np.stack([codes[within], line[:-1][within]], axis=1), axis=0)
        distinct, starts = np.unique(both[:, 0], return_index=True)
        return distinct, np.append(starts, len(both)), both[:, 1]

    @property
    def _codes(self) -> npt.NDArray[np.int64]:
        return self._tables[0]

    @property
    def _starts(self) -> npt.NDArray[np.int64]:
        return self._tables[1]

    @property
    def _postings(self) -> npt.NDArray[np.int64]:
        return self._tables[2]

    @cached_property
    def _weights(self) -> npt.NDArray[np.float64]:
        return np.log((len(self.lines) + 1) / np.diff(self._starts))

    @cached_property
    def _rarest(self) -> float:
        return float(np.log(len(self.lines) + 1))


def _pairs(words: str) -> npt.NDArray[np.int64]:
    codes = np.frombuffer(words.encode("utf-32-le"), np.uint32).astype(np.int64)
    return (codes[:-1] << 21) | codes[1:]
