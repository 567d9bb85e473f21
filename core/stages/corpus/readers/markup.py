"""Paragraphs of HTML and XHTML, as a browser would break them; and XML of strangers parsed without its traps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from lxml import etree

from core.errors import InvalidInputError
from core.stages.corpus.document import one_line
from core.translation import N_

_UNREAD = frozenset(
    {"script", "style", "head", "template", "noscript", "svg", "math", "iframe", "object", "embed", "applet", "audio"}
    | {"video", "canvas", "select", "option", "button", "textarea", "input", "datalist", "dialog", "nav", "rp", "rt"}
    | {"map", "frameset"}
)
_BREAKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "div", "dl", "dt"}
    | {"fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html"}
    | {"legend", "li", "main", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"}
)
_CELLS = frozenset({"td", "th"})
_LEVELS = {"h1": 1, "h2": 2, "h3": 3}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SOURCELINES = 65_535
"""Lines libxml2 counts."""

Skipped = Callable[[etree._Element], bool]
"""Whether an element and all in it is left out."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A stretch of text between two breaks."""

    text: str
    line: int
    """Where its element begins in the file, from 1; 0 where nobody knows."""
    level: int
    anchors: frozenset[str]
    """The ids that links into this paragraph name."""


def html_tree(text: str, name: str) -> etree._Element:
    """Parse HTML or XHTML as forgivingly as a browser; nothing is fetched, nothing is run."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = etree.fromstring(_bytes(text), parser)
    except (etree.LxmlError, ValueError):
        root = None
    if root is None:
        raise InvalidInputError(
            N_("There is no text in {name}."), remedy=N_("Choose a file that holds text."), name=name
        )
    return root


def xml_tree(data: bytes, name: str) -> etree._Element:
    """Parse XML; entities, which are how XML bombs and thefts are built, make it an InvalidInputError."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    problem = N_("A part of {name} is damaged.")
    try:
        root = etree.fromstring(data, parser)
        subset = root.getroottree().docinfo.internalDTD
        if subset is None or not list(cast(Any, subset).iterentities()):  # the stubs do not know it
            return root
        problem = N_("{name} declares XML entities, as XML bombs do.")
    except (etree.LxmlError, ValueError):
        pass
    raise InvalidInputError(problem, remedy=N_("Save it anew in the program it was made with."), name=name)


def paragraphs(root: etree._Element, skipped: Skipped = lambda _element: False) -> Iterator[Paragraph]:
    """Yield the text between breaks, in reading order; scripts, styles, menus and what is hidden are left out."""
    page = _Page()
    open_: list[tuple[etree._Element, bool]] = [(root, False)]
    while open_:
        element, done = open_.pop()
        tag = _tag(element)
        if done:
            yield from page.close(tag)
            page.say(element.tail or "")
            continue
        if not tag or tag in _UNREAD or _is_hidden(element) or skipped(element):
            page.say(element.tail or "")
            continue
        yield from page.open(element, tag)
        page.say(element.text or "", verbatim=tag == "pre")
        open_.append((element, True))
        open_ += [(child, False) for child in reversed(element)]
    yield from page.end()


class _Page:
    """Gathers text until the next break."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._anchors: set[str] = set()
        self._line = 0
        self._level = 0

    def open(self, element: etree._Element, tag: str) -> Iterator[Paragraph]:
        if tag in _BREAKS:
            yield from self.end()
            line = cast(int, element.sourceline)
            self._line = line if line < _SOURCELINES else 0
            self._level = _LEVELS.get(tag, self._level)
        elif tag in _CELLS and self._parts:
            self._parts.append("\u3000")
        self._anchors |= {anchor for key in ("id", "name") if (anchor := element.get(key))}

    def close(self, tag: str) -> Iterator[Paragraph]:
        if tag in _BREAKS:
            yield from self.end()
            self._level = 0 if tag in _LEVELS else self._level

    def say(self, text: str, *, verbatim: bool = False) -> None:
        self._parts.append(text.replace("\n", "\x1e") if verbatim else text)

    def end(self) -> Iterator[Paragraph]:
        lines = "".join(self._parts).split("\x1e")
        self._parts = []
        for line in map(one_line, lines):
            if line:
                yield Paragraph(line, self._line, self._level, frozenset(self._anchors))
                self._anchors = set()


def _tag(element: etree._Element) -> str:
    """Return the element's name without its namespace, in small letters; empty for comments and the like."""
    return element.tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(element.tag, str) else ""


def _is_hidden(element: etree._Element) -> bool:
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or _HIDDEN.search(element.get("style") or "") is not None
    )


def _bytes(text: str) -> bytes:
    return text.replace("\x00", "").encode("utf-8", errors="ignore")
