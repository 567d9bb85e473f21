"""Which chapters are kept out of training."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from core.domain.text import Sample, Split, TurnRole
from core.stages.dataset.conversations import normal_form

Place = tuple[str, int]
"""Source and chapter."""

_TOLERANCE = 1.5
"""How far a drawn chapter may carry the share above what was asked for."""

_TELLING = 4
"""Shorter replies are anybody's (characters)."""


def with_split(samples: Sequence[Sample], share: float, contents: Mapping[str, str]) -> list[Sample]:
    """Return the samples with their side; sources that are not in `contents` (source id -> sha256) are always trained.

    Whole chapters are kept out, about `share` of the samples; a single line that is also said in a kept-out
    chapter is left out, so that evaluation never meets what was trained.
    """
    sizes = Counter((sample.source_id, sample.chapter) for sample in samples if sample.source_id in contents)
    held_out = _drawn(sizes, share, contents)
    split = [
        replace(sample, split=Split.HELD_OUT if (sample.source_id, sample.chapter) in held_out else Split.TRAIN)
        for sample in samples
    ]
    secret = "\0".join(_replies(sample for sample in split if sample.split is Split.HELD_OUT))
    return [sample for sample in split if sample.source_id in contents or not _gives_away(sample, secret)]


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


def _replies(samples: Iterable[Sample]) -> Iterable[str]:
    return (normal_form(turn.text) for sample in samples for turn in sample.turns if turn.role is TurnRole.PERSONA)


def _gives_away(sample: Sample, secret: str) -> bool:
    return all(len(reply) >= _TELLING and reply in secret for reply in _replies([sample]))
