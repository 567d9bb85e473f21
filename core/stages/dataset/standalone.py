"""Samples without a scene: collected quotes, and what the persona knows about herself."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from core.domain.text import Expansion, ReviewStatus, Sample, Split, Turn, TurnRole, Utterance

OPENINGS: tuple[str, ...] = (
    "姑娘在想什么？",
    "今日可有什么话要说？",
    "说来听听。",
    "你且说一句心里话。",
    "这会子又想起什么来了？",
    "我听着呢，你说罢。",
)
"""Neutral words before a collected quote, which has no counterpart of its own."""


def from_quotes(lines: Iterable[Utterance], visitor: str = "") -> Iterator[tuple[Utterance, tuple[Turn, ...]]]:
    """Yield each collected quote as a reply to a neutral opening, always the same one for the same quote."""
    for line in lines:
        chosen = int(hashlib.sha256(line.text.encode()).hexdigest(), 16) % len(OPENINGS)
        opening = Turn(TurnRole.COUNTERPART, visitor, OPENINGS[chosen])
        yield line, (opening, Turn(TurnRole.PERSONA, line.speaker or "", line.text, (line.id,)))


def from_facts(facts: Mapping[str, str], persona: str) -> Iterator[tuple[Turn, ...]]:
    """Yield each question about herself with her answer."""
    for question, answer in facts.items():
        yield (Turn(TurnRole.COUNTERPART, "", question), Turn(TurnRole.PERSONA, persona, answer))


def with_expansions(
    samples: Sequence[Sample],
    expansions: Mapping[str, Sequence[Expansion]],
    *,
    share: float,
    per_quote: int,
    statuses: Collection[ReviewStatus],
) -> list[Sample]:
    """Return the samples, quotes answering lines that a model wrote where there are such (quote id -> its lines).

    At most `share` of the samples to be trained are synthetic: quotes beyond it keep their neutral opening. A quote
    with several lines becomes as many samples, at most `per_quote`; every quote gets its first before any gets its
    second, accepted lines before others.
    """
    usable = {
        number: _best(expansions[sample.turns[-1].utterance_ids[0]], statuses)[:per_quote]
        for number, sample in enumerate(samples)
        if sample.turns[-1].utterance_ids[:1] and sample.turns[-1].utterance_ids[0] in expansions
    }
    chosen: dict[int, list[Expansion]] = {}
    total, synthetic = sum(sample.split is Split.TRAIN for sample in samples), 0
    for turn in range(per_quote):
        rated = (
            (found[turn].status is not ReviewStatus.ACCEPTED, number)
            for number, found in usable.items()
            if found[turn:]
        )
        for _, number in sorted(rated):
            longer = total + (turn > 0)
            if synthetic + 1 <= share * longer:
                total, synthetic = longer, synthetic + 1
                chosen.setdefault(number, []).append(usable[number][turn])
    return [one for number, sample in enumerate(samples) for one in _answering(sample, chosen.get(number, ()))]


def _best(expansions: Iterable[Expansion], statuses: Collection[ReviewStatus]) -> list[Expansion]:
    wanted = (one for one in expansions if one.status in statuses and one.text.strip())
    return sorted(wanted, key=lambda one: (one.status is not ReviewStatus.ACCEPTED, one.ordinal))


def _answering(sample: Sample, expansions: Sequence[Expansion]) -> Iterator[Sample]:
    if not expansions:
        yield sample
    for one in expansions:
        heard = Turn(TurnRole.COUNTERPART, one.counterpart, one.text, expansion_id=one.id)
        yield replace(sample, turns=(heard, sample.turns[-1]), synthetic=True)
