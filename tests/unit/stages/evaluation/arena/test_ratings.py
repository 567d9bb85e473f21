"""Votes become strengths with intervals that hold what they promise."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

import pytest

from core.domain.identity import now
from core.domain.training import Vote
from core.stages.evaluation.arena.ratings import MEAN, SCALE, Rating, ratings, win_chance

AT = now()
FIVE = {"a": 800.0, "b": 900.0, "c": 1000.0, "d": 1100.0, "e": 1200.0}


def vote(first: str, second: str, winner: str | None) -> Vote:
    return Vote("v", "p", None, "问", first, second, winner, "anna", AT)


def cast(strengths: Mapping[str, float], count: int, chance: random.Random, tie: float = 0.0) -> list[Vote]:
    """Return votes as people of those tastes would give them."""
    votes = []
    for _number in range(count):
        first, second = chance.sample(list(strengths), 2)
        one, other = (math.exp(strengths[name] / SCALE) for name in (first, second))
        neither = tie * math.sqrt(one * other)
        drawn = chance.random() * (one + other + neither)
        votes.append(vote(first, second, first if drawn < one else second if drawn < one + other else None))
    return votes


def by_name(votes: list[Vote]) -> dict[str, Rating]:
    return {one.name: one for one in ratings(votes)}


@pytest.mark.parametrize(("count", "tie"), [(300, 0.0), (60, 0.0), (300, 1.0), (60, 1.0)])
def test_known_strengths_lie_within_their_intervals_in_95_of_100_cases(count: int, tie: float) -> None:
    chance = random.Random(1)
    inside = [
        one.low <= FIVE[one.name] <= one.high
        for _repetition in range(300)
        for one in ratings(cast(FIVE, count, chance, tie))
    ]

    assert 0.92 <= sum(inside) / len(inside) <= 0.98


def test_many_votes_find_the_strengths_themselves() -> None:
    found = by_name(cast(FIVE, 20_000, random.Random(2)))

    assert all(abs(found[name].strength - strength) < 15 for name, strength in FIVE.items())
    assert sum(one.strength for one in found.values()) / 5 == pytest.approx(MEAN)


def test_more_votes_make_intervals_narrower() -> None:
    few, many = (by_name(cast(FIVE, count, random.Random(3)))["c"] for count in (50, 800))

    assert (few.high - few.low) > 3 * (many.high - many.low)


def test_ten_wins_for_a_loss_are_about_four_hundred_points() -> None:
    found = by_name([vote("a", "b", "a")] * 1000 + [vote("a", "b", "b")] * 100)

    assert found["a"].strength - found["b"].strength == pytest.approx(400, abs=3)
    assert win_chance(found["a"], found["b"]) == pytest.approx(10 / 11, abs=0.002)
    assert win_chance(found["b"], found["a"]) == pytest.approx(1 / 11, abs=0.002)


def test_somebody_who_won_everything_is_strong_and_finite_and_uncertain() -> None:
    found = by_name([vote("a", "b", "a")] * 6)

    assert math.isfinite(found["a"].high)
    assert found["a"].strength > found["b"].strength
    assert found["a"].high - found["a"].low > 300


def test_a_single_vote_puts_its_winner_first_three_times_as_likely_to_win_again() -> None:
    best, other = ratings([vote("a", "b", "b")])

    assert (best.name, best.wins, other.name, other.losses) == ("b", 1, "a", 1)
    assert win_chance(best, other) == pytest.approx(0.75)  # as if both had won half a vote more


def test_a_chain_of_single_votes_is_in_its_order() -> None:
    votes = [vote("a", "b", "a"), vote("b", "c", "b"), vote("c", "d", "c")]

    assert [one.name for one in ratings(votes)] == ["a", "b", "c", "d"]


def test_ties_only_leave_both_equal() -> None:
    found = by_name([vote("a", "b", None)] * 8)

    assert found["a"].strength == pytest.approx(found["b"].strength)
    assert (found["a"].ties, found["a"].wins, found["a"].losses, found["a"].votes) == (8, 0, 0, 8)


def test_which_of_the_two_stood_first_makes_no_difference() -> None:
    votes = cast(FIVE, 100, random.Random(4), tie=0.5)
    turned = [vote(one.second, one.first, one.winner) for one in votes]

    one, other = by_name(votes), by_name(turned)

    assert all(one[name].strength == pytest.approx(other[name].strength, abs=1e-4) for name in FIVE)


def test_two_who_only_met_others_are_compared_through_them() -> None:
    met = [vote("a", "b", "a"), vote("b", "c", "b")] * 8 + [vote("a", "b", "b"), vote("b", "c", "c")] * 4
    found = by_name(met)

    chance = win_chance(found["a"], found["c"])
    assert chance is not None
    assert 0.7 < chance < 0.85


def test_those_whom_no_vote_connects_have_no_common_scale() -> None:
    found = by_name([vote("a", "b", "a"), vote("b", "c", "b"), vote("x", "y", "x")])

    assert {name: one.group for name, one in found.items()} == {"a": 0, "b": 0, "c": 0, "x": 1, "y": 1}
    assert win_chance(found["a"], found["x"]) is None
    assert (found["x"].strength + found["y"].strength) / 2 == pytest.approx(MEAN)


def test_nobody_is_rated_without_votes_nor_against_himself() -> None:
    assert ratings([]) == []
    assert ratings([vote("a", "a", "a")]) == []
