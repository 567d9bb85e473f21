"""Markdown: paragraphs and `#` headings, without their marks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.domain.encoding import decode
from core.stages.corpus.document import Block, Document, ReadingLimits, Tick, document_of, joined, one_line

_HEADING = re.compile(r"^ {0,3}#{1,3} +\S", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n.{0,5000}?\n(?:---|\.\.\.)[ \t]*\r?\n", re.DOTALL)
_SENTENCE_END = re.compile("[。！？…”’」』!?.—：]$")
_NAMES = (".md", ".markdown", ".mdown")
_LEVELS = {"h1": 1, "h2": 2, "h3": 3}
_APART = 0.9
"""Share of paragraphs with an empty line before them, from which a text under any name reads well as Markdown."""


def recognises(text: str, name: str) -> bool:
    """Whether a decoded text is Markdown.

    Any text is also Markdown, so a name that says so decides; else it takes headings and empty lines in between.
    """
    if name.lower().endswith(_NAMES):
        return True
    return len(_HEADING.findall(text)) > 1 and _share_apart(text) >= _APART


def read(data: bytes, name: str, limits: ReadingLimits, tick: Tick) -> Document:
    """Read a text; each paragraph's place is the line it begins in."""
    text, encoding = decode(data, name)
    # Four spaces before a paragraph and a line of dashes below one are habits of typists, no code and no heading.
    parser = MarkdownIt("commonmark").enable("table").disable(["code", "lheading"])
    tick(0.1)
    tokens = parser.parse(_without_front_matter(text))
    tick(0.8)
    return document_of(_blocks(tokens), name=name, encoding=encoding)


def _share_apart(text: str) -> float:
    lines = [line.strip() for line in text.splitlines()]
    starts = [number for number, line in enumerate(lines) if number and line]
    apart = sum(not lines[number - 1] or lines[number - 1].startswith("#") for number in starts)
    return apart / len(starts) if starts else 0.0


def _without_front_matter(text: str) -> str:
    """Return the text with a YAML head emptied; its lines are kept, so that the others keep their numbers."""
    head = _FRONT_MATTER.match(text)
    return "\n" * head.group().count("\n") + text[head.end() :] if head else text


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    level = line = 0
    for token in tokens:
        if token.map:
            line = token.map[0] + 1
        if token.type == "heading_open":
            level = _LEVELS.get(token.tag, 0)
        elif token.type == "inline":
            yield from _paragraphs(token, line, level)
            level = 0
        elif token.type == "fence":
            for number, text in enumerate(token.content.splitlines(), line + 1):
                yield Block(one_line(text), f"line {number}")


def _paragraphs(inline: Token, line: int, level: int) -> Iterator[Block]:
    """Yield an inline token's paragraphs: one, but where a line ends as sentences do, the next begins another."""
    words, began = "", line
    for number, text in enumerate(_lines(inline), line):
        if words and _SENTENCE_END.search(words):
            yield Block(words, f"line {began}", level)
            words, began = "", number
        words = joined(words, one_line(text)) if words else one_line(text)
    yield Block(words, f"line {began}", level)


def _lines(inline: Token) -> list[str]:
    parts = []
    for token in inline.children or ():
        if token.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif token.type in ("text", "code_inline"):
            parts.append(token.content)
    return "".join(parts).split("\n")
