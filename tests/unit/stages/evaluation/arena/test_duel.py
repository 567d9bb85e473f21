"""Who meets whom is fair, and a model that fails is told, never a crash."""

from __future__ import annotations

import random
from collections import Counter
from threading import Event

import pytest

from core.domain.identity import now
from core.domain.training import Vote
from core.errors import InvalidInputError, ToolFailedError
from core.stages.evaluation.arena.duel import Answer, drawn, held

AT = now()


def vote(first: str, second: str) -> Vote:
    return Vote("v", "p", None, "问", first, second, first, "anna", AT)


def says(text: str, line_id: str | None = None):
    return lambda prompt, stop: Answer(f"{prompt}{text}", line_id)


def test_those_who_met_least_meet_next() -> None:
    votes = [vote("a", "b"), vote("b", "a"), vote("a", "c"), vote("c", "b"), vote("b", "c")]

    assert {frozenset(drawn("abc", votes, random.Random(seed))) for seed in range(20)} == {frozenset("ac")}


def test_in_the_long_run_all_pairs_meet_alike_and_each_stands_first_as_often() -> None:
    chance = random.Random(5)
    votes: list[Vote] = []
    for _round in range(600):
        votes.append(vote(*drawn("abcd", votes, chance)))

    met = Counter(frozenset((one.first, one.second)) for one in votes)
    first = Counter(one.first for one in votes)
    assert set(met.values()) == {100}
    assert all(115 < first[name] < 185 for name in "abcd")


def test_nobody_meets_himself() -> None:
    with pytest.raises(InvalidInputError):
        drawn(["a", "a"], [], random.Random(1))


def test_both_are_asked_the_same_and_a_line_of_the_book_is_remembered() -> None:
    duel = held("冷吗？", ("a", says("不冷", "s-1.1.0")), ("b", says("冷")))

    assert [(one.name, one.text, one.line_id) for one in (duel.first, duel.second)] == [
        ("a", "冷吗？不冷", "s-1.1.0"),
        ("b", "冷吗？冷", None),
    ]
    assert duel.failures == ()


def test_one_that_fails_or_says_nothing_is_told_and_the_other_still_answers() -> None:
    def breaks(prompt: str, stop: Event) -> Answer:
        raise ToolFailedError("It broke.", remedy="Mend it.")

    broken = held("冷吗？", ("a", breaks), ("b", says("冷")))
    silent = held("冷吗？", ("a", says("")), ("b", lambda prompt, stop: Answer("  ")))

    assert [(one.name, one.failure and one.failure.message) for one in broken.failures] == [("a", "It broke.")]
    assert broken.second.text == "冷吗？冷"
    assert [one.name for one in silent.failures] == ["b"]


def test_one_that_never_ends_is_left_behind_and_told_to_stop() -> None:
    stopped = Event()

    def endless(prompt: str, stop: Event) -> Answer:
        stop.wait(20)
        stopped.set()
        return Answer("")

    duel = held("冷吗？", ("a", endless), ("b", says("冷")), seconds=0.2)

    assert [one.name for one in duel.failures] == ["a"]
    assert stopped.wait(5)
