"""What a server of others said, as it may be shown and logged."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 300


def quoted(said: object, *, key: str) -> str:
    """Return it on one line, cut, without the key: a server may quote that, we do not."""
    words = " ".join(str(said).split())
    return (words.replace(key, "***") if key else words)[:LONGEST]
