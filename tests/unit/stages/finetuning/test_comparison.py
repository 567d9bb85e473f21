"""Two runs side by side: only what differs, answers at the nearest steps, the figures both ended with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.stages.finetuning.comparison import AnswerPair, Difference, differences, paired_answers, results
from tests.unit.stages.runs import begun


def rounds(*steps):
    return [{"step": step, "answers": [f"a{step}", f"b{step}"]} for step in steps]


def test_only_what_differs_is_told_by_its_dotted_name():
    one = {"method": "lora", "adapter": {"rank": 8, "alpha": 8}, "questions": ["x"]}
    other = {"method": "lora", "adapter": {"rank": 16, "alpha": 8}, "questions": ["x", "y"]}

    assert differences(one, other) == [
        Difference("adapter.rank", 8, 16),
        Difference("questions", ["x"], ["x", "y"]),
    ]


def test_a_setting_that_only_one_has_stands_beside_nothing():
    assert differences({"a": 1}, {"a": 1, "deeper": {"b": 2}}) == [Difference("deeper.b", None, 2)]


def test_the_rounds_of_the_longer_run_stand_beside_the_nearest_of_the_shorter():
    pairs = paired_answers(rounds(50, 100, 150, 200), rounds(60, 120), ["q"], ["q"])

    assert [(pair.step, pair.other_step) for pair in pairs] == [(50, 60), (100, 120), (150, 120), (200, 120)]
    turned = paired_answers(rounds(60, 120), rounds(50, 100, 150, 200), ["q"], ["q"])
    assert [(pair.other_step, pair.step) for pair in turned] == [(50, 60), (100, 120), (150, 120), (200, 120)]


def test_of_two_rounds_as_near_the_earlier_one_stands_beside():
    [pair] = paired_answers(rounds(100), rounds(50, 150)[:1], ["q"], ["q"])
    assert pair.other_step == 50
    pairs = paired_answers(rounds(50, 150), rounds(100), ["q"], ["q"])
    assert [one.other_step for one in pairs] == [100, 100]
    tied = paired_answers(rounds(80, 100, 120), rounds(90, 110), ["q"], ["q"])
    assert [one.other_step for one in tied] == [90, 90, 110]


def test_answers_meet_by_their_question_not_by_their_place():
    [pair] = paired_answers(rounds(50), rounds(50), ["who", "where"], ["when", "who"])

    assert pair == AnswerPair(50, 50, "who", "a50", "b50")


def test_runs_that_were_asked_nothing_alike_have_no_pairs():
    assert paired_answers(rounds(50), rounds(50), ["x"], ["y"]) == []
    assert paired_answers([], rounds(50), ["x"], ["x"]) == []


def test_the_figures_both_ended_with_stand_side_by_side(store):
    run = begun(store, "finetuning").run
    one = replace(
        run,
        started_at=run.created_at,
        finished_at=run.created_at + timedelta(seconds=90),
        result={"model": "m", "steps": 100, "held_out_loss": {"base": 7.0, "merged": None}, "answers": {"a": {"q": 1}}},
    )
    other = replace(one, result={"steps": 200, "held_out_loss": {"base": 7.0, "merged": 3.5}})

    assert results(one, other) == [
        Difference("seconds", 90.0, 90.0),
        Difference("steps", 100, 200),
        Difference("held_out_loss.base", 7.0, 7.0),
        Difference("held_out_loss.merged", None, 3.5),
    ]
