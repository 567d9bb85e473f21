"""What stands at the front of a screenplay line."""

from __future__ import annotations

import pytest

from core.stages.dialogues.play_labels import (
    HeadStyle,
    cast_entry,
    heads,
    is_cast_header,
    is_direction,
    is_note,
    is_scene_heading,
    without_directions,
)


@pytest.mark.parametrize(
    ("line", "label", "action", "style", "words"),
    [
        ("甲：好", "甲", "", HeadStyle.COLON, 2),
        ("（远）甲（笑）：好", "甲", "（远）（笑）", HeadStyle.COLON, 8),
        ("甲；好", "甲", "", HeadStyle.SEMICOLON, 2),
        ("【甲】好", "甲", "", HeadStyle.BRACKET, 3),
        ("甲（笑）", "甲", "（笑）", HeadStyle.ALONE, 4),
        ("甲　　好。", "甲", "", HeadStyle.GAP, 3),
        ("甲 好。", "甲", "", HeadStyle.BLANK, 2),
        ("甲（笑）好", "甲", "（笑）", HeadStyle.ACTION, 4),
    ],
)
def test_the_likeliest_reading_comes_first(line, label, action, style, words):
    head = next(heads(line))

    assert (head.label, head.action, head.style, head.words) == (label, action, style, words)


def test_an_address_of_the_web_is_no_label():
    assert all(head.style is not HeadStyle.COLON for head in heads("https://example.org/a"))


@pytest.mark.parametrize(
    "line",
    [
        "1-1 日 内 书店",
        "第三场　渡口",
        "场景二",
        "内景 书店 夜",
        "书店 · 夜 · 内",
        "INT. HOUSE - NIGHT",
        "剧终",
        "FADE OUT.",
    ],
)
def test_a_scene_heading_says_where_and_when(line):
    assert is_scene_heading(line)


@pytest.mark.parametrize("line", ["今夜，内外都静。", "沈青", "你看，夜深了", "日子还长", "完了"])
def test_other_short_lines_are_no_scene_headings(line):
    assert not is_scene_heading(line)


@pytest.mark.parametrize("line", ["（雨）", "【雨】（雷）", "△ 雨。", "（雨声", "——————"])
def test_a_direction_holds_nothing_else(line):
    assert is_direction(line)
    assert not is_direction(f"好{line}")


@pytest.mark.parametrize("label", ["旁白", "镜头3", "鏡頭", "时间", "人物", "音效", "字幕", "SE", "OS", "P.S."])
def test_notes_are_for_the_crew(label):
    assert is_note(label)


def test_words_lose_their_directions_nested_ones_too():
    assert without_directions("好（笑（很轻））雨[停]。") == "好雨。"


def test_a_cast_list_has_a_header_and_names():
    assert is_cast_header("主要人物：")
    assert not is_cast_header("人物：沈青、陆远")
    assert [cast_entry(line) for line in ("沈青：船夫", "罗教授——客", "小 满　女儿", "江川（男）")] == [
        "沈青",
        "罗教授",
        "小 满",
        "江川",
    ]
