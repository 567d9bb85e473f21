"""What a format is: two functions, what it can carry, and words for what it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.character_card import Card
from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample, Source, Utterance
from core.stages.dataset.formats.report import CheckReport

Files = Mapping[str, bytes]
"""Path in the export -> content."""


class Carried(StrEnum):
    """What a format's own files can hold; the manifest of an export holds the rest."""

    TURNS = "turns"
    """Every conversation, turn by turn."""
    LOSS = "loss"
    """Which replies are only context; without it their exchanges are left out, and the conversation is cut there."""
    SYSTEM = "system prompt"
    SPEAKERS = "speakers"
    SPLIT = "split"
    ORIGINS = "origins"
    """Source, chapter and lines of each sample, its number, and what a model wrote of it."""
    PERSONA = "persona"


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the samples of a version come from."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    lines: Mapping[str, Utterance] = field(default_factory=dict)
    """Utterances by id; wanted only by formats that show their kind and review."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read of a dataset."""

    samples: tuple[Sample, ...]
    report: CheckReport
    system_prompt: str = ""
    persona: Persona | None = None
    card: Card | None = None
    """The card the persona is of, with all she has no place for; `with_persona` puts her back into it."""


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table of formats."""

    name: str
    title: str
    extension: str
    """Of the file that holds the samples."""
    write: Callable[[DatasetVersion, Sequence[Sample], Persona, Origins], Files]
    read: Callable[[Files], Imported]
    """InvalidInputError when nothing can be read."""
    carries: frozenset[Carried]
    loses: str
    """In words, for docs/formats.md and the page; empty when nothing is lost."""
    choose: Callable[[Sequence[Sample]], Sequence[Sample]] = list
    """The samples that go in: a few for a card, only what is learnt where a format cannot tell it from context."""
    needs_lines: bool = False
    """Whether `write` makes use of `Origins.lines`."""
