from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from core.backends.relay import apart, flowing, relayed

Put = Callable[[int], None]


def test_pieces_arrive_in_order():
    def count(put: Put, stop: threading.Event) -> None:
        for number in range(50):
            put(number)

    assert list(relayed(count, cancel=threading.Event())) == list(range(50))


def test_what_the_producer_raises_is_raised_after_its_pieces():
    def break_down(put: Put, stop: threading.Event) -> None:
        put(1)
        raise ZeroDivisionError

    pieces = relayed(break_down, cancel=threading.Event())

    assert next(pieces) == 1
    with pytest.raises(ZeroDivisionError):
        next(pieces)


def test_a_cancel_ends_the_reading_while_the_producer_still_thinks():
    cancel, thinking, stopped = threading.Event(), threading.Event(), threading.Event()

    def think(put: Put, stop: threading.Event) -> None:
        put(1)
        thinking.wait(10)
        if stop.is_set():
            stopped.set()

    pieces = relayed(think, cancel=cancel)
    next(pieces)
    cancel.set()
    rest = list(pieces)
    thinking.set()

    assert rest == []
    assert stopped.wait(10)


def test_a_reader_that_leaves_stops_the_producer():
    stopped = threading.Event()

    def until_stopped(put: Put, stop: threading.Event) -> None:
        put(1)
        if stop.wait(10):
            stopped.set()

    pieces = relayed(until_stopped, cancel=threading.Event())
    next(pieces)
    pieces.close()

    assert stopped.wait(10)


def test_a_blocking_iterator_flows_into_an_event_loop():
    async def read() -> list[int]:
        return [number async for number in flowing(lambda stop: iter(range(50)))]

    assert asyncio.run(read()) == list(range(50))


def test_a_blocking_iterator_waits_for_a_reader_that_is_far_behind():
    made: list[int] = []

    def count(stop: threading.Event) -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    async def read_slowly() -> tuple[int, list[int]]:
        pieces = flowing(count)
        first = await anext(pieces)
        await asyncio.sleep(0.5)
        far = len(made)
        return far, [first, *[piece async for piece in pieces]]

    far, read = asyncio.run(read_slowly())

    assert far < 100
    assert read == list(range(1000))


def test_blocking_work_apart_gives_what_it_returns_and_raises():
    assert asyncio.run(apart(lambda: threading.current_thread().name)).startswith("reply")
    with pytest.raises(ZeroDivisionError):
        asyncio.run(apart(lambda: 1 // 0))


def test_what_a_blocking_iterator_raises_is_raised_in_the_event_loop():
    def break_down(stop: threading.Event) -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    async def read() -> None:
        pieces = flowing(break_down)
        assert await anext(pieces) == 1
        with pytest.raises(ZeroDivisionError):
            await anext(pieces)

    asyncio.run(read())


@pytest.mark.parametrize("leaving", ["closed", "cancelled"])
def test_an_event_loop_that_leaves_stops_the_iterator_and_closes_it(leaving):
    told, closed = threading.Event(), threading.Event()

    def until_stopped(stop: threading.Event) -> Iterator[int]:
        try:
            yield 1
            if stop.wait(10):
                told.set()
            yield 2
        finally:
            closed.set()

    async def leave() -> None:
        pieces = flowing(until_stopped)
        await anext(pieces)
        if leaving == "closed":
            await pieces.aclose()
            return
        reading = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(leave())

    assert told.wait(10)
    assert closed.wait(10)
