"""Screenplay lines begin with who says them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.text import Utterance, UtteranceKind
from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.screenplay import extract

CAST = {"沈青": ["青儿"], "陆远": []}


def lines(text: str, cast: dict[str, list[str]] | None = None) -> list[Utterance]:
    """Return what is said in a play."""
    return list(extract(split_passages(text, "src"), CAST if cast is None else cast))


def told(text: str, cast: dict[str, list[str]] | None = None) -> list[tuple[str | None, str]]:
    """Return speakers and words of a play."""
    return [(line.speaker, line.text) for line in lines(text, cast)]


@pytest.mark.parametrize(
    ("line", "speaker", "words", "kind"),
    [
        ("沈青：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("青儿: 好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青（笑）：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青 (笑) ：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青；好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("路人甲：让一让。", "路人甲", "让一让。", UtteranceKind.SPEECH),
        ("穿红的丫鬟：让一让。", "穿红的丫鬟", "让一让。", UtteranceKind.SPEECH),
        ("沈青：（起身）好雨。（坐下）", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青：好雨。（收伞（很慢））走罢。", "沈青", "好雨。走罢。", UtteranceKind.SPEECH),
        ("沈青（独白）：他不来了。", "沈青", "他不来了。", UtteranceKind.THOUGHT),
        ("沈青：（独白）他不来了。", "沈青", "他不来了。", UtteranceKind.THOUGHT),
        ("沈青OS：他不来了。", "沈青", "他不来了。", UtteranceKind.THOUGHT),
        ("沈青（O.S.）：他不来了。", "沈青", "他不来了。", UtteranceKind.THOUGHT),
        ("沈青心想：他不来了。", "沈青", "他不来了。", UtteranceKind.THOUGHT),
        ("沈青VO：后来雨停了。", "沈青", "后来雨停了。", UtteranceKind.SPEECH),
        ("沈青（画外音）：后来雨停了。", "沈青", "后来雨停了。", UtteranceKind.SPEECH),
        ("画外音（沈青）：后来雨停了。", "沈青", "后来雨停了。", UtteranceKind.SPEECH),
        ("沈青（念信）：见字如面。", "沈青", "见字如面。", UtteranceKind.RECITATION),
        ("沈青（念叨）：怎么还不来。", "沈青", "怎么还不来。", UtteranceKind.SPEECH),
        ("沈青：“好雨。”", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青：“好”是好，只是“冷”", "沈青", "“好”是好，只是“冷”", UtteranceKind.SPEECH),
        ("沈　青：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青　　好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青 （笑）你来了！", "沈青", "你来了！", UtteranceKind.SPEECH),
        ("【沈青】好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("【沈青】（笑）好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("**青儿**（笑）：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("12、沈青：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("00:12:30 沈青：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青、陆远（齐声）：好雨！", "沈青、陆远", "好雨！", UtteranceKind.SPEECH),
        ("青儿和陆远：好雨！", "沈青、陆远", "好雨！", UtteranceKind.SPEECH),
        ("沈青 陆远：好雨！", "沈青、陆远", "好雨！", UtteranceKind.SPEECH),
        ("沈青对陆远：你看。", "沈青", "你看。", UtteranceKind.SPEECH),
        ("沈青笑道：你看。", "沈青", "你看。", UtteranceKind.SPEECH),
        ("OLD KEEPER (O.S.): So did I.", "OLD KEEPER", "So did I.", UtteranceKind.SPEECH),
    ],
)
def test_a_label_names_the_speaker(line, speaker, words, kind):
    (found,) = lines(line)

    assert (found.speaker, found.text, found.kind) == (speaker, words, kind)
    assert words[:1] in line[found.start : found.end]
    assert found.end == len(line)


@pytest.mark.parametrize(
    "line",
    [
        "（雨声渐大。）",
        "（旁白：三年后。）",
        "旁白：三年后。",
        "时间：夜",
        "地點：廊下",
        "人：沈青、陆远",
        "镜头2：一只空碗。",
        "编剧：某人",
        "注意：本场无配乐。",
        "纸条：今晚不来。",
        "沈青：（点头）",
        "雨一直下。",
        "沈青把信举到灯下，信上写着：见字如面。",
        "墙上写着：禁止停留。",
        "沈青（二十岁）走进来。",
        "沈青（28岁）：",
        "1-1 日 内 潇湘馆",
        "12:30，雨停了。",
        "雨下了一夜；天亮才停。",
        "△ 沈青：背影。",
        "CUT TO:",
        "：",
    ],
)
def test_directions_and_narration_are_nobodys_lines(line):
    assert lines(line) == []


def test_a_name_alone_speaks_the_lines_below():
    play = "沈青\n（收伞）\n好雨。\n陆远\n有什么好，\n路都断了。\n"

    first, second = lines(play)

    assert (first.speaker, first.text, first.ordinal, first.reason) == ("沈青", "好雨。", 2, "label-alone:沈青")
    assert (second.speaker, second.text, second.ordinal, second.runs_on) == ("陆远", "有什么好，路都断了。", 4, 1)
    assert second.end == len("路都断了。")


def test_a_label_without_words_speaks_the_next_line():
    assert told("沈青：\n好雨。\n雨停了。") == [("沈青", "好雨。")]


def test_a_sentence_without_a_label_goes_on_with_little_confidence():
    spoken, further = lines("沈青：我找了你两年。\n你知道吗？")

    assert (further.speaker, further.text, further.reason) == ("沈青", "你知道吗？", "goes-on:沈青")
    assert further.confidence < spoken.confidence


def test_narration_between_the_lines_is_nobodys():
    play = "沈青：我走了。\n陆远抬起头：他听见了你的名字！\n她把伞放下，你听不见一点声音。\n沈青：嗯。"

    assert told(play) == [("沈青", "我走了。"), ("沈青", "嗯。")]


def test_a_new_scene_forgets_who_spoke():
    assert told("沈青：我走了。\n1-2 夜 外 渡口\n你看这雨！") == [("沈青", "我走了。")]


def test_verses_that_are_sung_stay_together():
    (song,) = lines("沈青（唱）：一桨拨开千层雾，\n两桨撑过一重关。\n三桨过后莫回头，")

    assert song.text == "一桨拨开千层雾，\n两桨撑过一重关。\n三桨过后莫回头，"
    assert (song.kind, song.runs_on) == (UtteranceKind.RECITATION, 2)


def test_a_direction_may_take_several_lines():
    assert told("沈青：好雨。\n（汽笛响，\n沈青：这一行也在括号里，\n人散去。）\n陆远：走罢。") == [
        ("沈青", "好雨。"),
        ("陆远", "走罢。"),
    ]


def test_labels_run_together_on_a_line_are_told_apart():
    first, second = lines("沈青：等等。陆远（回头）：又怎么了？")

    assert [(line.speaker, line.text) for line in (first, second)] == [("沈青", "等等。"), ("陆远", "又怎么了？")]
    assert first.id != second.id


@pytest.mark.parametrize(
    "play",
    [
        "甲\t好雨。\n乙\t是。\n甲\t走？\n乙\t走。\n甲\t伞呢？\n乙\t没有。",
        "甲　好雨。\n乙　是。\n甲　走？\n乙　走。\n甲　伞呢？\n乙　没有。",
        "【甲】好雨。\n【乙】是。\n【甲】走？\n【乙】走。\n【甲】伞呢？\n【乙】没有。",
        "甲：好雨。\n乙：是。\n甲；走？\n乙;走。\n甲:伞呢？\n乙：没有。",
        "甲\n好雨。\n乙\n是。\n甲\n走？\n乙\n走。\n甲\n伞呢？\n乙\n没有。",
    ],
    ids=["table", "printed", "brackets", "colons", "alone"],
)
def test_names_are_found_without_a_cast(play):
    assert told(play, {}) == [
        ("甲", "好雨。"),
        ("乙", "是。"),
        ("甲", "走？"),
        ("乙", "走。"),
        ("甲", "伞呢？"),
        ("乙", "没有。"),
    ]


def test_a_cast_list_introduces_people_who_say_nothing_there():
    play = "人物：\n沈青：二十岁，摆渡的。\n罗教授——来客。\n第一场 渡口\n罗教授；过江么？\n沈青：过。"

    assert told(play, {}) == [("罗教授", "过江么？"), ("沈青", "过。")]


def test_capitals_alone_on_a_line_are_names_when_they_come_again():
    play = "MARY\nYou came,\nafter all.\nTHOMAS\nThe door was open.\nFADE OUT.\nMARY\nIt is.\nTHOMAS\nYes."

    assert told(play, {}) == [
        ("MARY", "You came, after all."),
        ("THOMAS", "The door was open."),
        ("MARY", "It is."),
        ("THOMAS", "Yes."),
    ]


def test_the_surer_the_name_the_higher_the_confidence():
    play = "沈青：好雨。\n结巴：走。\n船夫：走。\n客人甲：好。\n客人甲：好罢。"

    given_, rare, role, twice, _ = (line.confidence for line in lines(play))

    assert given_ > twice > role > rare


@settings(deadline=None)
@given(st.text(st.sampled_from("青：；:;（）()【】“” \t　好雨。，A1\n"), min_size=1))
def test_the_words_stand_within_their_passages(text):
    passages = split_passages(text, "src")
    for found in extract(passages, CAST):
        last = passages[found.ordinal + found.runs_on].text
        assert 0 <= found.start < len(passages[found.ordinal].text)
        assert 0 < found.end <= len(last)
        assert found.text


@pytest.mark.parametrize("unit", ["，", "（", "（）", "青 ", "青　", "【", "青：", "A.", "。青：", "沈青（"])
def test_odd_lines_do_not_stall(unit):
    text = unit * (60_000 // len(unit))

    assert list(extract(split_passages(text, "src"), CAST)) is not None
