"""Replies under way: each goes on by itself, whoever reads, so that a page drawn anew neither loses nor ends it.

All replies of a process share one event loop, in a thread of its own. A reader sees every event from the first on,
however late it comes. A reply that nobody reads any more is stopped after a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from functools import lru_cache
from threading import Condition, Lock, Thread
from typing import Final

from core.stages.chat.events import ReplyEvent

PULSE_SECONDS = 0.1
ABANDONED_SECONDS = 20.0
"""How long a reply goes on without a reader: a page that is loaded again comes back sooner."""

Emit = Callable[[ReplyEvent], None]


class Pulse:
    """Nothing new has come for a moment; a reader may look whether it is still wanted."""


class Reply:
    """One reply under way, or just over."""

    def __init__(
        self, reply_id: str, conversation_id: str, make: Callable[[Emit], Awaitable[None]], *, said_id: str = ""
    ) -> None:
        """Start it; `make` emits its events and is cancelled by a stop. `said_id` is the message it answers."""
        self.id = reply_id
        self.conversation_id = conversation_id
        self.said_id = said_id
        self._events: list[ReplyEvent] = []
        self._changed = Condition()
        self._readers = 0
        self._left_at = time.monotonic()
        self._over = False
        self._failure: BaseException | None = None
        with _register_lock:  # it is over only after it is known, and known only with its task
            self._task = asyncio.run_coroutine_threadsafe(self._run(make), reply_loop())
            _replies[self.conversation_id] = self

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._over

    def follow(self) -> Generator[ReplyEvent | Pulse, None, None]:
        """Yield its events from the first on, and pulses in between; raise what made it fail, at the end."""
        place = 0
        with self._changed:
            self._readers += 1
        try:
            while True:
                with self._changed:
                    if place == len(self._events) and not self._over:
                        self._changed.wait(PULSE_SECONDS)
                    new, over = self._events[place:], self._over
                yield from new
                place += len(new)
                if over:
                    break
                if not new:
                    yield Pulse()
        finally:
            with self._changed:
                self._readers -= 1
                self._left_at = time.monotonic()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End model and voice; what she has said so far is kept. Returns at once."""
        self._task.cancel()

    def wait(self, seconds: float) -> bool:
        """Return whether it is over within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._over, seconds)

    async def _run(self, make: Callable[[Emit], Awaitable[None]]) -> None:
        watch = asyncio.ensure_future(self._watch())
        making = asyncio.ensure_future(make(self._emit))
        try:
            await asyncio.wait((making, watch), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watch.cancel()
            making.cancel()
            await asyncio.wait((making,))
            self._end(None if making.cancelled() else making.exception())

    async def _watch(self) -> None:
        """Return once nobody has read for too long."""
        while True:
            await asyncio.sleep(ABANDONED_SECONDS / 10)
            with self._changed:
                if not self._readers and time.monotonic() - self._left_at > ABANDONED_SECONDS:
                    return

    def _emit(self, event: ReplyEvent) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def _end(self, failure: BaseException | None) -> None:
        _forget(self)
        with self._changed:
            self._failure, self._over = failure, True
            self._changed.notify_all()


def under_way(conversation_id: str) -> Reply | None:
    """Return the reply that is being made in a conversation, if one is."""
    with _register_lock:
        return _replies.get(conversation_id)


def one_at_a_time(conversation_id: str) -> Lock:
    """Return the lock within which a reply of that conversation is begun: two tabs may ask in the same moment."""
    return _BEGINNINGS[hash(conversation_id) % len(_BEGINNINGS)]


_replies: dict[str, Reply] = {}
_register_lock = Lock()
_BEGINNINGS: Final = tuple(Lock() for _ in range(256))
"""Shared by conversations that fall on the same one, so that none has to be forgotten."""


def _forget(reply: Reply) -> None:
    with _register_lock:
        if _replies.get(reply.conversation_id) is reply:
            del _replies[reply.conversation_id]


@lru_cache(maxsize=1)
def reply_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop in which all replies of this process are made."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="replies", daemon=True).start()
    return loop
