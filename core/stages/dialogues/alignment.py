"""Finds where in the book the lines of an answer stand: word for word, nearly, or not at all.

Compared are letters only, folded: no marks, no white space, traditional characters as simplified ones. What is
kept are the book's own words. Lines come in the order of the text, which tells short ones that recur apart.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from rapidfuzz import fuzz

from core.domain.normalising import folded

_SHORT = 6
"""Lines up to here (letters) are looked for as whole quotations first: they stand in many others."""
_BARE = 4
"""Shorter lines without quotation marks are taken for chance."""
_MOST_PLACES = 12
"""Places of one line that are weighed against each other."""
_LETTERS_THAT_TELL = 30
"""From this length on a longer line is no better an anchor."""


class Match(StrEnum):
    """How a line was found."""

    VERBATIM = "verbatim"
    REPAIRED = "repaired"
    NOT_FOUND = "not-found"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, in characters."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Aligned:
    """Where one line of an answer stands."""

    match: Match
    similarity: float
    """0 to 1; 1 is word for word."""
    quotes: tuple[int, ...] = ()
    """The quotations it is (part of), as positions in the list given."""
    coverage: tuple[float, ...] = ()
    """Which share of each quotation it makes up."""
    bare: Span | None = None
    """Where it stands without quotation marks."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    begin: int
    end: int
    """In letters."""
    quotes: tuple[int, ...]
    similarity: float
    weight: float


def letters(text: str) -> str:
    """Return what of a text is compared."""
    return "".join(filter(str.isalnum, folded(text)))


def align(text: str, quotes: Sequence[Span], lines: Sequence[str], *, similarity: float) -> list[Aligned]:
    """Return where each of the lines stands in the text; `quotes` are its outermost quotations, in order.

    `similarity`: from how alike on (0 to 1) a stretch counts as the line with slips in it.
    """
    view = _View(text, quotes)
    found = [_best(list(view.candidates(line, similarity))) for line in lines]
    chosen = _in_order(found)
    return [view.aligned(one) if one else Aligned(Match.NOT_FOUND, 0.0) for one in chosen]


def _best(candidates: list[_Candidate]) -> list[_Candidate]:
    return sorted(candidates, key=lambda one: (-one.weight, one.begin))[:_MOST_PLACES]


def _in_order(found: Sequence[Sequence[_Candidate]]) -> list[_Candidate | None]:
    """Choose a place for each line so that as much as possible goes on in the text; others take their best."""
    chains: list[tuple[float, _Candidate, int, int]] = []  # weight up to here, place, line, position of the one before
    for line, candidates in enumerate(found):
        fresh = []
        for candidate in candidates:
            reachable = ((chain[0], at) for at, chain in enumerate(chains) if chain[1].begin < candidate.begin)
            weight, before = max(reachable, default=(0.0, -1))
            fresh.append((weight + candidate.weight, candidate, line, before))
        chains += fresh
    chosen = [candidates[0] if candidates else None for candidates in found]
    at = max(range(len(chains)), key=lambda place: chains[place][0], default=-1)
    while at >= 0:
        _, candidate, line, at = chains[at]
        chosen[line] = candidate
    return chosen


