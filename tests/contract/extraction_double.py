"""A stand-in for an extraction model; passes the same contract as the real one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from core.backends.extraction import Answer, Fields, Message, UnreadableError
from core.errors import StudioError
from tests.contract.script_server import Rows, quoted_lines

Trouble = Callable[[str, int], StudioError | str | None]
"""Text and how often it was asked -> what goes wrong: an error, an unreadable answer, or nothing."""


class CannedModel:
    """Answers with `rows(text)`, one `role|dialogue` a line, unless there is trouble."""

    name = "canned"
    model = "canned-1"

    def __init__(self, rows: Callable[[str], Rows] = quoted_lines, trouble: Trouble = lambda text, nth: None) -> None:
        self.rows, self.trouble = rows, trouble
        self.asked: Counter[str] = Counter()
        self.afresh = 0
        self._lock = threading.Lock()

    def messages(self, text: str) -> tuple[Message, ...]:
        """The text is all it needs."""
        return (Message("user", text),)

    def ask(self, text: str, *, afresh: bool = False) -> Answer:
        """Answer at once."""
        with self._lock:
            self.asked[text] += 1
            self.afresh += afresh
            trouble = self.trouble(text, self.asked[text])
        if isinstance(trouble, StudioError):
            raise trouble
        words = "\n".join(f"{role}|{line}" for role, line in self.rows(text))
        if trouble is not None:
            return Answer(trouble, (), "not a table", len(text), len(trouble))
        return Answer(words, self.read(words), "", len(text), len(words))

    def read(self, answer: str) -> tuple[Fields, ...]:
        """Read what `ask` wrote."""
        rows = [line.split("|") for line in answer.splitlines()]
        if any(len(row) != 2 for row in rows):
            raise UnreadableError("Not a table.", remedy="Ask again.")
        return tuple({"role": role, "dialogue": line} for role, line in rows)

    def close(self) -> None:
        """Nothing is held."""
