"""How much the voice says at a time: little while the visitor would hear a gap, whole sentences once there is time.

Short clauses are heard soon but sound hurried, and each costs the voice its start. So the first clause is spoken
alone; after it, as long as earlier sound still plays, the voice waits for more words, and begins just in time.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

MARGIN_SECONDS = 0.15
"""How long before the last sound ends the next should be there; the network and the player take their share."""


class Sayings:
    """The clauses of a reply that wait for the voice."""

    def __init__(self) -> None:
        self.line: str | None = None
        """The line of the book that the reply is, once that is known."""
        self._clauses: deque[str] = deque()
        self._closed = False
        self._changed = asyncio.Event()

    def add(self, clause: str) -> None:
        """Let another clause wait."""
        self._clauses.append(clause)
        self._changed.set()

    def close(self) -> None:
        """Say that no more will come."""
        self._closed = True
        self._changed.set()

    async def take(self, pacing: Pacing) -> str:
        """Return what the voice is to say next: as much as it should, if that comes in time; empty at the end.

        The first clause is said alone and at once, later ones together as far as the visitor hears no gap.
        """
        while not self._enough(pacing.wanted):
            patience = pacing.patience if self._clauses else None
            if patience is not None and patience <= 0:
                break
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), patience)
            except TimeoutError:
                break
        return self._joined(pacing.wanted, pacing.affordable)

    def _enough(self, wanted: int) -> bool:
        return self._closed or (bool(self._clauses) and sum(map(len, self._clauses)) >= wanted)

    def _joined(self, wanted: int, most: float) -> str:
        words = self._clauses.popleft() if self._clauses else ""
        while self._clauses and len(words) < wanted and len(words) + len(self._clauses[0]) <= most:
            words += self._clauses.popleft()
        return words


class Pacing:
    """What is known of the voice's speed and of how long the visitor has still to listen."""

    def __init__(self, *, clause: int, look_ahead_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clause = clause
        self._look_ahead = look_ahead_seconds
        self._clock = clock
        self._heard_until: float | None = None
        self._began = 0.0
        self._a_character = 0.0

    @property
    def wanted(self) -> int:
        """Characters that the voice should say at a time; of the first words any number."""
        return 1 if self._heard_until is None else self._clause

    @property
    def patience(self) -> float:
        """Seconds until the voice must begin again, lest the visitor hear a gap; negative once it is late."""
        return self._time_left - self._a_character * self._clause

    @property
    def affordable(self) -> float:
        """Characters that the voice can say before the visitor hears a gap, as slow as it has been at its slowest."""
        return self._time_left / self._a_character if self._a_character else float("inf")

    @property
    def _time_left(self) -> float:
        return (self._heard_until or 0.0) - self._clock() - MARGIN_SECONDS

    def begin(self) -> None:
        """Say that the voice begins to speak."""
        self._began = self._clock()

    def hear(self, seconds: float) -> None:
        """Say that so much sound more is on its way to the visitor."""
        self._heard_until = max(self._heard_until or 0.0, self._clock()) + seconds

    def end(self, words: str) -> None:
        """Say that the voice has spoken those words; the slowest of its sayings counts from now on."""
        self._a_character = max(self._a_character, (self._clock() - self._began) / len(words))

    async def look_ahead(self) -> None:
        """Wait while the voice is further ahead of the visitor than it should be."""
        await asyncio.sleep(max((self._heard_until or 0.0) - self._clock() - self._look_ahead, 0.0))
