"""Plain text: the decoded file itself; lines that were only wrapped are put together where that is beyond doubt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from statistics import quantiles

from core.domain.encoding import decode
from core.stages.corpus.chapters import is_heading
from core.stages.corpus.document import BLANK, Block, Document, ReadingLimits, Tick, document_of, joined, one_line

_MANY = 60
"""Lines that it takes to tell wrapping from short paragraphs."""
_WIDTHS = range(40, 121)
"""Columns to which texts are wrapped; a Chinese character takes two."""
_RAGGED = 4
"""Columns that a full line may lack, where a mark or a word was not to be torn."""
_MOST_FULL = 0.5
_FEW_LONGER = 0.005
_FEW_ENDS = 0.45
"""Share of full lines that may end as sentences do: a margin cuts anywhere, an author at ends."""
_SENTENCE_END = re.compile(r"[。！？…”’」』!?.\"]$")


def read(data: bytes, name: str, limits: ReadingLimits, tick: Tick) -> Document:
    """Read a text; of a wrapped one each paragraph's place is the line it begins in."""
    text, encoding = decode(data, name)
    lines = text.splitlines()
    width = wrapped_at(lines)
    if not width:
        return Document(text, encoding)
    return document_of(_unwrapped(lines, width), name=name, encoding=encoding)


def wrapped_at(lines: Sequence[str]) -> int:
    """Return the width in columns that a text is wrapped to; 0 for a text whose lines are paragraphs."""
    inked = [line.rstrip(BLANK) for line in lines if line.strip(BLANK)]
    longest = _WIDTHS.stop + _RAGGED
    if len(inked) < _MANY or sum(len(line) > longest for line in inked) > _FEW_LONGER * len(inked):
        return 0  # as in most texts, and measuring each character of a large one takes seconds
    widths = [_width(line) for line in inked]
    width = round(quantiles(widths, n=100)[97])
    if width not in _WIDTHS or sum(one > width + _RAGGED for one in widths) > _FEW_LONGER * len(widths):
        return 0
    full = [line for line, one in zip(inked, widths, strict=True) if one >= width - _RAGGED]
    ends = sum(_SENTENCE_END.search(line) is not None for line in full)
    return width if len(full) >= _MOST_FULL * len(inked) and ends <= _FEW_ENDS * len(full) else 0


def _unwrapped(lines: Sequence[str], width: int) -> Iterator[Block]:
    words, began, before = "", 1, ""
    for number, line in enumerate(lines, 1):
        text = one_line(line)
        if not words or not text or _begins(line, text, before, width):
            yield Block(words, f"line {began}")
            words, began = text, number
        else:
            words = joined(words, text)
        before = line
    yield Block(words, f"line {began}")


def _begins(line: str, text: str, before: str, width: int) -> bool:
    """Whether a line begins a paragraph: it is indented, a heading or below one, or the line before was not full."""
    indented = line[:1] in ("\u3000", "\t") or line.startswith("  ")
    ended = _width(before.rstrip(BLANK)) < width - _RAGGED
    return indented or ended or is_heading(text) or is_heading(one_line(before))


def _width(line: str) -> int:
    if line.isascii():
        return len(line)
    return sum(2 if unicodedata.east_asian_width(one) in "WFA" else 1 for one in line)
