"""What a reader makes of a file: its text, and of a file that is no plain text each paragraph with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.errors import InvalidInputError
from core.translation import N_

BLANK = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff\u200b\u200c\u200d\u2060"
"""White space, and invisible characters that `str.strip` does not count as such."""

Tick = Callable[[float], None]
"""Told which share of a file is read, 0 to 1, between its parts; raises to end the reading."""

_SPACE = re.compile("[\\s\u200b\u2060\ufeff]+")
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\u2018-\u201d\u2026\u2014\U00020000-\U0003ffff"
_SPACE_OF_WRAPPING = re.compile(f"(?<=[{_WIDE}])[ ]*[\r\n]+[ \t]*(?=[{_WIDE}])")
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_WORD_END = re.compile(r"[A-Za-z0-9,.;:!?)]$")
_WORD_START = re.compile(r"[A-Za-z0-9(]")


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph or heading; its text is one line and never empty."""

    text: str
    place: str
    level: int = 0
    """1 for the highest headings the format itself marks as such; 0 for a paragraph."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read."""

    text: str
    """The decoded file, or the blocks, one a line."""
    encoding: str
    blocks: tuple[Block, ...] | None = None
    """None where the text is the file itself, decoded."""
    titled: bool = False
    """The format names its chapters, so that no line of the text is taken for a heading."""


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """What a reader may take."""

    max_unpacked: int
    """Bytes a packed file (EPUB, DOCX) may unpack to."""
    max_pages: int
    """Of a PDF."""


def document_of(blocks: Iterable[Block], *, name: str, encoding: str = "utf-8", titled: bool = False) -> Document:
    """Return the document those blocks are; InvalidInputError when there is no text in them."""
    kept = tuple(block for block in blocks if block.text)
    if not kept:
        raise InvalidInputError(
            N_("There is no text in {name}."), remedy=N_("Choose a file that holds text."), name=name
        )
    return Document("\n".join(block.text for block in kept), encoding, kept, titled)


def one_line(text: str) -> str:
    """Return a paragraph's text as one line, as a browser would show it; breaks between Chinese characters vanish."""
    inked = _SPACE_OF_WRAPPING.sub("", _NO_TEXT.sub("", text).strip(BLANK))
    return _SPACE.sub(_one_space, inked)


def joined(before: str, after: str) -> str:
    """Return two lines of one paragraph as one; words of alphabets are kept apart, a hyphen at the break goes."""
    if before.endswith("-") and before[-2:-1].isalpha() and after[:1].islower():
        return before[:-1] + after
    apart = _WORD_END.search(before) and _WORD_START.match(after)
    return f"{before} {after}" if apart else before + after


def _one_space(found: re.Match[str]) -> str:
    return "\u3000" if "\u3000" in found.group() else " "
