"""A decoded text becomes passages: one paragraph a line, in chapters, with exact offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.domain.text import Passage, PassageKind
from core.stages.corpus.document import BLANK, Document

_LINE = re.compile(r"[^\r\n]+")

_NUMBER = "0-9０-９〇零一二三四五六七八九十百千万两壹贰叁肆伍陆柒捌玖拾佰仟廿卅"
_ORDINAL = re.compile(
    r"(?:正文\s*|[【《#*]{1,4}\s*)?"
    rf"(?P<number>(?:第[{_NUMBER}]{{1,4}}[卷部]\s+)?第[{_NUMBER}\s]{{1,9}}[回章节節集幕])(?P<after>.?)"
)
_LATIN = re.compile(r"(?i)(?P<number>chapter\s+(?:\d{1,4}|[ivxlc]{1,7}))\b")
_SENTENCE = re.compile("[。，；！？…“”「」,;!?]")
_AFTER_NUMBER = "：:、·.．—-《（(】》"
"""What may part a chapter's number from its title; contains the empty string, as all strings do."""
_MAX_HEADING = 50
_MAX_UNSPACED_HEADING = 24


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str
    heading: bool
    place: str = ""


def split_passages(text: str, source_id: str) -> list[Passage]:
    """Return every heading and paragraph in reading order; `text[p.start:p.end] == p.text` for each."""
    return _numbered(_without_announcements(list(_lines(text))), source_id)


def document_passages(document: Document, source_id: str) -> list[Passage]:
    """Return a document's headings and paragraphs in reading order; `document.text[p.start:p.end] == p.text` for each.

    Headings that the format marks open chapters; numbered lines do too, except in an ebook that names its chapters.
    """
    if document.blocks is None:
        return split_passages(document.text, source_id)
    deepest = _chapter_level(document)
    lines, start = [], 0
    for block in document.blocks:
        numbered = not document.titled and is_heading(block.text)
        heading = numbered or 0 < block.level <= deepest
        lines.append(_Line(start, start + len(block.text), block.text, heading, block.place))
        start += len(block.text) + 1
    return _numbered(_without_announcements(_without_empty_chapters(lines)), source_id)


def _chapter_level(document: Document) -> int:
    """Return the deepest level of headings that are chapters: the level of the numbered ones, where there are any."""
    marked = [block for block in document.blocks or () if block.level]
    numbered = [block.level for block in marked if is_heading(block.text)]
    return max(numbered or [block.level for block in marked], default=0)


def _without_empty_chapters(lines: list[_Line]) -> list[_Line]:
    """Make plain lines of headings that another heading follows at once: titles of books and volumes."""
    followed = [*(line.heading for line in lines[1:]), False]
    return [replace(line, heading=line.heading and not at_once) for line, at_once in zip(lines, followed, strict=True)]


def _numbered(lines: list[_Line], source_id: str) -> list[Passage]:
    passages: list[Passage] = []
    chapter, para = 0, 0
    for ordinal, line in enumerate(lines):
        if line.heading:
            chapter, para = chapter + 1, 0
        passages.append(
            Passage(
                source_id=source_id,
                ordinal=ordinal,
                chapter=chapter,
                para=-1 if line.heading else para,
                kind=PassageKind.HEADING if line.heading else PassageKind.PARAGRAPH,
                start=line.start,
                end=line.end,
                text=line.text,
                place=line.place,
            )
        )
        para += not line.heading
    return passages


def is_heading(line: str) -> bool:
    """Whether a stripped line opens a chapter: short, numbered at its start, and no sentence."""
    if len(line) > _MAX_HEADING:
        return False
    found = _ORDINAL.match(line)
    if not found:
        return bool(_LATIN.match(line))
    if found["after"].isspace() or found["after"] in _AFTER_NUMBER:
        return True
    return len(line) <= _MAX_UNSPACED_HEADING and not _SENTENCE.search(line)


def _lines(text: str) -> Iterator[_Line]:
    for found in _LINE.finditer(text):
        line = found.group()
        stripped = line.strip(BLANK)
        if stripped:
            start = found.start() + len(line) - len(line.lstrip(BLANK))
            yield _Line(start, start + len(stripped), stripped, is_heading(stripped))


def _without_announcements(lines: list[_Line]) -> list[_Line]:
    """Make plain lines of headings that open no chapter.

    Those of a table of contents: nothing follows, and the same number comes again; and running titles: the
    number of the chapter they stand in.
    """
    last = {_numbering(line.text): position for position, line in enumerate(lines) if line.heading}
    kept: list[_Line] = []
    current = ""
    for position, line in enumerate(lines):
        if line.heading:
            numbering = _numbering(line.text)
            alone = position + 1 < len(lines) and lines[position + 1].heading
            if numbering == current or (alone and last[numbering] > position):
                line = replace(line, heading=False)
            else:
                current = numbering
        kept.append(line)
    return kept


def _numbering(heading: str) -> str:
    found = _ORDINAL.match(heading) or _LATIN.match(heading)
    return re.sub(r"\s+", "", found["number"]) if found else heading
