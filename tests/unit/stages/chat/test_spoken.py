from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from core.backends.llm import Delta
from core.domain.voice import Sound
from core.errors import StudioError, ToolFailedError
from core.stages.chat.clauses import ClauseSegmenter
from core.stages.chat.events import SoundReady, TextDelta, VoiceFailed
from core.stages.chat.pacing import Pacing
from core.stages.chat.spoken import Deltas, Piece, TextOver, spoken
from tests.unit.stages.chat.mouths import HummingMouth

REPLY = "你来了。外头冷，快坐下罢。我不过是乏了。"


class Listener:
    """Keeps the pieces of a reply in the order they come."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.heard = threading.Event()
        self.read = threading.Event()

    async def put(self, piece: Piece) -> None:
        self.pieces.append(piece)
        if isinstance(piece, SoundReady):
            self.heard.set()
        if isinstance(piece, TextOver):
            self.read.set()

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, TextDelta))

    @property
    def sounds(self) -> list[SoundReady]:
        return [piece for piece in self.pieces if isinstance(piece, SoundReady)]

    @property
    def order(self) -> list[type[Piece]]:
        return [type(piece) for piece in self.pieces]


def characters(text: str, line: str | None = None) -> Deltas:
    return lambda stop: (Delta(character, line) for character in text)


async def speaking(deltas: Deltas, mouth: HummingMouth | None, listener: Listener, clause: int = 1) -> None:
    pacing = Pacing(clause=clause, look_ahead_seconds=100)
    await spoken(deltas, mouth=mouth, segmenter=ClauseSegmenter(), pacing=pacing, put=listener.put)


def listened(deltas: Deltas, mouth: HummingMouth | None) -> Listener:
    listener = Listener()
    asyncio.run(speaking(deltas, mouth, listener))
    return listener


def no_reply_thread_is_left() -> bool:
    for thread in threading.enumerate():
        if thread.name.startswith("reply"):
            thread.join(10)
    return not [thread for thread in threading.enumerate() if thread.name.startswith("reply")]


def test_all_words_arrive_and_all_clauses_are_heard_in_order():
    heard = listened(characters(REPLY), HummingMouth())

    assert heard.text == REPLY
    assert "".join(sound.text for sound in heard.sounds) == REPLY
    assert [sound.sequence for sound in heard.sounds] == list(range(len(heard.sounds)))
    assert len(heard.sounds) > 2


def test_the_first_sound_is_ready_while_the_text_still_streams():
    listener = Listener()

    def words(stop: threading.Event) -> Iterator[Delta]:
        yield Delta("你来了。外")
        listener.heard.wait(10)
        yield Delta("头冷。")

    asyncio.run(speaking(words, HummingMouth(), listener))

    assert listener.order.index(SoundReady) < listener.order.index(TextOver)


def test_a_slow_voice_does_not_hold_the_text_up():
    listener = Listener()

    class SlowMouth(HummingMouth):
        def stream(self, text: str, *, cancel: threading.Event, hurried: bool = False) -> Iterator[Sound]:
            listener.read.wait(10)
            yield from super().stream(text, cancel=cancel)

    asyncio.run(speaking(characters(REPLY), SlowMouth(), listener))

    assert listener.order.index(TextOver) < listener.order.index(SoundReady)


def test_what_waited_for_a_slow_voice_is_said_in_one_breath():
    listener = Listener()

    class SlowMouth(HummingMouth):
        def stream(self, text: str, *, cancel: threading.Event, hurried: bool = False) -> Iterator[Sound]:
            listener.read.wait(10)
            yield from super().stream(text, cancel=cancel)

    asyncio.run(speaking(characters(REPLY), SlowMouth(), listener, clause=16))

    assert [sound.text for sound in listener.sounds] == ["你来了。", "外头冷，快坐下罢。我不过是乏了。"]


def test_only_the_first_words_are_hurried():
    class NotingMouth(HummingMouth):
        hurries: list[bool] = []  # noqa: RUF012 - one instance only

        def stream(self, text: str, *, cancel: threading.Event, hurried: bool = False) -> Iterator[Sound]:
            self.hurries.append(hurried)
            yield from super().stream(text, cancel=cancel)

    listened(characters(REPLY), NotingMouth())

    assert NotingMouth.hurries[0]
    assert not any(NotingMouth.hurries[1:])


def test_a_silent_chat_has_only_text():
    heard = listened(characters(REPLY), None)

    assert heard.text == REPLY
    assert heard.sounds == []


def test_a_voice_that_fails_says_so_once_and_the_text_is_whole():
    heard = listened(characters(REPLY), HummingMouth(failing=1))

    assert heard.text == REPLY
    assert len(heard.sounds) == 1
    assert heard.order.count(VoiceFailed) == 1


def test_a_line_she_has_recorded_is_heard_as_that_recording_alone():
    mouth = HummingMouth(recorded="s.1.0")
    heard = listened(characters(REPLY, "s.1.0"), mouth)

    assert [(sound.recorded, sound.sound.seconds) for sound in heard.sounds] == [(True, 1)]
    assert mouth.voice.spoken == []


def test_a_line_without_a_recording_is_spoken_by_the_voice():
    heard = listened(characters(REPLY, "s.1.0"), HummingMouth(recorded="another"))

    assert not any(sound.recorded for sound in heard.sounds)
    assert "".join(sound.text for sound in heard.sounds) == REPLY


def test_a_model_that_breaks_is_heard_as_far_as_it_came_and_then_raises():
    listener = Listener()

    def words(stop: threading.Event) -> Iterator[Delta]:
        yield Delta("你来了。外")
        raise ToolFailedError("The model broke.", remedy="None.")

    with pytest.raises(StudioError):
        asyncio.run(speaking(words, HummingMouth(), listener))

    assert listener.text == "你来了。外"
    assert [sound.text for sound in listener.sounds] == ["你来了。"]


def test_a_cancelled_reply_stops_model_and_voice_and_leaves_no_task_and_no_thread():
    model_told, voice_told, speaking_now = threading.Event(), threading.Event(), threading.Event()

    def words(stop: threading.Event) -> Iterator[Delta]:
        yield Delta("你来了。外")
        if stop.wait(10):
            model_told.set()

    class EndlessMouth(HummingMouth):
        def stream(self, text: str, *, cancel: threading.Event, hurried: bool = False) -> Iterator[Sound]:
            speaking_now.set()
            if cancel.wait(10):
                voice_told.set()
            yield self.voice.speak(text)

    async def cancel_it() -> set[asyncio.Task[object]]:
        task = asyncio.ensure_future(speaking(words, EndlessMouth(), Listener()))
        while not speaking_now.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(cancel_it()) == set()
    assert model_told.wait(10)
    assert voice_told.wait(10)
    assert no_reply_thread_is_left()
