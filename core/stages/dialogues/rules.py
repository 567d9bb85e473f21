"""The rule extractor: offline, deterministic, a novel in a second."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from core.domain.normalising import folded
from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind
from core.stages.dialogues.attribution import Attribution, Listener
from core.stages.dialogues.discovery import discover_names
from core.stages.dialogues.kinds import SAID, announced
from core.stages.dialogues.names import Names
from core.stages.dialogues.paragraphs import Line, Paragraph, chapter_paragraphs
from core.stages.dialogues.people import discover_people, short_forms
from core.stages.dialogues.quotes import single_marks_are_outer
from core.stages.dialogues.scenes import Conversation

NAME = "rules"
_MOSTLY_BARE = 0.3
"""The share of unannounced quotations from which a text is read as modern prose."""
_OLD_CUE = re.compile("[道曰云][：:]?$")
_OLD = 0.2
"""The share of cues in the old manner below which a text is modern."""
_ENOUGH_CUES = 40
"""Fewer cues do not tell the manner."""
JOINT = "、"
"""Joins the names of people who speak together."""


def extract(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> Iterator[Utterance]:
    """Yield every quotation of the passages in reading order, with its kind and speaker."""
    chapters = _chapters([passage for passage in passages if passage.kind is PassageKind.PARAGRAPH])
    modern = _is_modern(chapters)
    names = _names(chapters, cast, modern=modern)
    written = _spellings(names, chapters) | {folded(name): name for name in cast}
    attributor = Conversation(names) if modern else Listener(names)
    for chapter in chapters:
        for paragraph, attributions in zip(chapter, attributor.attribute(chapter), strict=True):
            for line, attribution in zip(paragraph.lines, attributions, strict=True):
                yield _utterance(paragraph.passage, line, attribution, written)


def _names(chapters: Sequence[Sequence[Paragraph]], cast: Mapping[str, Iterable[str]], *, modern: bool) -> Names:
    """Return the cast and who is found in the text: by speech cues, and in modern prose by deeds."""
    found = dict.fromkeys(discover_names(chapters))
    if modern:
        found |= dict.fromkeys(discover_people(chapters))
        return Names.of(cast, found | short_forms(found))
    return Names.of(cast, found)


def _spellings(names: Names, chapters: Iterable[Sequence[Paragraph]]) -> dict[str, str]:
    """Return how a text in traditional characters writes the names, folded -> as written."""
    spelled: dict[str, str] = {}
    for paragraph in (paragraph for chapter in chapters for paragraph in chapter):
        text = folded(paragraph.passage.text)
        if text != paragraph.passage.text:
            for found in names.pattern.finditer(text):
                spelled.setdefault(found.group(), paragraph.passage.text[found.start() : found.end()])
    return spelled


def _is_modern(chapters: Iterable[Sequence[Paragraph]]) -> bool:
    """Whether this is modern prose: much of its speech stands bare, or its cues say 说 rather than 道."""
    before = [
        line.before for chapter in chapters for paragraph in chapter for line in paragraph.lines if line.kind in SAID
    ]
    cued = [narration for narration in before if announced(narration)]
    if len(cued) <= (1 - _MOSTLY_BARE) * len(before):
        return True
    return len(cued) >= _ENOUGH_CUES and sum(_OLD_CUE.search(cue) is not None for cue in cued) < _OLD * len(cued)


def _chapters(passages: Sequence[Passage]) -> list[list[Paragraph]]:
    single_marks = single_marks_are_outer(passage.text for passage in passages)
    chapters = []
    for _, group in groupby(passages, key=lambda passage: passage.chapter):
        chapter = list(group)
        texts = [folded(passage.text) for passage in chapter]
        chapters.append(chapter_paragraphs(chapter, texts, single_marks=single_marks))
    return chapters


def _utterance(passage: Passage, line: Line, attribution: Attribution, written: Mapping[str, str]) -> Utterance:
    who = [written.get(name, name) for name in attribution.who]
    return Utterance(
        source_id=passage.source_id,
        ordinal=passage.ordinal,
        chapter=passage.chapter,
        para=passage.para,
        start=line.quote.start,
        end=line.quote.end,
        text=line.quote.text,
        kind=line.kind,
        speaker=JOINT.join(who) or None if line.kind is not UtteranceKind.NONSPEECH else None,
        extractor=NAME,
        confidence=attribution.confidence,
        reason=attribution.reason,
        runs_on=line.quote.runs_on,
    )
