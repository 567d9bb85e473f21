"""Where a line may be cut in two: after its stops, or anywhere else one points at."""

from __future__ import annotations

from typing import Final

_STOPS: Final = "。！？!?；;…—.．"
_PAUSES: Final = "，,、：:"
_CLOSING: Final = "”’」』》）)\"'"
_WIDTH: Final = 9


def cut_places(text: str, *, most: int = 8) -> list[int]:
    """Return the offsets where a new line may begin, in order: after full stops first, pauses where those are few."""
    places = _after(text, _STOPS)
    if len(places) < most:
        places = sorted({*places, *_after(text, _PAUSES)})
    middle = len(text) / 2
    return sorted(sorted(places, key=lambda at: abs(at - middle))[:most])


def cut_shown(text: str, at: int) -> str:
    """Return the words on both sides of a cut, shortened, with the cut between them."""
    before, after = text[:at].strip(), text[at:].strip()
    left = before if len(before) <= _WIDTH else f"…{before[-_WIDTH:]}"
    right = after if len(after) <= _WIDTH else f"{after[:_WIDTH]}…"
    return f"{left} ┃ {right}"


def _after(text: str, signs: str) -> list[int]:
    places = []
    for at, sign in enumerate(text):
        nothing_follows = at + 1 < len(text) and text[at + 1] not in signs + _CLOSING
        if sign in signs + _CLOSING and text[: at + 1].rstrip(_CLOSING).endswith(tuple(signs)) and nothing_follows:
            places.append(at + 1)
    return [at for at in places if text[:at].strip() and text[at:].strip()]
