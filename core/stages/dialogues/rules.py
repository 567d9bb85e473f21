"""The rule extractor: offline, deterministic, a novel in a second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from core.domain.normalising import folded
from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind
from core.stages.dialogues.attribution import Attribution, Listener
from core.stages.dialogues.discovery import discover_names
from core.stages.dialogues.names import Names
from core.stages.dialogues.paragraphs import Line, Paragraph, chapter_paragraphs
from core.stages.dialogues.quotes import single_marks_are_outer

NAME = "rules"
JOINT = "、"
"""Joins the names of people who speak together."""


def extract(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> Iterator[Utterance]:
    """Yield every quotation of the passages in reading order, with its kind and speaker."""
    chapters = _chapters([passage for passage in passages if passage.kind is PassageKind.PARAGRAPH])
    names = Names.of(cast, discover_names(chapters))
    listener = Listener(names)
    for chapter in chapters:
        for paragraph, attributions in zip(chapter, listener.attribute(chapter), strict=True):
            for line, attribution in zip(paragraph.lines, attributions, strict=True):
                yield _utterance(paragraph.passage, line, attribution)


def _chapters(passages: Sequence[Passage]) -> list[list[Paragraph]]:
    single_marks = single_marks_are_outer(passage.text for passage in passages)
    chapters = []
    for _, group in groupby(passages, key=lambda passage: passage.chapter):
        chapter = list(group)
        texts = [folded(passage.text) for passage in chapter]
        chapters.append(chapter_paragraphs(chapter, texts, single_marks=single_marks))
    return chapters


def _utterance(passage: Passage, line: Line, attribution: Attribution) -> Utterance:
    return Utterance(
        source_id=passage.source_id,
        ordinal=passage.ordinal,
        chapter=passage.chapter,
        para=passage.para,
        start=line.quote.start,
        end=line.quote.end,
        text=line.quote.text,
        kind=line.kind,
        speaker=JOINT.join(attribution.who) or None if line.kind is not UtteranceKind.NONSPEECH else None,
        extractor=NAME,
        confidence=attribution.confidence,
        reason=attribution.reason,
        runs_on=line.quote.runs_on,
    )
