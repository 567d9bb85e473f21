"""Word documents (.docx): the text of the body; macros, pictures, notes and struck-out words stay where they are."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

from core.stages.corpus.document import Block, Document, ReadingLimits, Tick, document_of, one_line
from core.stages.corpus.packed import checked_parts, member_bytes, opened
from core.stages.corpus.readers.markup import xml_tree

BODY: Final = "word/document.xml"
_STYLES: Final = "word/styles.xml"
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_LEFT_OUT: Final = frozenset(
    {f"{_W}{name}" for name in ("del", "moveFrom", "pPr", "rPr", "sectPr", "tblPr")} | {_FALLBACK}
)
_BREAKS: Final = frozenset({f"{_W}br", f"{_W}cr"})
_HEADING: Final = re.compile(r"(?:heading|标题)\s*([1-3])$", re.IGNORECASE)
_OUTLINED: Final = 3
"""Outline levels that count as headings, as many as in HTML."""
_SHARE = 500
"""Paragraphs between two looks at the clock."""


def read(data: bytes, name: str, limits: ReadingLimits, tick: Tick) -> Document:
    """Read a document; each paragraph's place is its number in the body, empty ones counted as Word counts them."""
    with opened(io.BytesIO(data), name=name) as archive:
        parts = checked_parts(archive, name=name, max_bytes=limits.max_unpacked)
        body = xml_tree(member_bytes(archive, BODY), name)
        levels = _style_levels(xml_tree(member_bytes(archive, _STYLES), name)) if _STYLES in parts else {}
    return document_of(_blocks(body, levels, tick), name=name)


def _style_levels(styles: etree._Element) -> Mapping[str, int]:
    """Return the heading level of each paragraph style that has one, by its id, also by inheritance."""
    named = {one.get(f"{_W}styleId", ""): one for one in styles.iter(f"{_W}style")}
    return {key: level for key in named if (level := _style_level(named, key))}


def _style_level(styles: Mapping[str, etree._Element], key: str) -> int:
    seen: set[str] = set()
    while key in styles and key not in seen:
        seen.add(key)
        found = _HEADING.match(_value(styles[key], "name"))
        if found:
            return int(found[1])
        if outlined := _outline(styles[key]):
            return outlined
        key = _value(styles[key], "basedOn")
    return 0


def _outline(element: etree._Element) -> int:
    """Return the level that an element's paragraph properties state; 0 for none, or for one below headings."""
    stated = _value(element, f"pPr/{_W}outlineLvl")
    return int(stated) + 1 if stated.isdecimal() and int(stated) < _OUTLINED else 0


def _value(element: etree._Element, path: str) -> str:
    found = element.find(f"{_W}{path}")
    return "" if found is None else found.get(f"{_W}val") or ""


def _blocks(body: etree._Element, levels: Mapping[str, int], tick: Tick) -> Iterator[Block]:
    found = list(body.iter(f"{_W}p"))
    for number, paragraph in enumerate(found, 1):
        if number % _SHARE == 1:
            tick(number / len(found))
        if any(one.tag in _LEFT_OUT for one in paragraph.iterancestors()):
            continue
        level = _outline(paragraph) or levels.get(_value(paragraph, f"pPr/{_W}pStyle"), 0)
        for line in _text(paragraph).split("\n"):
            yield Block(one_line(line), f"paragraph {number}", level)


def _text(paragraph: etree._Element) -> str:
    """Return what is written in a paragraph, tracked changes accepted; boxes in it speak for themselves."""
    parts: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if element.tag in _LEFT_OUT or element.tag == f"{_W}p" or _is_hidden(element):
            continue
        if element.tag == f"{_W}t":
            parts.append(element.text or "")
        elif element.tag == f"{_W}tab":
            parts.append("\u3000")
        elif element.tag in _BREAKS:
            parts.append("\n" if element.get(f"{_W}type") in (None, "textWrapping") else "")
        waiting += reversed(element)
    return "".join(parts)


def _is_hidden(run: etree._Element) -> bool:
    hidden = run.find(f"{_W}rPr/{_W}vanish")
    return hidden is not None and hidden.get(f"{_W}val") not in ("0", "false")
