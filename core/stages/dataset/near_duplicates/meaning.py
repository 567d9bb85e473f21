"""Small differences that make another sentence of it: not and no not, he and I, come and go, two and three, a name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from rapidfuzz.distance import Levenshtein

from core.stages.dataset.near_duplicates.characters import (
    LOOKALIKES,
    NEGATIONS,
    NUMERALS,
    OPPOSITES,
    PERSONS,
    RANKS,
    SIBLINGS,
    TITLES,
)
from core.stages.dataset.near_duplicates.words import plain, spelt

_SHORT = 3
"""Characters of a piece that is a word, not a clause."""


@dataclass(frozen=True, slots=True)
class Change:
    """A differing piece: what the one line has, what the other has in its place, and what follows there."""

    before: str
    after: str
    follows: str


def changes(first: str, second: str) -> list[Change]:
    """Return what must be altered to make the one the other, neighbouring alterations as one."""
    steps = Levenshtein.opcodes(first, second)
    found = []
    for differs, run in groupby(steps, key=lambda step: step.tag != "equal"):
        if differs:
            piece = list(run)
            begin, end = piece[0], piece[-1]
            before, after = first[begin.src_start : end.src_end], second[begin.dest_start : end.dest_end]
            found.append(Change(before, after, second[end.dest_end : end.dest_end + 3]))
    return found


def lookalike(change: Change) -> bool:
    """Whether the piece is one character taken for another that looks like it."""
    return len(change.after) == 1 and change.after in LOOKALIKES.get(change.before, ())


class Cast:
    """The names of a book's people, each with the person meant."""

    def __init__(self, people: Mapping[str, Iterable[str]]) -> None:
        self._person: dict[str, str] = {}
        for name, aliases in people.items():
            for alias in (name, *aliases):
                self._person.setdefault(spelt(plain(alias)), name)
        self._person = {alias: name for alias, name in self._person.items() if len(alias) > 1}
        self._names = re.compile("|".join(map(re.escape, sorted(self._person, key=len, reverse=True))) or r"(?!)")

    def differ(self, first: str, second: str) -> bool:
        """Whether the one names somebody in place of somebody else."""
        ours, theirs = Counter(self._people(first)), Counter(self._people(second))
        return bool(ours - theirs) and bool(theirs - ours)

    def _people(self, words: str) -> Iterator[str]:
        return (self._person[name] for name in self._names.findall(words))


def altered(change: Change) -> str:
    """Return which sort of meaning the piece changes: negation, number, person, opposite, name; empty for none."""
    before, after = change.before, change.after
    if max(len(before), len(after)) > _SHORT or lookalike(change):
        return ""
    cut_off = not change.follows and not (before and after)
    if _count(before, NEGATIONS) != _count(after, NEGATIONS) and not cut_off:
        return "negation"
    for sort, differs in (("number", _numbers), ("person", _persons), ("opposite", _opposites), ("name", _title)):
        if differs(change):
            return sort
    return ""


def _count(piece: str, characters: frozenset[str]) -> int:
    return sum(char in characters for char in piece)


def _numbers(change: Change) -> bool:
    ours, theirs = ([char for char in piece if char in NUMERALS] for piece in (change.before, change.after))
    return bool(ours and theirs and ours != theirs)


def _persons(change: Change) -> bool:
    ours, theirs = ({PERSONS[char] for char in piece if char in PERSONS} for piece in (change.before, change.after))
    return bool(ours and theirs and ours != theirs)


def _opposites(change: Change) -> bool:
    return any(
        other in change.after and other not in change.before
        for char in change.before
        for other in OPPOSITES.get(char, ())
        if char not in change.after
    )


def _title(change: Change) -> bool:
    """Whether another person is addressed: by another title, or by another word before it."""
    before, after = change.before, change.after
    if _addressed(before) and _addressed(after):
        return not set(before) & SIBLINGS or not set(after) & SIBLINGS
    if not TITLES.match(change.follows):
        return False
    return bool(before and after) or (before or after)[-1] in RANKS


def _addressed(piece: str) -> bool:
    return TITLES.fullmatch(piece[piece[:1] in RANKS :]) is not None
