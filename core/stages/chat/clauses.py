"""Cuts a reply into clauses while it streams, so that the first can be spoken before the last is written.

A clause ends after 。！？… and the like; after ，；： only once it is long enough; never inside “ ” or
between the two halves of an ellipsis. Joined, the clauses are the text, but for trailing marks nobody speaks.
"""

from __future__ import annotations

STRONG = frozenset("。！？…!?.\n")
WEAK = frozenset("，；：、—,;:")
OPENING = frozenset("“‘「『（《【([")
CLOSING = frozenset("”’」』）》】)]")


class ClauseSegmenter:
    """Takes text as it comes and gives clauses as soon as they are certain."""

    def __init__(self, *, first_clause: int = 5, clause: int = 16, longest_clause: int = 80) -> None:
        self._soft = first_clause
        self._later_soft = clause
        self._hard = longest_clause
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """Return the clauses that are complete now; a mark waits for the character after it."""
        self._rest += text
        clauses = []
        while (end := self._end()) is not None:
            clauses.append(self._rest[:end])
            self._rest = self._rest[end:]
            self._soft = self._later_soft
        return clauses

    def flush(self) -> list[str]:
        """Return what is left, the text being over; nothing when it has no words."""
        rest, self._rest = self._rest, ""
        return [rest] if speakable(rest) else []

    def _end(self) -> int | None:
        depth = 0
        for place, character in enumerate(self._rest[:-1]):
            depth = max(depth + (character in OPENING) - (character in CLOSING), 0)
            length = place + 1
            if length >= self._hard and speakable(self._rest[:length]):
                return length
            if depth == 0 and self._may_end(place) and speakable(self._rest[:length]):
                return length
        return None

    def _may_end(self, place: int) -> bool:
        character, following = self._rest[place], self._rest[place + 1]
        if following in STRONG or following in CLOSING:
            return False  # …… and ？！ and 。” belong together
        if character == ".":
            return following.isspace()  # 3.5 is one word
        if character in CLOSING:
            return place > 0 and self._rest[place - 1] in STRONG
        return character in STRONG or (character in WEAK and place + 1 >= self._soft)


def speakable(text: str) -> bool:
    """Whether there is a letter, a digit or a Chinese character in it."""
    return any(character.isalnum() for character in text)
