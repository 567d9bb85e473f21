"""Samples without a scene: collected quotes, and what the persona knows about herself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from core.domain.text import Turn, TurnRole, Utterance

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
