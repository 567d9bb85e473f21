"""Pieces of a text that a language model is asked about: whole paragraphs of one chapter, overlapping."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from core.domain.text import Passage, PassageKind

_BETWEEN = "\n"
_MOST_REPEATED = 3
"""A piece repeats at most one part in so many."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive paragraphs of one chapter."""

    passages: tuple[Passage, ...]
    places: frozenset[str] = frozenset()
    """The ids of the lines it is asked about; empty for all that are in it."""

    @property
    def subject(self) -> str:
        """The id of its first passage: where a person looks to see what was asked."""
        return self.passages[0].id

    @property
    def text(self) -> str:
        """What the model reads: the paragraphs as they stand, one a line."""
        return _BETWEEN.join(passage.text for passage in self.passages)

    @property
    def begins(self) -> tuple[int, ...]:
        """Where each passage begins in the text, and last where one more would."""
        lengths = (len(passage.text) + len(_BETWEEN) for passage in self.passages)
        return tuple(accumulate(lengths, initial=0))

    def locate(self, offset: int) -> tuple[int, int]:
        """Return which of the passages an offset of the text lies in (from 0), and where in it."""
        begins = self.begins
        at = min(bisect_right(begins, offset), len(self.passages)) - 1
        return at, offset - begins[at]


def chunks(passages: Iterable[Passage], *, size: int, overlap: int) -> Iterator[Chunk]:
    """Yield pieces of at most `size` characters, cut at paragraph ends and never across chapters.

    Each begins with the last `overlap` paragraphs of the one before it, fewer where they are long: repeated is no more
    than a third of a piece, since it is paid for twice. A paragraph longer than `size` is not cut.
    """
    for chapter in _chapters(passages):
        begin = end = 0
        while end < len(chapter):
            end = max(_fitting(chapter, begin, size), end + 1)
            yield Chunk(chapter[begin:end])
            begin = max(end - overlap, 0)
            while _length(chapter[begin:end]) * _MOST_REPEATED > size:
                begin += 1


def chunks_around(
    passages: Iterable[Passage], places: Iterable[str], *, before: int, after: int, size: int
) -> Iterator[Chunk]:
    """Yield pieces around certain lines (ids), each with the paragraphs before and after it.

    Lines near each other share a piece as long as that stays within `size` characters.
    """
    asked: dict[str, set[str]] = {}
    for place in places:
        asked.setdefault(place.rpartition(".")[0], set()).add(place)
    for chapter in _chapters(passages):
        windows: list[tuple[int, int, set[str]]] = []
        for at, passage in enumerate(chapter):
            if passage.id not in asked:
                continue
            begin, end = max(at - before, 0), min(at + after + 1, len(chapter))
            last = windows[-1] if windows else None
            if last and begin <= last[1] and _length(chapter[last[0] : end]) <= size:
                windows[-1] = (last[0], end, last[2] | asked[passage.id])
            else:
                windows.append((begin, end, asked[passage.id]))
        yield from (Chunk(chapter[begin:end], frozenset(wanted)) for begin, end, wanted in windows)


def _chapters(passages: Iterable[Passage]) -> Iterator[tuple[Passage, ...]]:
    for _, group in groupby(passages, key=lambda passage: passage.chapter):
        yield tuple(passage for passage in group if passage.kind is PassageKind.PARAGRAPH)


def _fitting(chapter: Sequence[Passage], begin: int, size: int) -> int:
    """Return the end of the longest piece from `begin` that fits."""
    end, length = begin, 0
    while end < len(chapter) and length + len(chapter[end].text) <= size:
        length += len(chapter[end].text) + len(_BETWEEN)
        end += 1
    return end


def _length(passages: Sequence[Passage]) -> int:
    return sum(len(passage.text) + len(_BETWEEN) for passage in passages)
