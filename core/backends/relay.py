"""Runs a producer in a thread of its own and hands its pieces over, so that a reader can leave at once.

A model may think for seconds between two words. The reader must not wait that long to hear that it was
told to stop; and a reader that goes away must not leave the producer working.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from queue import Empty, Queue
from threading import Event, Semaphore
from typing import Any, Final, TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.02
_END: Final = object()
_AHEAD: Final = 64
"""Pieces made before the reader has taken them."""


def relayed(produce: Callable[[Callable[[T], None], Event], None], *, cancel: Event) -> Generator[T, None, None]:
    """Yield what `produce(put, stop)` puts, in order; raise what it raises.

    `stop` is set as soon as `cancel` is or the reader leaves; the reader does not wait for the producer
    to notice.
    """
    pieces: Queue[object] = Queue()
    stop = Event()
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reply")

    def work() -> None:
        try:
            produce(pieces.put, stop)
        finally:
            pieces.put(_END)

    outcome = worker.submit(work)
    try:
        while (piece := _next(pieces, cancel)) is not _END:
            yield piece  # type: ignore[misc]  # only `produce` puts, and it puts T
        if not cancel.is_set():
            outcome.result()
    finally:
        stop.set()
        worker.shutdown(wait=False)


def run_until(stop: Event, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` in a loop of its own and raise what it raises; cancel it as soon as `stop` is set."""
    asyncio.run(_watched(stop, work))


async def _watched(stop: Event, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    while not (task.done() or stop.is_set()):
        await asyncio.wait((task,), timeout=POLL_SECONDS)
    task.cancel()  # once: a second time would break its tidying up off
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()


def _next(pieces: Queue[object], cancel: Event) -> object:
    while not cancel.is_set():
        try:
            return pieces.get(timeout=POLL_SECONDS)
        except Empty:
            continue
    return _END


async def flowing(opened: Callable[[Event], Iterator[T]]) -> AsyncGenerator[T, None]:
    """Yield in this event loop what the blocking iterator `opened(stop)` yields; raise what it raises.

    The iterator runs in a thread of its own: in a shared pool a slow model or voice would keep others waiting. It waits
    while the reader is far behind. `stop` is set when the reader leaves or is cancelled, who does not wait for the
    iterator to notice.
    """
    loop, stop, room = asyncio.get_running_loop(), Event(), Semaphore(_AHEAD)
    pieces: asyncio.Queue[object] = asyncio.Queue()

    def put(piece: object) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody reads any more
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

    def work() -> None:
        try:
            with closing(iterated(opened(stop))) as source:
                for piece in source:
                    while not (stop.is_set() or room.acquire(timeout=POLL_SECONDS)):
                        pass
                    if stop.is_set():
                        return
                    put(piece)
        finally:
            put(_END)

    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reply")
    outcome = worker.submit(work)
    try:
        while (piece := await pieces.get()) is not _END:
            room.release()
            yield piece  # type: ignore[misc]  # only `work` puts, and it puts T
        await asyncio.wrap_future(outcome)
    finally:
        stop.set()
        worker.shutdown(wait=False)


async def apart(work: Callable[[], T]) -> T:
    """Return what blocking work returns, done in a thread of its own; raise what it raises."""
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reply")
    try:
        return await asyncio.wrap_future(worker.submit(work))
    finally:
        worker.shutdown(wait=False)


def iterated(pieces: Iterator[T]) -> Generator[T, None, None]:
    """Yield what any iterator yields; closing this closes it, where it can be closed."""
    yield from pieces
