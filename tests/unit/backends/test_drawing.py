"""Spoiled takes are drawn again, up to a limit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.backends.drawing import drawn, facts_of
from core.backends.tts import GoneError
from core.backends.tts.pcm import sound_of
from core.domain.takes import TakeFault
from core.domain.voice import Sound
from core.errors import ToolFailedError
from tests.contract.doubles import SineVoice, tone

SAID = "竹影移到窗前，天色就要晚了。"
SILENCE = sound_of(bytes(2 * 16_000 * 3), 16_000)
GOOD = tone(3.0, 16_000)
TOO_LONG = tone(20.0, 16_000)
FAILED = ToolFailedError("It failed.", remedy="Ask again.")


class Stumbling(SineVoice):
    """Says what it is told to, one after the other; an error is raised."""

    def __init__(self, takes: Sequence[Sound | Exception]) -> None:
        super().__init__()
        self.takes = takes
        self.draws: list[int] = []

    def speak(self, text: str, *, draw: int = 0) -> Sound:
        self.draws.append(draw)
        take = self.takes[draw]
        if isinstance(take, Exception):
            raise take
        return take


def test_a_good_take_is_drawn_once() -> None:
    voice = Stumbling([GOOD])

    take = drawn(voice, SAID, most=2)

    assert (take.sound, take.faults, take.draws) == (GOOD, [], 1)


def test_a_silent_take_is_drawn_again_with_another_draw() -> None:
    voice = Stumbling([SILENCE, FAILED, GOOD])

    take = drawn(voice, SAID, most=2)

    assert take.sound == GOOD
    assert voice.draws == [0, 1, 2]


def test_when_none_is_good_the_least_spoiled_is_returned_with_its_faults() -> None:
    take = drawn(Stumbling([SILENCE, TOO_LONG, TOO_LONG]), SAID, most=2)

    assert take.draws == 3
    assert take.faults
    assert TakeFault.LONG in take.faults or TakeFault.SILENT in take.faults


def test_a_voice_that_never_speaks_fails_as_it_says() -> None:
    with pytest.raises(ToolFailedError, match="It failed"):
        drawn(Stumbling([FAILED, FAILED]), SAID, most=1)


def test_a_server_that_is_gone_is_not_asked_again_here() -> None:
    voice = Stumbling([GoneError("It is gone.", remedy="Start it."), GOOD])

    with pytest.raises(GoneError):
        drawn(voice, SAID, most=2)
    assert voice.draws == [0]


def test_the_silence_around_the_words_is_not_counted_as_speech() -> None:
    padded = sound_of(bytes(2 * 16_000) + GOOD.wav[44:] + bytes(2 * 16_000), 16_000)

    assert facts_of(padded).seconds == pytest.approx(3.0, abs=0.05)
