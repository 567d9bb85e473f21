"""Finds what stands in quotation marks in one paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_CLOSING = {"“": "”", "「": "」", "『": "』", "‘": "’", '"': '"', "＂": "＂"}
_ALSO_CLOSING = {"“": '"', '"': "”"}
"""Texts from the web often close with the wrong mark."""
_MARK = re.compile('[“”「」『』"＂]')
_MARK_SINGLE = re.compile('[“”‘’「」『』"＂]')


@dataclass(frozen=True, slots=True)
class Quote:
    """An outermost quotation; the marks stand at `start` and, where it is closed, at `end - 1`."""

    start: int
    end: int
    text: str
    """The words without the marks."""


def single_marks_are_outer(paragraphs: Iterable[str]) -> bool:
    """Whether this text quotes with ‘ ’ and nests with “ ”, not the other way round."""
    single = double = 0
    for paragraph in paragraphs:
        single += paragraph.count("‘")
        double += paragraph.count("“") + paragraph.count("「")
    return single > 2 * double


def find_quotes(paragraph: str, *, single_marks: bool = False) -> list[Quote]:
    """Return the outermost quotations in reading order; one that is not closed ends with the paragraph.

    Quotations inside quotations belong to the outer one. The marks ‘ ’ count only with `single_marks`.
    """
    balanced = paragraph.count("“") == paragraph.count("”")
    found: list[Quote] = []
    opening, start, depth = "", 0, 0
    for match in (_MARK_SINGLE if single_marks else _MARK).finditer(paragraph):
        mark, at = match.group(), match.start()
        if not opening:
            opening, start, depth = (mark if mark in _CLOSING else ""), at, 1
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
    if opening:
        found.append(Quote(start, len(paragraph), paragraph[start + 1 :]))
    return found


def _closes(mark: str, opening: str, *, strict: bool) -> bool:
    return mark == _CLOSING[opening] or (not strict and mark == _ALSO_CLOSING.get(opening))
