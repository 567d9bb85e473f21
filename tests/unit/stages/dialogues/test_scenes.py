"""Modern prose: cues behind the words, deeds, pronouns, turns."""

from __future__ import annotations

import pytest

from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind
from core.stages.dialogues.rules import extract

CAST = {"苏晚": ["晚晚"], "程立": ["老程"], "周敏": []}


def lines(*paragraphs: str) -> list[Utterance]:
    """Return what is said in those paragraphs of one chapter."""
    return list(
        extract(
            [Passage("src", n, 1, n, PassageKind.PARAGRAPH, 0, len(text), text) for n, text in enumerate(paragraphs)],
            CAST,
        )
    )


def speakers(*paragraphs: str) -> list[str | None]:
    """Return who speaks in those paragraphs."""
    return [line.speaker for line in lines(*paragraphs)]


@pytest.mark.parametrize(
    ("paragraph", "names"),
    [
        ("“冷吗？”苏晚说。", ["苏晚"]),
        ("“冷吗？”过了好一会儿，程立问。", ["程立"]),
        ("“冷吗？”苏晚放下杯子。", ["苏晚"]),
        ("“冷吗，”苏晚轻声说，“关上窗吧。”", ["苏晚", "苏晚"]),
        ("苏晚放下杯子。“冷吗？”", ["苏晚"]),
        ("苏晚看了看程立，笑起来：“冷吗？”", ["苏晚"]),
        ("司机从镜子里看了她一眼。“去哪儿？”", ["司机"]),
        ("“去哪儿？”保安老程走过来。", ["程立"]),
        ("“冷吗？”苏晚、程立一起说。", ["苏晚、程立"]),
        ("“下雨了。”程立的声音很轻。", ["程立"]),
    ],
)
def test_the_paragraph_tells_who_speaks_in_it(paragraph, names):
    assert speakers(paragraph) == names


def test_bare_quotations_alternate_between_the_two_who_talk():
    found = speakers("“冷吗？”苏晚问。", "“不冷。”", "“那走吧。”", "“走。”程立说。", "“等等。”")

    assert found == ["苏晚", "程立", "苏晚", "程立", "苏晚"]


def test_a_third_person_joins_by_a_cue_and_the_first_two_go_on():
    found = speakers("“冷吗？”苏晚问。", "“不冷。”程立说。", "“我冷。”周敏插嘴。", "“那你穿上，程立的衣服借你。”")

    assert found[:3] == ["苏晚", "程立", "周敏"]
    assert found[3] != "周敏"


def test_who_is_called_is_not_the_one_who_speaks():
    found = speakers("苏晚和程立进了门。", "“程立，把灯打开。”", "“开了。”")

    assert found == ["苏晚", "程立"]


def test_a_pronoun_means_somebody_of_that_sex():
    found = speakers(
        "苏晚进了门，她放下包。程立跟在后面，他脱下大衣。",
        "“冷吗？”她问。",
        "“不冷。”他说。",
        "“真不冷？”",
    )

    assert found == ["苏晚", "程立", "苏晚"]


def test_the_teller_speaks_under_the_name_others_call():
    found = speakers(
        "我推开门。我脱了鞋。我没有开灯。",
        "“周敏，你回来了？”苏晚说。",
        "“回来了。”我说。",
    )

    assert found == ["苏晚", "周敏"]


def test_a_role_that_is_told_to_be_somebodys_means_that_person():
    found = speakers("程立是班长。", "“交作业。”班长说。", "“忘带了。”苏晚说。")

    assert found == ["程立", "苏晚"]


def test_what_is_only_thought_is_a_thought():
    assert [line.kind for line in lines("“他不会来了。”苏晚心里想，低头看着杯子。")] == [UtteranceKind.THOUGHT]


def test_names_of_a_text_in_traditional_characters_stay_as_it_writes_them():
    text = (
        "「冷嗎？」蘇晚說，「關上窗吧。」",
        "「不冷。」趙陸遠說。",
        "「那走吧。」蘇晚放下杯子，站起來。",
        "趙陸遠看著她。「走。」趙陸遠說。",
    )
    passages = [Passage("src", n, 1, n, PassageKind.PARAGRAPH, 0, len(line), line) for n, line in enumerate(text)]

    found = list(extract(passages, {}))

    assert [line.speaker for line in found] == ["蘇晚", "蘇晚", "趙陸遠", "蘇晚", "趙陸遠"]
    assert found[0].text == "冷嗎？"