class _View:
    """A text as letters, and where its quotations are among them."""

    def __init__(self, text: str, quotes: Sequence[Span]) -> None:
        self._folded = folded(text)
        self._at = [place for place, character in enumerate(self._folded) if character.isalnum()]
        self._letters = "".join(self._folded[place] for place in self._at)
        self._quotes = [(bisect_left(self._at, quote.start), bisect_left(self._at, quote.end)) for quote in quotes]
        self._starts = [begin for begin, _ in self._quotes]
        self._marks = [_without_space(self._folded[quote.start : quote.end]) for quote in quotes]

    def candidates(self, line: str, similarity: float) -> Iterator[_Candidate]:
        """Yield where a line may stand: word for word if anywhere, else nearly."""
        words = letters(line)
        if not words:
            yield from self._marks_only(_without_space(folded(line)))
            return
        whole = [at for at, (begin, end) in enumerate(self._quotes) if self._letters[begin:end] == words]
        yield from (self._candidate(*self._quotes[at], (at,), 1.0) for at in whole)
        if whole and len(words) <= _SHORT:
            return
        verbatim = [one for one in self._verbatim(words) if one.quotes not in [(at,) for at in whole]]
        yield from verbatim
        if not whole and not verbatim:
            yield from self._nearly(words, similarity)

    def aligned(self, candidate: _Candidate) -> Aligned:
        """Return a candidate in characters."""
        match = Match.VERBATIM if candidate.similarity == 1.0 else Match.REPAIRED
        if not candidate.quotes:
            bare = Span(self._at[candidate.begin], self._at[candidate.end - 1] + 1)
            return Aligned(match, candidate.similarity, bare=bare)
        shares = []
        for at in candidate.quotes:
            begin, end = self._quotes[at]
            shared = min(end, candidate.end) - max(begin, candidate.begin)
            shares.append(min(1.0, shared / (end - begin)) if end > begin else 1.0)
        return Aligned(match, candidate.similarity, candidate.quotes, tuple(shares))

    def _candidate(self, begin: int, end: int, quotes: tuple[int, ...], similarity: float) -> _Candidate:
        length = min(end - begin, _LETTERS_THAT_TELL) / _LETTERS_THAT_TELL
        worth = 1.0 if quotes else 0.4
        exact = 0.3 if len(quotes) == 1 and self._quotes[quotes[0]] == (begin, end) else 0.0
        return _Candidate(begin, end, quotes, similarity, (worth + exact + length) * similarity**2)

    def _verbatim(self, words: str) -> Iterator[_Candidate]:
        """Yield where the words stand: in quotations, over what interrupts one, or in the narration."""
        for begin in _occurrences(words, self._letters):
            end = begin + len(words)
            quotes = self._touched(begin, end)
            if quotes or len(words) >= _BARE:
                yield self._candidate(begin, end, quotes, 1.0)
        said, places = self._said
        for begin in _occurrences(words, said):
            first, last = places[begin], places[begin + len(words) - 1] + 1
            if last - first > len(words):  # not all in one piece, which is found above
                yield self._candidate(first, last, self._touched(first, last), 1.0)

    def _nearly(self, words: str, similarity: float) -> Iterator[_Candidate]:
        for at, (begin, end) in enumerate(self._quotes):
            alike = fuzz.ratio(words, self._letters[begin:end], score_cutoff=similarity * 100) / 100
            if alike:
                yield self._candidate(begin, end, (at,), min(alike, 0.999))
        if len(words) < _BARE:
            return
        said, places = self._said
        window = fuzz.partial_ratio_alignment(words, said, score_cutoff=similarity * 100)
        if window and window.dest_end > window.dest_start and len(said) >= len(words):
            first, last = places[window.dest_start], places[window.dest_end - 1] + 1
            yield self._candidate(first, last, self._touched(first, last), min(window.score / 100, 0.999))
        window = fuzz.partial_ratio_alignment(words, self._letters, score_cutoff=similarity * 100)
        if window and window.dest_end > window.dest_start and len(self._letters) >= len(words):
            first, last = window.dest_start, window.dest_end
            yield self._candidate(first, last, self._touched(first, last), min(window.score / 100, 0.999))

    def _marks_only(self, marks: str) -> Iterator[_Candidate]:
        """Yield the quotations that are nothing but these marks: “……”."""
        for at, quote in enumerate(self._marks):
            if marks and quote.strip('“”‘’"') == marks.strip('“”‘’"'):
                yield _Candidate(*self._quotes[at], (at,), 1.0, 0.5)

    def _touched(self, begin: int, end: int) -> tuple[int, ...]:
        """Return the quotations that a stretch is part of, or holds more than half of."""
        found = []
        for at in range(max(bisect_right(self._starts, begin) - 1, 0), len(self._quotes)):
            first, last = self._quotes[at]
            if first >= end:
                break
            shared = min(last, end) - max(first, begin)
            if shared > 0 and shared * 2 > min(last - first, end - begin):
                found.append(at)
        return tuple(found)

    @cached_property
    def _said(self) -> tuple[str, list[int]]:
        """The letters inside quotations, one after the other, and where each stands among all."""
        places = [place for begin, end in self._quotes for place in range(begin, end)]
        return "".join(self._letters[place] for place in places), places


def _occurrences(words: str, text: str) -> Iterator[int]:
    at = text.find(words)
    while at >= 0:
        yield at
        at = text.find(words, at + 1)


def _without_space(text: str) -> str:
    return "".join(text.split())
