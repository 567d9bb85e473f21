"""Words inside Markdown that are shown as they are: nothing in them formats, in the dialects of the usual readers."""

from __future__ import annotations

import re
from typing import Final

_SIGNS: Final = re.compile(
    r"[\\`*_\[\]<>|~$&=^@]"
    r"|:(?=//|:|[^\W\d_]|[\w+-]+:|$)"  # addresses, directives, signs of joy
    r"|(?<=www)\."
    r"|(?<=[ \t])#+$",  # would close a heading, and be gone
    re.IGNORECASE,
)
"""What formats or links anywhere in a line."""
_BEGINNINGS: Final = re.compile(r"^(?:[#+-]|[0-9]{1,9}(?=[.)]))")
"""What makes a heading or a list of a line."""


def escaped(text: str) -> str:
    """Return text so that Markdown shows every sign and every line of it as it is, spaces at a line's ends aside."""
    return "\n\n".join(_paragraphs(text))


def in_one_paragraph(text: str) -> str:
    """Return the same as one paragraph, an empty line in it kept: it can stand in a quotation or between `**`."""
    return "\\\n\\\n".join(_paragraphs(text))


def on_one_line(text: str) -> str:
    """Return the same on a single line, as for a heading."""
    return escaped(" ".join(text.split()))


def _paragraphs(text: str) -> list[str]:
    lines = [_escaped_line(line) for line in text.replace("\0", "").splitlines()]
    paragraphs = re.split(r"\n{2,}", "\n".join(lines).strip("\n"))
    return [one.replace("\n", "\\\n") for one in paragraphs]


def _escaped_line(line: str) -> str:
    bare = _SIGNS.sub(r"\\\g<0>", line.strip(" \t"))
    begun = _BEGINNINGS.match(bare)
    if begun is None:
        return bare
    at = begun.end() if begun[0].isdigit() else 0
    return f"{bare[:at]}\\{bare[at:]}"
