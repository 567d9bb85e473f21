"""Bounds of scores and of differences hold as often as they say."""

from __future__ import annotations

import random

import pytest

from core.domain.evaluation import Paired, Tally
from core.stages.evaluation.intervals import Interval, difference, mean_share, paired_difference, share

ROUNDS = 400


def covered(spans: list[Interval | None], truth: float) -> float:
    inside = [span is not None and span.low <= truth <= span.high for span in spans]
    return sum(inside) / len(inside)


def drawn(chance: random.Random, count: int, probability: float) -> Tally:
    return Tally(sum(chance.random() < probability for _ in range(count)), count)


def test_a_share_has_wilsons_bounds() -> None:
    span = share(Tally(8, 10))
    assert span is not None
    assert (span.value, span.low, span.high) == pytest.approx((80.0, 49.02, 94.33), abs=0.01)


@pytest.mark.parametrize("right", [0, 10])
def test_all_or_nothing_is_never_certain(right: int) -> None:
    span = share(Tally(right, 10))
    assert span is not None
    assert 0 <= span.low < span.high <= 100
    assert span.high - span.low > 20


def test_nothing_asked_has_no_share() -> None:
    assert share(Tally(0, 0)) is None
    assert mean_share([Tally(0, 0)]) is None
    assert paired_difference([Paired(0, 0, 0, 0)]) is None
    assert difference([], [Tally(1, 2)]) is None


@pytest.mark.parametrize("probabilities", [(0.25, 0.25, 0.25, 0.25), (0.1, 0.5, 0.9, 0.97)])
def test_the_mean_of_subjects_lies_in_its_bounds_as_often_as_they_say(probabilities: tuple[float, ...]) -> None:
    chance = random.Random(3)
    truth = 100 * sum(probabilities) / len(probabilities)
    spans = [mean_share([drawn(chance, 20, one) for one in probabilities]) for _ in range(ROUNDS)]
    assert 0.92 <= covered(spans, truth) <= 0.995


def test_every_subject_weighs_the_same_however_many_questions_it_has() -> None:
    span = mean_share([Tally(100, 100), Tally(0, 5)])
    assert span is not None
    assert span.value == 50.0


def paired(chance: random.Random, count: int, both: float, first: float, second: float) -> Paired:
    counts = [0, 0, 0, 0]
    for _ in range(count):
        at = chance.random()
        counts[0 if at < both else 1 if at < both + first else 2 if at < both + first + second else 3] += 1
    return Paired(*counts)


def test_a_paired_difference_lies_in_its_bounds_as_often_as_they_say() -> None:
    chance = random.Random(5)
    spans = [paired_difference([paired(chance, 40, 0.4, 0.05, 0.15) for _ in range(3)]) for _ in range(ROUNDS)]
    assert 0.92 <= covered(spans, 10.0) <= 0.99


def test_a_difference_of_nothing_is_rarely_called_certain() -> None:
    chance = random.Random(7)
    spans = [paired_difference([paired(chance, 60, 0.3, 0.1, 0.1)]) for _ in range(ROUNDS)]
    assert sum(span is not None and span.certain for span in spans) / ROUNDS <= 0.07


def test_pairs_tell_apart_what_two_scores_alone_cannot() -> None:
    together = paired_difference([Paired(45, 2, 12, 41)])
    apart = difference([Tally(47, 100)], [Tally(57, 100)])
    assert together is not None
    assert apart is not None
    assert together.value == pytest.approx(apart.value) == pytest.approx(10.0)
    assert together.certain
    assert not apart.certain


def test_an_unpaired_difference_lies_in_its_bounds_as_often_as_they_say() -> None:
    chance = random.Random(11)
    spans = [difference([drawn(chance, 60, 0.4)], [drawn(chance, 60, 0.55)]) for _ in range(ROUNDS)]
    assert 0.92 <= covered(spans, 15.0) <= 0.99
