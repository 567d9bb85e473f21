"""A dialogue is decided as a whole."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.stages.dialogues.turns import Habits, Turn, decide

HABITS = Habits()
TURNS = st.lists(
    st.builds(Turn, st.dictionaries(st.sampled_from("ABC"), st.floats(-5, 5), max_size=3), st.booleans()), max_size=6
)


def speakers(*turns: Turn) -> list[str]:
    """Return who takes each of the turns."""
    return [who for who, _ in decide(turns, HABITS)]


def bare(**weights: float) -> Turn:
    """Return a turn without a cue, right after the one before."""
    return Turn({"A": 0.0, "B": 0.0} | weights, narrated=False)


def test_two_people_take_turns():
    assert speakers(bare(A=9), bare(), bare(), bare()) == ["A", "B", "A", "B"]


def test_a_later_cue_tells_about_the_turns_before_it():
    assert speakers(bare(), bare(), bare(B=9)) == ["B", "A", "B"]


def test_a_cue_breaks_the_order_of_turns():
    assert speakers(bare(A=9), bare(), bare(C=9), bare(B=1)) == ["A", "B", "C", "B"]


def test_the_margin_is_small_where_both_are_as_likely():
    [(_, sure)] = decide([bare(A=6)], HABITS)
    [(_, unsure)] = decide([bare(A=0.1)], HABITS)

    assert sure > unsure


def test_nobody_is_found_where_nobody_is_known():
    assert decide([Turn({}, narrated=False)], HABITS)[0][0] == ""
    assert decide([], HABITS) == []


@settings(deadline=None)
@given(TURNS)
def test_every_turn_is_decided_the_same_way_each_time(turns):
    decided = decide(turns, HABITS)

    assert len(decided) == len(turns)
    assert all(margin >= 0 for _, margin in decided)
    assert all(who in turn.weights or not turn.weights for (who, _), turn in zip(decided, turns, strict=True))
    assert decided == decide(turns, HABITS)
