"""Extraction without a store: a text and a cast in, rows for a program out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from core.domain.text import Passage, Utterance
from core.stages.dialogues.rules import extract


class UtteranceRow(TypedDict):
    """One quotation; `chapter` from 1, `para` from 0 within it, offsets within the paragraph.

    A speech that `runs_on` over so many further paragraphs has its `end` in the last of them.
    """

    chapter: int
    para: int
    start: int
    end: int
    quote: str
    speaker: str | None
    type: str
    confidence: float
    reason: str
    runs_on: int


def extract_rows(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> list[UtteranceRow]:
    """Return what the rules find in the passages (`cast`: canonical name -> aliases; empty to discover names)."""
    return [row_of(utterance) for utterance in extract(passages, cast)]


def row_of(utterance: Utterance) -> UtteranceRow:
    """Return the utterance as the row a program reads."""
    return UtteranceRow(
        chapter=utterance.chapter,
        para=utterance.para,
        start=utterance.start,
        end=utterance.end,
        quote=utterance.text,
        speaker=utterance.speaker,
        type=utterance.kind.value,
        confidence=utterance.confidence,
        reason=utterance.reason,
        runs_on=utterance.runs_on,
    )
