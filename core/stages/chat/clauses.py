"""Cuts a reply into clauses while it streams, so that the first can be spoken before the last is written.

A clause ends after 。！？… and the like; after ，；： only once it is long enough to be spoken alone; never inside
“ ” or between the two halves of an ellipsis. Joined, the clauses are the text, but for trailing marks nobody speaks.
"""

from __future__ import annotations

STRONG = frozenset("。！？…!?.\n")
ENDING = frozenset("。！？!?\n")
"""Strong marks that are whole by themselves: not half an ellipsis, nor the point in a number."""
WEAK = frozenset("，；：、—,;:")
OPENING = frozenset("“‘「『（《【([")
CLOSING = frozenset("”’」』）》】)]")


class ClauseSegmenter:
    """Takes text as it comes and gives clauses as soon as they are certain."""

    def __init__(self, *, shortest: int = 5, longest: int = 80) -> None:
        self._shortest = shortest
        self._longest = longest
        self._rest = ""
        self._given = False

    def feed(self, text: str) -> list[str]:
        """Return the clauses that are complete now.

        A mark waits for the character after it, which may belong to it; that of the first clause does not wait.
        """
        self._rest += text
        clauses = []
        while (end := self._end()) is not None:
            clauses.append(self._rest[:end])
            self._rest = self._rest[end:]
            self._given = True
        return clauses

    def flush(self) -> list[str]:
        """Return what is left, the text being over; nothing when it has no words."""
        rest = self.rest()
        return [rest] if speakable(rest) else []

    def rest(self) -> str:
        """Return what is left, the text being over, whether it can be spoken or not."""
        rest, self._rest = self._rest, ""
        return rest

    def _end(self) -> int | None:
        depth = 0
        for place, character in enumerate(self._rest[:-1]):
            depth = max(depth + (character in OPENING) - (character in CLOSING), 0)
            length = place + 1
            if length >= self._longest and speakable(self._rest[:length]):
                return length
            if depth == 0 and self._may_end(place) and speakable(self._rest[:length]):
                return length
        return self._first_end(depth)

    def _first_end(self, depth: int) -> int | None:
        """Return the end of the text so far where it ends the first clause, whatever mark may follow."""
        if self._given or not self._rest or not speakable(self._rest):
            return None
        mark = self._rest[-1]
        depth += (mark in OPENING) - (mark in CLOSING)
        at_once = mark in ENDING or (mark in WEAK and len(self._rest) >= self._shortest)
        return len(self._rest) if depth <= 0 and at_once else None

    def _may_end(self, place: int) -> bool:
        character, following = self._rest[place], self._rest[place + 1]
        if following in STRONG or following in CLOSING:
            return False  # …… and ？！ and 。” belong together
        if character == ".":
            return following.isspace()  # 3.5 is one word
        if character in CLOSING:
            return place > 0 and self._rest[place - 1] in STRONG
        return character in STRONG or (character in WEAK and place + 1 >= self._shortest)


def speakable(text: str) -> bool:
    """Whether there is a letter, a digit or a Chinese character in it."""
    return any(character.isalnum() for character in text)
