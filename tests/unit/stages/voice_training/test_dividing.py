"""Which clips are trained on, kept back, and references: the same every time, and never too few to train on."""

from __future__ import annotations

import random

import pytest

from core.stages.voice_training.dividing import LEAST_TRAINED, divided
from tests.unit.stages.voice_dataset.sets import set_clip


def clips(count, **changes):
    return [set_clip(number, **changes) for number in range(count)]


def ordinals(some):
    return [one.ordinal for one in some]


def test_every_clip_is_either_trained_on_or_kept_back():
    parts = divided(clips(20), held_out=4)

    assert len(parts.held_out) == 4
    assert sorted(ordinals(parts.trained) + ordinals(parts.held_out)) == list(range(20))


def test_the_clips_kept_back_come_evenly_from_the_whole_set():
    back = ordinals(divided(clips(41), held_out=4).held_out)

    assert [number // 10 for number in back] == [0, 1, 2, 3]


def test_a_reference_is_trained_on_and_never_kept_back():
    for number in range(10):
        some = [set_clip(one, reference=one == number) for one in range(10)]
        parts = divided(some, held_out=6)

        assert ordinals(parts.references) == [number]
        assert number not in ordinals(parts.held_out)
        assert number in ordinals(parts.trained)


@pytest.mark.parametrize("spoilt", [{"seconds": 1.9}, {"seconds": 12.1}, {"text": ""}], ids=["short", "long", "mute"])
def test_what_tells_little_of_a_voice_is_not_kept_back(spoilt):
    some = [set_clip(number, **(spoilt if number % 2 else {})) for number in range(20)]

    back = ordinals(divided(some, held_out=20).held_out)

    assert back
    assert all(number % 2 == 0 for number in back)


@pytest.mark.parametrize(("count", "back"), [(1, 0), (4, 0), (5, 1), (7, 3), (8, 4), (30, 4)])
def test_fewer_are_kept_back_where_too_few_would_be_left(count, back):
    parts = divided(clips(count), held_out=4)

    assert len(parts.held_out) == back
    assert len(parts.trained) >= min(count, LEAST_TRAINED)


def test_none_is_kept_back_where_none_is_asked_for():
    assert divided(clips(20), held_out=0).held_out == ()


def test_the_references_of_the_set_are_taken_if_gpt_sovits_takes_their_length():
    lengths = (2.9, 3.0, 10.0, 10.1)
    some = [set_clip(number, seconds=seconds, reference=True) for number, seconds in enumerate(lengths)]

    assert ordinals(divided(some, held_out=0).references) == [1, 2]


def test_without_references_of_its_own_a_set_lends_the_clips_nearest_to_six_seconds():
    lengths = (3.0, 6.5, 9.9, 5.8, 6.1, 20.0, 1.0)
    some = [set_clip(number, seconds=seconds, reference=False) for number, seconds in enumerate(lengths)]

    assert ordinals(divided(some, held_out=0).references) == [4, 3, 1]


def test_a_set_without_a_clip_of_the_right_length_has_no_reference():
    assert divided(clips(6, seconds=2.5), held_out=2).references == ()


def test_nothing_comes_of_an_empty_set():
    parts = divided([], held_out=4)

    assert (parts.trained, parts.held_out, parts.references) == ((), (), ())


def test_every_division_holds_its_promises_and_is_the_same_again():
    chance = random.Random(7)
    for _ in range(300):
        some = [
            set_clip(number, seconds=chance.uniform(0.2, 20), text=chance.choice(["好。", ""]), reference=False)
            for number in range(chance.randrange(40))
        ]
        wanted = chance.randrange(21)
        parts = divided(some, held_out=wanted)

        assert parts == divided(some, held_out=wanted)
        assert len(parts.held_out) <= wanted
        assert len({one.sha256 for one in parts.held_out}) == len(parts.held_out)
        assert not set(ordinals(parts.held_out)) & set(ordinals(parts.references))
        assert set(ordinals(parts.references)) <= set(ordinals(parts.trained))
        assert len(parts.trained) + len(parts.held_out) == len(some)
