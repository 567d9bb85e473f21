"""Which chapters are kept out of training, and what must not be trained because of them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from core.domain.text import Sample, Split, Turn, TurnRole
from core.stages.dataset.conversations import ended, learnt, normal_form
from core.stages.dataset.echoes import Echoes, same_words

Place = tuple[str, int]
"""Source and chapter."""

_TOLERANCE = 1.5
"""How far a drawn chapter may carry the share above what was asked for."""

_TELLING = 4
"""Shorter replies are anybody's (characters)."""


def with_split(
    samples: Sequence[Sample], share: float, contents: Mapping[str, str], echoes: Echoes = same_words
) -> tuple[list[Sample], int]:
    """Return the samples with their side, and how many exchanges were left out so that nothing straddles the sides.

    Whole chapters are kept out, about `share` of the samples; sources that are not in `contents` (source id ->
    sha256) are always trained. An exchange to be trained whose reply says nearly what a kept-out reply says is left
    out, and its conversation falls into what stands before and after it: evaluation never meets what was trained.
    """
    sizes = Counter((sample.source_id, sample.chapter) for sample in samples if sample.source_id in contents)
    held_out = _drawn(sizes, share, contents)
    split = [
        replace(sample, split=Split.HELD_OUT if (sample.source_id, sample.chapter) in held_out else Split.TRAIN)
        for sample in samples
    ]
    if not held_out:
        return split, 0
    given_away = _given_away(split, echoes)
    kept = [piece for number, sample in enumerate(split) for piece in _without(sample, given_away.get(number, ()))]
    return kept, sum(len(places) for places in given_away.values())


def _drawn(sizes: Mapping[Place, int], share: float, contents: Mapping[str, str]) -> frozenset[Place]:
    """Draw chapters by the hash of content and number: the same book gives the same chapters at each import."""
    if share <= 0 or len(sizes) < 2:
        return frozenset()

    def lot(place: Place) -> str:
        return hashlib.sha256(f"{contents[place[0]]}:{place[1]}".encode()).hexdigest()

    wanted = share * sum(sizes.values())
    drawn: set[Place] = set()
    held = 0
    for place in sorted(sizes, key=lot):
        if held < wanted and held + sizes[place] <= _TOLERANCE * wanted:
            drawn.add(place)
            held += sizes[place]
    return frozenset(drawn or {min(sizes, key=lambda place: (sizes[place], lot(place)))})


def _given_away(samples: Sequence[Sample], echoes: Echoes) -> dict[int, set[int]]:
    """Return, by sample to be trained, the places of its replies that say nearly what a kept-out one says."""
    held = [turn for sample in samples if sample.split is Split.HELD_OUT for turn in learnt(sample)]
    places = [
        (number, place)
        for number, sample in enumerate(samples)
        if sample.split is Split.TRAIN
        for place, turn in enumerate(sample.turns)
        if turn.role is TurnRole.PERSONA and _tells(turn)
    ]
    secret = [turn.text for turn in held if _tells(turn)]
    found: dict[int, set[int]] = defaultdict(set)
    for one in echoes(secret, [samples[number].turns[place].text for number, place in places]):
        number, place = places[one]
        found[number].add(place)
    return found


def _tells(turn: Turn) -> bool:
    return len(normal_form(turn.text)) >= _TELLING


def _without(sample: Sample, places: Collection[int]) -> Iterator[Sample]:
    """Yield what is left of a conversation without the replies at those places and what was said to her there."""
    begin = 0
    for place in [*sorted(places), len(sample.turns) + 1]:
        turns = ended(sample.turns[begin : place - 1]) if places else sample.turns
        if turns:
            yield replace(sample, turns=turns)
        begin = place + 1
