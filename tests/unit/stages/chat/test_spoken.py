from __future__ import annotations

import threading
from collections.abc import Generator, Iterator

import pytest

from core.backends.llm import Delta
from core.domain.voice import Sound
from core.errors import StudioError, ToolFailedError
from core.stages.chat.clauses import ClauseSegmenter
from core.stages.chat.events import SoundReady, TextDelta, VoiceFailed
from core.stages.chat.spoken import Piece, TextOver, spoken
from tests.contract.doubles import SineVoice, tone

REPLY = "你来了。外头冷，快坐下罢。我不过是乏了。"


class Mouth:
    """Speaks with the double; has a recording of the line `recorded`; fails from the `failing`-th clause on."""

    name = "sine"

    def __init__(self, *, recorded: str = "", failing: int | None = None) -> None:
        self.voice = SineVoice()
        self.recorded = recorded
        self.failing = failing

    def of_line(self, utterance_id: str) -> Sound | None:
        return tone(1, 8_000) if utterance_id == self.recorded else None

    def of_text(self, text: str) -> Sound:
        if self.failing is not None and len(self.voice.spoken) >= self.failing:
            raise ToolFailedError("The voice broke.", remedy="None.")
        return self.voice.speak(text)


def pieces_of(
    text: str, mouth: Mouth | None, *, line: str | None = None, cancel: threading.Event | None = None
) -> Generator[Piece, None, None]:
    return spoken(
        lambda stop: (Delta(character, line) for character in text),
        mouth=mouth,
        segmenter=ClauseSegmenter(),
        cancel=cancel or threading.Event(),
    )


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))


def sounds_of(pieces: list[Piece]) -> list[SoundReady]:
    return [piece for piece in pieces if isinstance(piece, SoundReady)]


def test_all_words_arrive_and_all_clauses_are_heard_in_order():
    pieces = list(pieces_of(REPLY, Mouth()))
    sounds = sounds_of(pieces)

    assert text_of(pieces) == REPLY
    assert "".join(sound.text for sound in sounds) == REPLY
    assert [sound.sequence for sound in sounds] == list(range(len(sounds)))
    assert len(sounds) > 2


def test_the_first_sound_is_ready_while_the_text_still_streams():
    heard = threading.Event()

    def words(stop: threading.Event) -> Iterator[Delta]:
        yield Delta("你来了。外")
        heard.wait(10)
        yield Delta("头冷。")

    pieces = spoken(words, mouth=Mouth(), segmenter=ClauseSegmenter(), cancel=threading.Event())
    order = []
    for piece in pieces:
        order.append(type(piece))
        if isinstance(piece, SoundReady):
            heard.set()

    assert order.index(SoundReady) < order.index(TextOver)


def test_a_slow_voice_does_not_hold_the_text_up():
    text_over = threading.Event()

    class SlowMouth(Mouth):
        def of_text(self, text: str) -> Sound:
            text_over.wait(10)
            return super().of_text(text)

    order = []
    for piece in pieces_of(REPLY, SlowMouth()):
        order.append(type(piece))
        if isinstance(piece, TextOver):
            text_over.set()

    assert order.index(TextOver) < order.index(SoundReady)


def test_a_silent_chat_has_only_text():
    pieces = list(pieces_of(REPLY, None))

    assert text_of(pieces) == REPLY
    assert sounds_of(pieces) == []


def test_a_voice_that_fails_says_so_once_and_the_text_is_whole():
    pieces = list(pieces_of(REPLY, Mouth(failing=1)))

    assert text_of(pieces) == REPLY
    assert len(sounds_of(pieces)) == 1
    assert [type(piece) for piece in pieces].count(VoiceFailed) == 1


def test_a_line_she_has_recorded_is_heard_as_that_recording_alone():
    mouth = Mouth(recorded="s.1.0")
    sounds = sounds_of(list(pieces_of(REPLY, mouth, line="s.1.0")))

    assert [(sound.recorded, sound.sound.seconds) for sound in sounds] == [(True, 1)]
    assert mouth.voice.spoken == []


def test_a_line_without_a_recording_is_spoken_by_the_voice():
    sounds = sounds_of(list(pieces_of(REPLY, Mouth(recorded="another"), line="s.1.0")))

    assert not any(sound.recorded for sound in sounds)
    assert "".join(sound.text for sound in sounds) == REPLY


def test_a_model_that_breaks_is_heard_as_far_as_it_came_and_then_raises():
    def words(stop: threading.Event) -> Iterator[Delta]:
        yield Delta("你来了。外")
        raise ToolFailedError("The model broke.", remedy="None.")

    pieces: list[Piece] = []
    with pytest.raises(StudioError):
        pieces.extend(spoken(words, mouth=Mouth(), segmenter=ClauseSegmenter(), cancel=threading.Event()))

    assert text_of(pieces) == "你来了。外"
    assert [sound.text for sound in sounds_of(pieces)] == ["你来了。"]


def test_a_stop_ends_text_and_voice():
    cancel = threading.Event()
    mouth = Mouth()
    pieces = []
    for piece in pieces_of(REPLY * 50, mouth, cancel=cancel):
        pieces.append(piece)
        cancel.set()

    assert len(pieces) == 1


def test_no_thread_is_left_when_a_reader_leaves():
    told = threading.Event()

    def words(stop: threading.Event) -> Iterator[Delta]:
        yield Delta("你来了。外")
        if stop.wait(10):
            told.set()

    pieces = spoken(words, mouth=Mouth(), segmenter=ClauseSegmenter(), cancel=threading.Event())
    next(pieces)
    pieces.close()

    assert told.wait(10)
    for thread in threading.enumerate():
        if thread.name.startswith(("reply", "voice")):
            thread.join(10)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("reply", "voice"))]
