from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.persona import Persona
from core.errors import SettingsError
from core.settings import stage_defaults, validated
from core.stages.dataset.suspects import RULES, Anachronisms, SuspectSettings, anachronistic, suspects
from tests.unit.stages.dataset.makers import line

HER = Persona(
    id="per-1", name="沈青", book="", system_prompt="", greeting="", aliases=("青姑娘",), cast={"周明": ("周大爷",)}
)
OLD = stage_defaults("dataset", Anachronisms, preset="anachronisms")

WRONG = {
    "too_short": ["是。", "，", "……"],
    "exclamation": ["哎哟！", "啊——啊！", "呸，呸！"],
    "stage_direction": ["（低头不语）", "【灯光渐暗", "你来了（起身相迎）坐罢。"],
    "narration": [
        "我知道了。周大爷笑道：这话不假。",
        "却说那日天色已晚，众人都散了。",
        "说着，便伤起心来，半日不语。",
    ],
    "other_language": ["What are you doing here?", "ありがとうございます"],
    "garbled": ["这件事锟斤拷不好办", "我�们走罢", "你别胡■，听我说", "今儿天z气好", "只要你***意思"],
    "repeated": ["他他他他就这么走了", "我今天很高兴，我今天很高兴，我今天很高兴，我今天很高兴，"],
    "unbalanced": ["他说：‘明儿再来。", "这本《诗集是谁的？", "你去罢。”", "“你（去”罢）。"],
}

FINE = [
    "好，好，好，就这么着罢。",
    "哈哈哈哈，有趣，有趣！",
    "俗语说道：人无千日好。",
    "他道：‘明儿再来。’我便不等了。",
    "给老太太、太太请安。",
    "我在T台上穿了件T恤，第3名。",
    "那是Mary’s book，借我看看好不好，我明儿就还你。",
    "这里不听说，又闹起来。",
    "「『知道了』，他就这么说。」",
]


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in WRONG.items() for text in texts])
def test_a_wrong_line_is_suspected_by_its_rule_and_told_why(rule, text):
    found = {suspicion.rule: suspicion for suspicion in suspects(line("沈青", text), HER)}

    assert rule in found
    assert found[rule].message.format(**found[rule].values)


@pytest.mark.parametrize("text", FINE)
def test_an_ordinary_line_is_not_suspected(text):
    assert suspects(line("周大爷", text), HER) == []


def test_speakers_outside_the_cast_are_named():
    alone = suspects(line("路人", "今儿天气真好。"), HER)
    together = suspects(line("沈青、路人", "今儿天气真好。"), HER)

    assert [(one.rule, one.values) for one in alone] == [("not_in_cast", {"speaker": "路人"})]
    assert together == alone


def test_a_line_without_a_speaker_or_a_persona_without_a_cast_says_nothing_of_the_cast():
    alone = Persona(id="per-2", name="沈青", book="", system_prompt="", greeting="")

    assert suspects(line(None, "今儿天气真好。"), HER) == []
    assert suspects(line("路人", "今儿天气真好。"), alone) == []


def test_a_speech_over_several_paragraphs_may_leave_a_mark_open():
    assert suspects(line("沈青", "“今儿天气真好。\n“明儿也好。", runs_on=1), HER) == []


def test_every_rule_can_be_turned_off():
    settings = SuspectSettings(off=frozenset(RULES))

    assert all(suspects(line("路人", texts[0]), HER, settings=settings) == [] for texts in WRONG.values())


def test_an_unknown_rule_to_turn_off_is_refused():
    with pytest.raises(SettingsError):
        validated(SuspectSettings, {"off": ["spelling"]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("你把手机给我瞧瞧。", "手机"),
        ("電腦是什麼東西？", "电脑"),
        ("如果你喜欢的话，我们进行了讨论。", "如果你喜欢的话、进行了讨论"),
        ("OK，就这么定了。", "OK"),
    ],
)
def test_what_came_later_is_found_in_a_synthetic_line(text, words):
    (found,) = anachronistic(text, OLD)

    assert found.values == {"words": words}


@pytest.mark.parametrize("text", ["竹子底下凉，茶倒是才沏的。", "太医院的王大夫来了。", "这些新闻我倒不曾听见。"])
def test_what_she_can_know_is_let_pass(text):
    assert anachronistic(text, OLD) == []


def test_lines_of_the_book_are_not_asked_for_anachronisms():
    said = line("沈青", "你把手机给我瞧瞧。")

    assert suspects(said, HER) == []
    assert [one.rule for one in suspects(said, HER, anachronisms=OLD)] == ["anachronism"]


def test_no_words_find_nothing():
    assert anachronistic("你把手机给我瞧瞧。", Anachronisms()) == []


def test_a_broken_expression_is_refused():
    with pytest.raises(SettingsError):
        validated(Anachronisms, {"grammar": ["(如果"]})


@given(st.text(max_size=80))
def test_any_text_can_be_looked_at(text):
    for suspicion in suspects(line("沈青", text), HER, anachronisms=OLD):
        assert suspicion.message.format(**suspicion.values)
