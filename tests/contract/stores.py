"""A small book to put into a store."""

from __future__ import annotations

from core.domain.identity import now
from core.domain.text import Passage, PassageKind, Source, SourceKind, Utterance, UtteranceKind
from core.store import Store


def source(number: int = 1) -> Source:
    """Return a book."""
    return Source(
        f"source-{number}", "a-qing", f"book {number}.txt", SourceKind.NOVEL, f"{number}" * 64, 9, "utf-8", 9, 1, now()
    )


def passages(count: int, source_id: str = "source-1") -> list[Passage]:
    """Return a heading and so many paragraphs."""
    heading = Passage(source_id, 0, 1, -1, PassageKind.HEADING, 0, 3, "第一回")
    rest = [
        Passage(source_id, n + 1, 1, n, PassageKind.PARAGRAPH, 4 + n * 5, 8 + n * 5, "青儿笑道") for n in range(count)
    ]
    return [heading, *rest]


def line(ordinal: int, start: int = 0, *, speaker: str | None = "沈青", extractor: str = "rules") -> Utterance:
    """Return a line of four characters."""
    return Utterance(
        "source-1", ordinal, 1, ordinal - 1, start, start + 4, f"第{ordinal}句", UtteranceKind.SPEECH, speaker,
        extractor, 0.9, "cue",
    )  # fmt: skip


def filled(store: Store, count: int) -> list[Utterance]:
    """Put a book with a line in each of so many paragraphs into the store."""
    store.corpus.add(source(), passages(count))
    rows = [line(n + 1) for n in range(count)]
    store.utterances.replace("source-1", "rules", rows, None)
    return rows
