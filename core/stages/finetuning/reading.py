"""What a model reads before it is measured: the persona's book without what is kept for evaluation, and the lines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.domain.ngrams import references
from core.domain.normalising import folded
from core.domain.text import Passage, Sample, SourceKind, Split, TurnRole

if TYPE_CHECKING:
    from core.domain.text import DatasetVersion
    from core.store import Store

TELLING = 8
"""A reply of so many letters in another chapter means that this is the held-out one again, e.g. of another edition."""

_SILENT = re.compile(r"[\W_]+")


def book_of(version: DatasetVersion, store: Store) -> list[str]:
    """Return what may be read of the books that the version's samples come from, in reading order.

    Nothing where the samples come from no book, or where it has been deleted since.
    """
    samples = store.datasets.samples(version.id)
    named = {sample.source_id for sample in samples}
    books = [
        source
        for source in store.corpus.sources(version.persona_id)
        if source.id in named and source.kind is not SourceKind.QUOTES
    ]
    passages = [passage for source in books for passage in store.corpus.passages(source.id)]
    return readable(passages, [sample for sample in samples if sample.split is Split.HELD_OUT])


def readable(passages: Iterable[Passage], held_out: Sequence[Sample]) -> list[str]:
    """Return the passages' texts, a line each, but for chapters held out or with a held-out reply in them."""
    chapters: dict[tuple[str, int], list[str]] = defaultdict(list)
    for passage in passages:
        chapters[passage.source_id, passage.chapter].append(" ".join(passage.text.splitlines()))
    kept_out = {(sample.source_id, sample.chapter) for sample in held_out}
    secret = {_letters(turn.text) for sample in held_out for turn in sample.turns if turn.role is TurnRole.PERSONA}
    telling = [reply for reply in secret if len(reply) >= TELLING]
    return [
        text
        for place, texts in chapters.items()
        if place not in kept_out and not _tells("".join(texts), telling)
        for text in texts
    ]


def foreseen_by_counting(
    conversations: Sequence[Mapping[str, Any]], book: Sequence[str], held_out: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """Return nats per character of the held-out replies, `unigram` and `bigram`, learnt from the same text.

    Nothing where no reply is held out.
    """
    secret = list(_replies(held_out))
    if not secret:
        return {}
    lines = dict.fromkeys(text for turn in _turns(conversations) for text in _texts(turn) if text)
    return references([*book, *lines], list(_replies(conversations)), secret)


def _letters(text: str) -> str:
    return _SILENT.sub("", folded(text))


def _tells(chapter: str, telling: Sequence[str]) -> bool:
    letters = _letters(chapter)
    return any(reply in letters for reply in telling)


def _turns(conversations: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (turn for conversation in conversations for turn in conversation["conversation"])


def _texts(turn: Mapping[str, Any]) -> tuple[str, ...]:
    return turn.get("system", ""), turn["input"], turn["output"]


def _replies(conversations: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    return (turn["output"] for turn in _turns(conversations) if turn.get("output_with_loss", True))
