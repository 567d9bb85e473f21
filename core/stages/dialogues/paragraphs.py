"""A chapter as an attributor reads it: paragraphs, their quotations, and the narration around each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.domain.text import Passage, UtteranceKind
from core.stages.dialogues import cues
from core.stages.dialogues.kinds import kind_of
from core.stages.dialogues.quotes import Quote, Quoted, quotations

_CARRIED = 400
"""How much narration is taken over to the next paragraph when it ends in a colon (characters)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A quotation with what stands around it, folded."""

    quote: Quote
    kind: UtteranceKind
    before: str
    """The narration since the quotation before it, or since the paragraph began."""
    after: str
    """The narration up to the next quotation, or to the end of the paragraph."""
    words: str
    """What is said, folded."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph: its quotations, and the narration that leads to none of them."""

    passage: Passage
    lines: list[Line]
    rest: str


def chapter_paragraphs(passages: Sequence[Passage], texts: Sequence[str], *, single_marks: bool) -> list[Paragraph]:
    """Return a chapter's paragraphs; `texts` are the folded ones, of the same length as the passages' own.

    A cue that ends a paragraph belongs to the quotation that begins the next.
    """
    quoted = quotations([passage.text for passage in passages], single_marks=single_marks)
    paragraphs: list[Paragraph] = []
    carried = ""
    for passage, text, found in zip(passages, texts, quoted, strict=True):
        lines = list(_lines(text, found, carried))
        last = lines[-1].quote if lines else None
        rest = (text[last.end if not last.runs_on else len(text) :]) if last else carried + text[found.begin :]
        carried = rest[-_CARRIED:] if rest.endswith(tuple(cues.COLON)) else ""
        paragraphs.append(Paragraph(passage, lines, "" if carried else rest))
    return paragraphs


def _lines(text: str, quoted: Quoted, carried: str) -> Iterator[Line]:
    read, previous = quoted.begin, UtteranceKind.SPEECH
    for position, quote in enumerate(quoted.quotes):
        before = carried + text[read : quote.start]
        carried = ""
        following = quoted.quotes[position + 1].start if position + 1 < len(quoted.quotes) else len(text)
        after = text[quote.end : following] if not quote.runs_on else ""
        previous = kind_of(quote, before, after, previous)
        yield Line(
            quote,
            previous,
            before,
            after,
            text[quote.start + 1 :][: len(quote.text)] if not quote.runs_on else quote.text,
        )
        read = quote.end
