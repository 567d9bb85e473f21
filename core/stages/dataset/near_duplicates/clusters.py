"""From lines to clusters of near-duplicates, each with the line proposed to be kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.stages.dataset.near_duplicates.candidates import candidates
from core.stages.dataset.near_duplicates.meaning import Cast
from core.stages.dataset.near_duplicates.measure import compare
from core.stages.dataset.near_duplicates.pairs import Pairs
from core.stages.dataset.near_duplicates.records import Cluster, Line, Member, Reason, Settings, Verdict
from core.stages.dataset.near_duplicates.words import words_of

_ENTWINED = 2000
"""In components of more texts only pairs found by the index count."""
_CLOSED = tuple("。！？!?…”’」』")
_ITSELF = Verdict(True, 1.0, 0.0, Reason.SAME)

_Rank = tuple[bool, bool, int, float, int, str, str]
_Near = Mapping[int, set[int]]
_Groups = Mapping[str, Sequence[Line]]


def near_duplicates(
    lines: Sequence[Line], *, cast: Mapping[str, Iterable[str]] | None = None, settings: Settings | None = None
) -> list[Cluster]:
    """Return clusters of two lines and more, by the id of their survivor; no line is in two of them.

    Every member is a duplicate of the survivor itself, by its own comparison: likeness is not handed on along a
    chain. Lines without a word are left out. The order of `lines` does not matter; ids are distinct.
    """
    settings, names = settings or Settings(), Cast(cast or {})
    groups: defaultdict[str, list[Line]] = defaultdict(list)
    for line, words in zip(lines, words_of([line.text for line in lines]), strict=True):
        if words:
            groups[words].append(line)
    for words, copies in groups.items():
        if len(copies) > 1:
            copies.sort(key=lambda line: _rank(line, len(words)), reverse=True)
    pairs = Pairs(sorted(groups), names, settings)
    stars = _gathered(pairs, groups)
    clusters = [_cluster([groups[text] for text in star], names, settings) for star in stars]
    return sorted(clusters, key=lambda cluster: cluster.survivor.id)


def _gathered(pairs: Pairs, groups: _Groups) -> Iterator[list[str]]:
    """Yield texts around the best of them, which comes first, where together they are two lines or more."""
    near: defaultdict[int, set[int]] = defaultdict(set)
    for one, other in pairs.alike(candidates(pairs.texts)):
        near[one].add(other)
        near[other].add(one)
    taken: set[int] = set()
    for start, text in enumerate(pairs.texts):
        if start not in near:
            if len(groups[text]) > 1:
                yield [text]
        elif start not in taken:
            component = _reached(start, near)
            taken |= component
            for star in _stars(component, near, pairs, groups):
                if len(star) > 1 or len(groups[pairs.texts[star[0]]]) > 1:
                    yield [pairs.texts[one] for one in star]


def _stars(component: set[int], near: _Near, pairs: Pairs, groups: _Groups) -> Iterator[list[int]]:
    """Yield texts that are duplicates of the best of them, until every text of the component is in one star."""
    ranks = {one: _rank(groups[pairs.texts[one]][0], len(pairs.texts[one])) for one in component}
    left = sorted(component, key=ranks.__getitem__, reverse=True)
    while left:
        best, rest = left[0], left[1:]
        alike = near[best].intersection(rest)
        further = [one for one in rest if one not in alike]
        if 0 < len(further) <= _ENTWINED:
            alike |= pairs.alike_to(best, further)
        yield [best, *(one for one in rest if one in alike)]
        left = [one for one in rest if one not in alike]


def _reached(start: int, near: _Near) -> set[int]:
    """Return the texts connected with one, however far."""
    reached, waiting = {start}, [start]
    while waiting:
        fresh = near.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting += fresh
    return reached


def _cluster(stacks: Sequence[Sequence[Line]], cast: Cast, settings: Settings) -> Cluster:
    """Return the cluster of stacks of copies, the best first; within a stack too."""
    best = stacks[0][0]
    members = [Member(best.id, _ITSELF)]
    others = (line for stack in stacks for line in stack if line is not best)
    members += [Member(line.id, compare(line.text, best.text, cast, settings)) for line in others]
    return Cluster(tuple(members))


def _rank(line: Line, length: int) -> _Rank:
    """Rank for survival: reviewed, complete, longest, from a clean source, least clutter; last by what it is."""
    complete = line.text.rstrip().endswith(_CLOSED)
    return line.reviewed, complete, length, line.trust, -len(line.text), line.text, line.id
