"""Samples as a trainer reads them."""

from __future__ import annotations

from core.domain.conversations import learnt_only, xtuner_conversations
from core.domain.identity import now
from core.domain.text import DatasetVersion, Sample, Split, Turn, TurnRole

VERSION = DatasetVersion("dsv-1", "a-qing", "第一版", "", "f" * 64, "你是沈青。", {}, 1, 0, now())


def sample(*turns: tuple[TurnRole, str]) -> Sample:
    return Sample(0, "src-1", 1, Split.TRAIN, tuple(Turn(role, "谁", text) for role, text in turns))


HEARD, SAID = TurnRole.COUNTERPART, TurnRole.PERSONA


def test_the_system_prompt_stands_in_the_first_turn_only():
    written = xtuner_conversations(
        VERSION, [sample((HEARD, "冷么？"), (SAID, "不冷。"), (HEARD, "真的？"), (SAID, "嗯。"))]
    )

    assert written == [
        {
            "conversation": [
                {"system": "你是沈青。", "input": "冷么？", "output": "不冷。"},
                {"input": "真的？", "output": "嗯。"},
            ]
        }
    ]


def test_neighbours_of_one_side_are_joined():
    written = xtuner_conversations(VERSION, [sample((HEARD, "甲。"), (HEARD, "乙。"), (SAID, "丙。"), (SAID, "丁。"))])

    assert written[0]["conversation"][0]["input"] == "甲。\n乙。"
    assert written[0]["conversation"][0]["output"] == "丙。\n丁。"


def test_a_line_nobody_asked_for_has_an_empty_input():
    written = xtuner_conversations(VERSION, [sample((SAID, "竹声又起了。"))])

    assert written[0]["conversation"] == [{"system": "你是沈青。", "input": "", "output": "竹声又起了。"}]


def test_a_sample_without_her_words_is_left_out():
    assert xtuner_conversations(VERSION, [sample((HEARD, "有人么？"))]) == []


def talk(*exchanges: tuple[str, bool]) -> Sample:
    """Return a conversation of these replies, and whether each is only context."""
    turns = [
        turn
        for text, context in exchanges
        for turn in (Turn(HEARD, "谁", "问。"), Turn(SAID, "谁", text, context=context))
    ]
    return Sample(0, "src-1", 1, Split.TRAIN, tuple(turns))


def test_where_a_reply_is_only_context_every_turn_says_whether_it_is_learnt():
    written = xtuner_conversations(VERSION, [talk(("甲。", True), ("乙。", False)), talk(("丙。", False))])

    losses = [[turn["output_with_loss"] for turn in one["conversation"]] for one in written]
    assert losses == [[False, True], [True]]


def test_for_trainers_that_learn_every_reply_context_is_taken_out():
    whole = talk(("甲。", False), ("乙。", False))
    torn = talk(("甲。", True), ("乙。", False), ("丙。", True), ("丁。", False))

    pieces = list(learnt_only([whole, torn, talk(("甲。", True))]))

    assert pieces[0] is whole
    assert [[turn.text for turn in one.turns[1::2]] for one in pieces] == [["甲。", "乙。"], ["乙。"], ["丁。"]]
