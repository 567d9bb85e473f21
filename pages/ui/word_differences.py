"""Two texts that say nearly the same, as one: what is in both, what only one of them has."""

from __future__ import annotations

from difflib import SequenceMatcher
from html import escape
from typing import Final

_LONGEST: Final = 64
"""Characters of a stretch that is shown whole; of a longer one the middle is left out."""


def words(text: str) -> str:
    """Return the text as HTML."""
    return f'<p class="words">{_lines(text)}</p>'


def changed_words(before: str, after: str, *, folded: bool = False) -> str:
    """Return `after` as HTML, with what it has more than `before` marked, and what it lacks struck out.

    `folded` leaves out the middle of long stretches that are in both.
    """
    parts = []
    for kind, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            same = after[first:last]
            parts.append(_lines(_shortened(same) if folded else same))
            continue
        if start < end:
            parts.append(f"<del>{_lines(_shortened(before[start:end]))}</del>")
        if first < last:
            parts.append(f"<ins>{_lines(after[first:last])}</ins>")
    return f'<p class="words">{"".join(parts)}</p>'


def _shortened(text: str) -> str:
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}…{text[-half:]}"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
