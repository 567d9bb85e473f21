"""Finds what stands in quotation marks, within a paragraph and over the ends of paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_CLOSING = {"“": "”", "「": "」", "『": "』", "‘": "’", '"': '"', "＂": "＂"}
_ALSO_CLOSING = {"“": '"', '"': "”"}
"""Texts from the web often close with the wrong mark."""
_MARK = re.compile('[“”「」『』"＂]')
_MARK_SINGLE = re.compile('[“”‘’「」『』"＂]')
_SENTENCE_ENDS = frozenset("。！？…，．!?,.～~—_-”’")
"""What stands before a mark that closes, and seldom before one that opens."""
_LONGEST_SPEECH = 80
"""Paragraphs; a mark that is missing for longer was forgotten."""


@dataclass(frozen=True, slots=True)
class Quote:
    """An outermost quotation; the marks stand at `start` and, where it is closed, at `end - 1`."""

    start: int
    end: int
    """In the paragraph it ends in."""
    text: str
    """The words without the marks; those of several paragraphs joined by line feeds."""
    runs_on: int = 0
    """How many paragraphs it goes on after its first."""
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Quoted:
    """A paragraph's quotations."""

    begin: int
    """Where the paragraph's own words begin: after a speech that an earlier one began."""
    quotes: list[Quote]


def single_marks_are_outer(paragraphs: Iterable[str]) -> bool:
    """Whether this text quotes with ‘ ’ and nests with “ ”, not the other way round."""
    single = double = 0
    for paragraph in paragraphs:
        single += paragraph.count("‘")
        double += paragraph.count("“") + paragraph.count("「")
    return single > 2 * double


def quotations(paragraphs: Sequence[str], *, single_marks: bool = False) -> list[Quoted]:
    """Return the quotations of each of a chapter's paragraphs; a speech belongs to the paragraph it begins in."""
    found: list[Quoted] = []
    begin = 0
    while len(found) < len(paragraphs):
        at = len(found)
        quotes = find_quotes(paragraphs[at], begin=begin, single_marks=single_marks)
        closing = None if not quotes or quotes[-1].closed else _closing_ahead(paragraphs, at, quotes[-1])
        if not closing:
            found.append(Quoted(begin, quotes))
            begin = 0
            continue
        last, end, texts = closing
        quotes[-1] = replace(quotes[-1], end=end, text="\n".join(texts), runs_on=last - at, closed=True)
        found.append(Quoted(begin, quotes))
        found += [Quoted(len(paragraph), []) for paragraph in paragraphs[at + 1 : last]]
        begin = end
    return found


def find_quotes(paragraph: str, *, begin: int = 0, single_marks: bool = False) -> list[Quote]:
    """Return the outermost quotations in reading order; one that is not closed ends with the paragraph.

    Quotations inside quotations belong to the outer one. The marks ‘ ’ count only with `single_marks`.
    """
    balanced = paragraph.count("“", begin) == paragraph.count("”", begin)
    found: list[Quote] = []
    opening, start, depth = "", 0, 0
    nested = False
    for match in (_MARK_SINGLE if single_marks else _MARK).finditer(paragraph, begin):
        mark, at = match.group(), match.start()
        if not opening:
            opening, start, depth, nested = (mark if mark in _CLOSING else ""), at, 1, False
        elif mark == '"' and opening == "“" and (nested or _opens_within(paragraph, at, balanced=balanced)):
            nested = not nested
        elif _closes(mark, opening, strict=balanced):
            depth -= 1
            if not depth:
                found.append(Quote(start, at + 1, paragraph[start + 1 : at]))
                opening = ""
        elif mark == opening and balanced:
            depth += 1
        elif mark == opening:  # the closing mark was forgotten: the new quotation ends the old one
            found.append(Quote(start, at, paragraph[start + 1 : at]))
            start = at
    return [*found, *_unclosed(paragraph, opening, start)]


def _unclosed(paragraph: str, opening: str, start: int) -> list[Quote]:
    return [Quote(start, len(paragraph), paragraph[start + 1 :], closed=False)] if opening else []


def _opens_within(paragraph: str, at: int, *, balanced: bool) -> bool:
    """Whether a straight mark inside a quotation opens another: where it cannot be the closing one typed wrong."""
    return balanced or paragraph[at - 1] not in _SENTENCE_ENDS


def _closes(mark: str, opening: str, *, strict: bool) -> bool:
    return mark == _CLOSING[opening] or (not strict and mark == _ALSO_CLOSING.get(opening))


def _closing_ahead(paragraphs: Sequence[str], at: int, quote: Quote) -> tuple[int, int, list[str]] | None:
    """Return the paragraph and place where an open quotation closes, and its words by paragraph.

    None where the closing mark seems forgotten: another quotation opens in mid-paragraph first, or nothing
    closes. A paragraph may repeat the opening mark at its start, as long speeches are printed.
    """
    mark = paragraphs[at][quote.start]
    marks = re.compile(f"[{mark}{_CLOSING[mark]}{_ALSO_CLOSING.get(mark, '')}]")
    texts = [quote.text]
    for later in range(at + 1, min(at + 1 + _LONGEST_SPEECH, len(paragraphs))):
        paragraph = paragraphs[later]
        begin = 1 if paragraph.startswith(mark) and mark != _CLOSING[mark] else 0
        met = marks.search(paragraph, begin)
        if met is None:
            texts.append(paragraph[begin:])
            continue
        sure = met.group() == _CLOSING[mark] != mark or paragraph[met.start() - 1] in _SENTENCE_ENDS
        if met.group() == mark != _CLOSING[mark] or not sure:
            return None
        return later, met.end(), [*texts, paragraph[begin : met.start()]]
    return None
