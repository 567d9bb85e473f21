"""What makes a pair of weights good, and what votes say: plain rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.domain.identity import now
from core.domain.training import Vote
from core.stages.voice_training.scoring import (
    PairScores,
    TakeScore,
    ceiling,
    compare,
    likeness,
    preferences,
    ranked,
    scores_of,
)

SAID = "竹子又高了些，风一吹，满院都是响声。"
FINE = {"cer": 0.0, "similarity": 0.9, "faults": 0.0, "pace": 1.0}


def pair(sovits: int, gpt: int, **scores: float | None) -> PairScores:
    return PairScores(sovits, gpt, {**FINE, **scores})


def order(*pairs: PairScores, **more: Any) -> list[tuple[int, int]]:
    return [(one.pair.sovits, one.pair.gpt) for one in ranked(pairs, **more)]


def test_marks_width_case_script_and_digits_are_not_errors() -> None:
    compared = compare("「竹子」長了 3 寸，ＯＫ！", "竹子长了三寸ok")

    assert compared is not None
    assert (compared.cer, compared.swallowed, compared.repeated) == (0, 0, 0)


def test_a_stretch_that_is_missing_is_swallowed_and_one_character_is_a_slip() -> None:
    missing, slip = compare(SAID, "竹子又高了些满院都是响声"), compare(SAID, "竹子又高了些风一吹满院都是响")

    assert missing is not None
    assert slip is not None
    assert missing.swallowed == pytest.approx(3 / 15)
    assert slip.swallowed == 0
    assert slip.cer == pytest.approx(1 / 15)


def test_a_stretch_that_is_said_again_is_repeated_and_other_words_are_not() -> None:
    again, other = compare(SAID, "竹子又高了些风一吹风一吹满院都是响声"), compare(SAID, f"{SAID}谢谢观看")

    assert again is not None
    assert other is not None
    assert again.repeated == pytest.approx(3 / 15)
    assert other.repeated == 0
    assert other.cer == pytest.approx(4 / 15)


def test_words_without_a_sound_cannot_be_compared() -> None:
    assert compare("……", "什么") is None


def test_fewer_wrong_characters_put_a_pair_first_and_so_does_more_likeness() -> None:
    assert order(pair(1, 1, cer=0.3), pair(1, 2, cer=0.1)) == [(1, 2), (1, 1)]
    assert order(pair(1, 1, similarity=0.5), pair(1, 2, similarity=0.8)) == [(1, 2), (1, 1)]


def test_what_was_measured_for_others_only_counts_nothing() -> None:
    assert order(pair(1, 1, cer=0.9), pair(2, 2, cer=None)) == [(1, 1), (2, 2)]


def test_what_nobody_measured_takes_no_part() -> None:
    (only,) = ranked([pair(1, 1, cer=None, similarity=None)])

    assert only.total == 1
    assert ranked([PairScores(1, 1, {})])[0].total == 0


def test_equal_pairs_come_with_the_later_epochs_first_however_they_are_given() -> None:
    pairs = [pair(4, 5), pair(8, 5), pair(4, 10), pair(8, 10)]

    assert order(*pairs) == order(*reversed(pairs)) == [(8, 10), (4, 10), (8, 5), (4, 5)]


def test_likeness_as_among_her_own_clips_is_full_likeness() -> None:
    (one,) = ranked([pair(1, 1, similarity=0.7)], ceiling=0.7)

    assert one.total == 1


def test_a_take_that_never_came_is_wrong_altogether_and_spoiled() -> None:
    fine = TakeScore("竹子又高了", 1.0, False, compare("竹子又高了", "竹子又高了"), 0.8, 2.0, -22.0)
    scores = scores_of([fine, TakeScore("竹子又高了", 0.0, True)], her_pace=5.0)

    assert scores == {
        "cer": 0.5,
        "similarity": 0.4,
        "pace": 1.0,
        "swallowed": 0.5,
        "repeated": 0.0,
        "faults": 0.5,
        "rtf": 2.0,
        "loudness": -22.0,
    }


def test_what_nobody_heard_or_timed_is_unknown() -> None:
    scores = scores_of([TakeScore("竹子", 1.0, False)], her_pace=None)

    assert {name for name, value in scores.items() if value is None} == {
        "cer",
        "similarity",
        "pace",
        "swallowed",
        "repeated",
        "rtf",
        "loudness",
    }


def test_loudness_is_the_mean_of_what_is_heard_and_silence_has_none() -> None:
    takes = [TakeScore("竹子", 1.0, False, loudness=one) for one in (-20.0, None, -24.0)]

    assert scores_of(takes, her_pace=None)["loudness"] == -22


@pytest.mark.parametrize(("seconds", "pace"), [(1.0, 1.0), (2.0, 0.0), (0.5, 0.0), (9.0, 0.0)])
def test_twice_or_half_her_pace_is_no_pace_of_hers(seconds: float, pace: float) -> None:
    assert scores_of([TakeScore("竹子又高了", seconds, False)], her_pace=5.0)["pace"] == pytest.approx(pace)


def test_a_print_in_her_middle_is_like_her_and_a_strangers_is_less() -> None:
    hers = [np.array([1.0, 0.1]), np.array([1.0, -0.1])]

    for directional in (True, False):
        same = likeness(np.array([1.0, 0.0]), hers, directional=directional)
        stranger = likeness(np.array([0.0, 1.0]), hers, directional=directional)
        assert same == pytest.approx(1)
        assert stranger < 0.5
    top = ceiling(hers, directional=True)
    assert top is not None
    assert 0.9 < top < 1
    assert ceiling(hers[:1], directional=True) is None


def vote(first: str, second: str, winner: str | None) -> Vote:
    return Vote("v", "a-qing", "run-1", "你来了", first, second, winner, "test", now())


def test_votes_count_for_both_and_ties_for_half() -> None:
    first, second = preferences([vote("8+15", "4+5", "8+15"), vote("4+5", "8+15", None)])

    assert (first.name, first.wins, first.losses, first.ties, first.share) == ("8+15", 1, 0, 1, 0.75)
    assert (second.name, second.wins, second.losses, second.ties, second.share) == ("4+5", 0, 1, 1, 0.25)


def test_the_bounds_are_wilsons_and_narrow_with_more_votes() -> None:
    few, many = (preferences([vote("a", "b", "a")] * count)[0] for count in (1, 50))

    assert few.low == pytest.approx(0.2065, abs=1e-3)
    assert few.high == 1
    assert many.low == pytest.approx(0.9287, abs=1e-3)
    assert preferences([]) == []
