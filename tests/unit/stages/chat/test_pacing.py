from __future__ import annotations

import asyncio

import pytest

from core.stages.chat.pacing import MARGIN_SECONDS, Pacing, Sayings


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sayings():
    waiting = Sayings()
    for clause in ("你来了。", "外头冷，", "快坐下罢。"):
        waiting.add(clause)
    return waiting


def spoken_before(clock: Clock, *, clause: int, took: float, heard: float) -> Pacing:
    """Return the pacing after ten characters that took so long and are heard for so long."""
    pacing = Pacing(clause=clause, look_ahead_seconds=1000, clock=clock)
    pacing.begin()
    clock.now += took
    pacing.hear(heard)
    pacing.end("十个字的一句话就是了")
    return pacing


def taken(sayings: Sayings, pacing: Pacing) -> str:
    async def take() -> str:
        return await asyncio.wait_for(sayings.take(pacing), 10)

    return asyncio.run(take())


def test_the_first_clause_is_said_alone(sayings, clock):
    assert taken(sayings, Pacing(clause=16, look_ahead_seconds=20, clock=clock)) == "你来了。"


def test_clauses_that_wait_are_said_together_until_they_are_long_enough(sayings, clock):
    pacing = spoken_before(clock, clause=6, took=0.1, heard=60)
    sayings.close()

    assert taken(sayings, pacing) == "你来了。外头冷，"
    assert taken(sayings, pacing) == "快坐下罢。"
    assert taken(sayings, pacing) == ""


def test_only_so_much_is_said_together_as_the_visitor_has_time_for(sayings, clock):
    pacing = spoken_before(clock, clause=16, took=2.0, heard=0.2 * 9 + MARGIN_SECONDS)

    assert taken(sayings, pacing) == "你来了。外头冷，"


def test_a_voice_that_is_late_says_one_clause_at_a_time(sayings, clock):
    pacing = spoken_before(clock, clause=16, took=2.0, heard=0.5)

    assert [taken(sayings, pacing), taken(sayings, pacing)] == ["你来了。", "外头冷，"]


def test_more_words_are_waited_for_while_there_is_time(clock):
    pacing = spoken_before(clock, clause=6, took=0.1, heard=60)

    async def take_and_add() -> str:
        sayings = Sayings()
        sayings.add("你来了。")
        taking = asyncio.ensure_future(sayings.take(pacing))
        await asyncio.sleep(0)
        sayings.add("外头冷，")
        return await asyncio.wait_for(taking, 10)

    assert asyncio.run(take_and_add()) == "你来了。外头冷，"


def test_sound_that_comes_too_late_is_heard_from_when_it_comes(clock):
    pacing = spoken_before(clock, clause=10, took=1.0, heard=1.0)
    clock.now += 3
    pacing.hear(2.0)

    assert pacing.patience == pytest.approx(2.0 - 0.1 * 10 - MARGIN_SECONDS)


def test_the_voice_rests_while_it_is_further_ahead_than_it_should_be():
    pacing = Pacing(clause=1, look_ahead_seconds=100)
    pacing.hear(100.05)

    async def rest() -> float:
        began = asyncio.get_running_loop().time()
        await pacing.look_ahead()
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(rest()) >= 0.03
