from __future__ import annotations

import asyncio
import threading

import pytest

from core.domain.chat import Message, Speaker
from core.domain.identity import now
from core.errors import ToolFailedError
from core.stages.chat import live
from core.stages.chat.events import ReplyEvent, TextDelta, TextDone
from core.stages.chat.live import Emit, Pulse, Reply, under_way


def words(events: list[ReplyEvent | Pulse]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def saying(*texts: str, until: threading.Event | None = None) -> Reply:
    """Start a reply of those words, which waits for `until` before the last."""

    async def make(emit: Emit) -> None:
        for place, text in enumerate(texts, 1):
            while until is not None and place == len(texts) and not until.is_set():
                await asyncio.sleep(0.01)
            emit(TextDelta(text))

    return Reply("reply", "talk", make)


def test_every_reader_sees_every_event_however_late_it_comes():
    last = threading.Event()
    reply = saying("你", "来", "了", until=last)
    early = reply.follow()
    assert words([next(early), next(early)]) == "你来"
    last.set()
    assert reply.wait(10)

    assert words(list(early)) == "了"
    assert words(list(reply.follow())) == "你来了"


def test_a_reader_hears_a_pulse_while_nothing_comes():
    last = threading.Event()
    follow = saying("你", "来", until=last).follow()
    next(follow)

    assert isinstance(next(follow), Pulse)
    last.set()
    assert words(list(follow)) == "来"


def test_a_reply_that_fails_tells_every_reader_after_its_words():
    async def make(emit: Emit) -> None:
        emit(TextDelta("你"))
        raise ToolFailedError("The model broke.", remedy="None.")

    reply = Reply("reply", "talk", make)
    for _ in range(2):
        seen: list[ReplyEvent | Pulse] = []
        with pytest.raises(ToolFailedError):
            seen.extend(reply.follow())
        assert words(seen) == "你"


def test_a_stopped_reply_ends_its_making_and_keeps_what_it_may_still_say():
    ended = threading.Event()

    async def make(emit: Emit) -> None:
        emit(TextDelta("你"))
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            emit(TextDone(Message("m", "talk", 0, Speaker.PERSONA, "你", now())))
            ended.set()

    reply = Reply("reply", "talk", make)
    follow = reply.follow()
    next(follow)
    reply.stop()
    rest = [event for event in follow if not isinstance(event, Pulse)]

    assert ended.is_set()
    assert [type(event) for event in rest] == [TextDone]


def test_a_reply_is_under_way_until_it_is_over():
    last = threading.Event()
    reply = saying("你", until=last)

    assert under_way("talk") is reply
    assert under_way("another") is None
    last.set()
    assert reply.wait(10)
    assert under_way("talk") is None


def test_a_reply_that_nobody_reads_is_stopped_and_one_that_is_read_is_not(monkeypatch):
    monkeypatch.setattr(live, "ABANDONED_SECONDS", 0.2)
    never = threading.Event()
    read, unread = saying("你", until=never), Reply("other", "other talk", lambda emit: asyncio.sleep(60))
    follow = read.follow()
    next(follow)

    assert unread.wait(10)
    assert not read.over
    never.set()
    assert words(list(follow)) == "你"
    assert read.wait(10)


def test_fifty_talks_at_once_get_their_own_words_and_leave_nothing_behind():
    async def make_marked(emit: Emit, mark: str) -> None:
        for _ in range(20):
            emit(TextDelta(mark))
            await asyncio.sleep(0.001)

    replies = [
        Reply(f"r{n}", f"t{n}", lambda emit, n=n: make_marked(emit, f"<{n}>"))  # type: ignore[misc]  # bound at once
        for n in range(50)
    ]

    for number, reply in enumerate(replies):
        assert words(list(reply.follow())) == f"<{number}>" * 20
    assert all(under_way(f"t{n}") is None for n in range(50))
