"""Web pages: what a browser would show as text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.domain.encoding import decode
from core.stages.corpus.document import Block, Document, ReadingLimits, Tick, document_of
from core.stages.corpus.readers.markup import html_tree, paragraphs

_OPENING = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*){0,5}"
    r"<(?:!doctype\s+html|html|head|body|meta|title|div|p|h[1-6]|article|section|table|center|span)\b",
    re.IGNORECASE | re.DOTALL,
)
_SHARE = 1000
"""Paragraphs between two looks at the clock."""


def recognises(text: str) -> bool:
    """Whether a decoded file begins as web pages do."""
    return _OPENING.match(text.lstrip("\ufeff")) is not None


def read(data: bytes, name: str, limits: ReadingLimits, tick: Tick) -> Document:
    """Read a page; each paragraph's place is the line it begins in."""
    text, encoding = decode(data, name)
    return document_of(_blocks(text, name, tick), name=name, encoding=encoding)


def _blocks(text: str, name: str, tick: Tick) -> Iterator[Block]:
    lines = text.count("\n") + 1
    for number, one in enumerate(paragraphs(html_tree(text, name)), 1):
        if number % _SHARE == 0:
            tick(one.line / lines)
        yield Block(one.text, f"line {one.line}" if one.line else f"paragraph {number}", one.level)
