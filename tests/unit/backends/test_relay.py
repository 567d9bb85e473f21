from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from core.backends.relay import relayed

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
