from __future__ import annotations

import random

import pytest

from core.stages.chat.clauses import ClauseSegmenter, speakable


def clauses_of(text: str, *, piece: int = 1, **settings: int) -> list[str]:
    """Feed the text in pieces and return all clauses."""
    segmenter = ClauseSegmenter(**settings)
    found = [clause for start in range(0, len(text), piece) for clause in segmenter.feed(text[start : start + piece])]
    return found + segmenter.flush()


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("你来了。外头冷。", ["你来了。", "外头冷。"]),
        ("好。你来了？！坐罢。", ["好。", "你来了？！", "坐罢。"]),
        ("我……我不去。好了。", ["我……", "我不去。", "好了。"]),
        ("他说：“你来。坐下。”又走了。", ["他说：“你来。坐下。”", "又走了。"]),
        ("没有标点的一句话", ["没有标点的一句话"]),
        ("共3.5两，已够。好。", ["共3.5两，", "已够。", "好。"]),
        ("Fine. Sit down!", ["Fine.", " Sit down!"]),
        ("一行\n又一行", ["一行\n", "又一行"]),
    ],
)
def test_clauses_end_where_a_reader_would_breathe(text, clauses):
    assert clauses_of(text, shortest=5) == clauses


def test_a_clause_that_is_too_short_to_be_spoken_alone_goes_on_at_a_comma():
    text = "坐罢，外头风大，你且进来，我有话问你。"

    assert clauses_of(text, shortest=4) == ["坐罢，外头风大，", "你且进来，", "我有话问你。"]


def test_the_first_clause_is_given_at_its_mark_and_later_ones_with_the_character_after():
    segmenter = ClauseSegmenter()

    assert segmenter.feed("你来了。") == ["你来了。"]
    assert segmenter.feed("外头冷。") == []
    assert segmenter.feed("坐") == ["外头冷。"]


@pytest.mark.parametrize("text", ["我…", "共3.", "“你来了。", "……", "你来，"])
def test_a_first_clause_waits_where_its_mark_may_be_half_of_something(text):
    assert ClauseSegmenter().feed(text) == []


def test_marks_alone_are_never_a_clause():
    assert clauses_of("……！！。你来了。……") == ["……！！。你来了。"]
    assert clauses_of("好。……！！。你来了。……") == ["好。", "……！！。你来了。……"]
    assert clauses_of("……？") == []


def test_a_text_without_breath_is_cut_at_the_longest():
    lengths = [len(clause) for clause in clauses_of("长" * 205, longest=80)]

    assert lengths == [80, 80, 45]


def test_a_quotation_that_never_closes_does_not_hold_the_voice_for_ever():
    first = clauses_of("她说：“" + "这样也好。" * 30, longest=40)[0]

    assert len(first) == 40


@pytest.mark.parametrize("seed", range(20))
def test_clauses_joined_are_the_text_however_it_arrives(seed):
    dice = random.Random(seed)
    text = "".join(dice.choices("你来了好，。！？…“”（）：；\n.3a ", k=200)) + "完"

    assert "".join(clauses_of(text, piece=dice.randint(1, 9))) == text
    assert all(speakable(clause) for clause in clauses_of(text))
