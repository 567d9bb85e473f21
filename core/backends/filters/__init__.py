"""Content filters: which words are not to be said, whoever says them.

Any number of threads may ask one filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.backends.llm import Endpoint
from core.backends.rows import Row
from core.translation import N_


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why some words are refused."""

    category: str
    """What sort of words they are, in the filter's own name for it."""
    reason: str = ""
    """What decided it, for who looks after the filter; never shown to a visitor."""


@dataclass(frozen=True, slots=True)
class FilterSource:
    """What a filter is built from; each backend takes what is its own."""

    words: Path | None = None
    """A file of words, UTF-8."""
    endpoint: Endpoint | None = None
    timeout_seconds: float = 5


class ContentFilter(Protocol):
    """Tells what is not to be said."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    def refused(self, text: str) -> Verdict | None:
        """Return why the words are refused, or None where they are not; StudioError when it cannot be told."""
        ...

    def close(self) -> None:
        """Give back what the filter holds; it is not used afterwards."""
        ...


def _words(source: FilterSource) -> ContentFilter:
    from core.backends.filters.word_list import WordFilter

    return WordFilter(source.words)


def _openai(source: FilterSource) -> ContentFilter:
    from core.backends.filters.openai_moderation import ModerationFilter

    return ModerationFilter(source.endpoint, source.timeout_seconds)


FILTERS: Mapping[str, Row[FilterSource, ContentFilter]] = {
    row.name: row
    for row in (
        Row("words", N_("A list of words and patterns in a file of yours."), _words),
        Row(
            "openai",
            N_("Any server that speaks the OpenAI protocol for moderations."),
            _openai,
            modules=("openai",),
            install="pip install openai",
        ),
    )
}
