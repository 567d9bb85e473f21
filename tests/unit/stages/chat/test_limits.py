from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import InvalidInputError, TooManyError
from core.stages.chat.limits import Limiter, message_limiter
from core.stages.chat.settings import ChatSettings


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def allowed(limiter: Limiter, key: str, times: int) -> int:
    passed = 0
    for _ in range(times):
        try:
            limiter.take(key)
        except TooManyError:
            continue
        passed += 1
    return passed


def test_some_may_come_at_once_and_then_one_whenever_its_time_has_come(clock):
    limiter = Limiter(20, 5, clock=clock)

    assert allowed(limiter, "anna", 9) == 5
    clock.now += 3
    assert allowed(limiter, "anna", 9) == 1
    clock.now += 3600
    assert allowed(limiter, "anna", 9) == 5


def test_one_who_must_wait_is_told_how_long_and_waiting_so_long_is_enough(clock):
    limiter = Limiter(6, 1, clock=clock)
    limiter.take("anna")
    clock.now += 2.5
    with pytest.raises(TooManyError) as refused:
        limiter.take("anna")
    clock.now += refused.value.retry_after

    assert refused.value.retry_after == refused.value.values["seconds"] == 8
    assert isinstance(refused.value, InvalidInputError)
    assert pickle.loads(pickle.dumps(refused.value)).retry_after == 8
    assert allowed(limiter, "anna", 1) == 1


def test_asking_in_vain_does_not_make_the_wait_longer(clock):
    limiter = Limiter(60, 1, clock=clock)
    assert allowed(limiter, "anna", 100) == 1
    clock.now += 1

    assert allowed(limiter, "anna", 1) == 1


def test_nobody_pays_for_another(clock):
    limiter = Limiter(20, 2, clock=clock)

    assert [allowed(limiter, key, 4) for key in ("anna", "ben")] == [2, 2]


def test_none_a_minute_is_no_limit(clock):
    assert allowed(Limiter(0, clock=clock), "anna", 500) == 500


def test_who_has_waited_long_enough_is_forgotten_and_so_is_the_oldest_of_too_many(clock):
    limiter = Limiter(60, 2, clock=clock, most_keys=3)
    for key in "abcde":
        limiter.take(key)
    assert len(limiter) == 3
    clock.now += 60
    limiter.take("f")

    assert len(limiter) == 1


def test_a_clock_that_goes_back_gives_nothing_away(clock):
    limiter = Limiter(60, 2, clock=clock)
    allowed(limiter, "anna", 2)
    clock.now -= 500

    assert allowed(limiter, "anna", 3) == 0


def test_many_at_the_same_time_get_no_more_than_one_after_the_other(clock):
    limiter = Limiter(20, 7, clock=clock)
    with ThreadPoolExecutor(8) as pool:
        passed = sum(pool.map(lambda _: allowed(limiter, "anna", 10), range(8)))

    assert passed == 7


def test_visitors_may_send_what_the_settings_say():
    assert allowed(message_limiter(ChatSettings(messages_per_minute=20)), "anna", 50) == 5
    assert allowed(message_limiter(ChatSettings(messages_per_minute=0)), "anna", 50) == 50
