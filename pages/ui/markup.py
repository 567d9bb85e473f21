"""Words of a book inside Markdown: shown as they are, whatever signs they hold."""

from __future__ import annotations

_SIGNS = frozenset("\\`*_{}[]()#+-!|<>~$:")


def plain(text: str) -> str:
    """Return the text so that Markdown shows every sign of it."""
    escaped = "".join(f"\\{letter}" if letter in _SIGNS else letter for letter in text)
    return escaped.replace("\n", "  \n")
