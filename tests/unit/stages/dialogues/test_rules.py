"""Who says what, told from the narration."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind
from core.stages.dialogues.rules import extract

CAST = {"沈青": ["青儿", "沈姑娘"], "陆远": ["远哥"], "苏婉": ["婉娘"], "赵嬷嬷": []}
PIECES = st.sampled_from(
    [
        "青儿",
        "陆远",
        "笑道：",
        "道：",
        "“好雨。”",
        "“雨”",
        "。",
        "，",
        "拉着",
        "只见",
        "二人",
        "”",
        "“",
        "听了",
        "‘",
        "他",
    ]
)


def passages(*paragraphs: str) -> list[Passage]:
    """Return paragraphs as the passages of one chapter."""
    return [
        Passage("src", n, 1, n, PassageKind.PARAGRAPH, n * 1000, n * 1000 + len(text), text)
        for n, text in enumerate(paragraphs)
    ]


def lines(*paragraphs: str) -> list[Utterance]:
    """Return what is said in those paragraphs."""
    return list(extract(passages(*paragraphs), CAST))


def speakers(*paragraphs: str) -> list[str | None]:
    """Return who speaks in those paragraphs."""
    return [line.speaker for line in lines(*paragraphs)]


@settings(deadline=None)
@given(st.lists(st.lists(PIECES, min_size=1).map("".join), max_size=6))
def test_every_quotation_of_any_text_stands_where_it_says(paragraphs):
    found = lines(*paragraphs)

    for line in found:
        text = paragraphs[line.para]
        assert text[line.start] in "“‘"
        assert line.runs_on or text[line.start + 1 : line.end].startswith(line.text)
        assert line.text.startswith(text[line.start + 1 :]) or not line.runs_on
        assert line.end <= len(paragraphs[line.para + line.runs_on])
        assert 0 <= line.confidence <= 1
        assert line.reason
    assert len({line.id for line in found}) == len(found)


@pytest.mark.parametrize(
    ("paragraph", "names"),
    [
        ("青儿道：“好雨。”", ["沈青"]),
        ("沈姑娘听了，低头笑道：“好雨。”", ["沈青"]),
        ("青儿见陆远进来，忙道：“好雨。”", ["沈青"]),
        ("青儿坐着，只见陆远走进来，笑道：“好雨。”", ["陆远"]),
        ("青儿正坐着，拉着陆远道：“好雨。”", ["沈青"]),
        ("陆远走了两步，便问青儿道：“冷不冷？”", ["陆远"]),
        ("青儿的丫头道：“好雨。”", ["丫鬟"]),
        ("里间婉娘笑道：“好雨。”", ["苏婉"]),
        ("“好雨。”青儿道。", ["沈青"]),
        ("“好雨，”青儿笑道，“再看看。”", ["沈青", "沈青"]),
        ("青儿、陆远都笑道：“好雨。”", ["沈青、陆远"]),
        ("青儿和陆远二人齐道：“好雨。”", ["沈青、陆远"]),
        ("陆远打发赵嬷嬷来说：“下雨了。”", ["赵嬷嬷"]),
        ("忽听外面人说：“下雨了。”", ["外面人"]),
        ("众人道：“好雨。”", ["众人"]),
        ("小丫头子回道：“下雨了。”", ["丫鬟"]),
        ("青儿道：“冷么？”陆远道：“不冷。”青儿又道：“我冷。”", ["沈青", "陆远", "沈青"]),
        ("青儿道：“冷么？”说着，又道：“我冷。”", ["沈青", "沈青"]),
        ("说的陆远也笑了，道：“好雨。”", ["陆远"]),
        ("她坐了半日。“好雨。”", [None]),
        ("青儿正坐着，扯住陆远道：“好雨。”", ["沈青"]),
        ("青儿拿着伞，对着三个丫鬟道：“好雨。”", ["沈青"]),
        ("青儿嫌少，被陆远骂了一声道：“好雨。”", ["陆远"]),
        ("青儿吩咐小厮去说：“下雨了。”", ["小厮"]),
        ("青儿坐着。只听喊道：“好雨！”回头看时，只见陆远跳了进来。", ["陆远"]),
        ("青儿坐着，陆远进来，他便笑道：“好雨。”", ["沈青"]),
        ("陆远道：“好雨。”青儿道：“冷么？”道：“不冷。”", ["陆远", "沈青", "陆远"]),
        ("连丫头们都说：“好雨。”", ["丫鬟"]),
        ("忽见园中几个人跑来说：“下雨了。”", ["人"]),
        ("青儿坐着，忽然听着陆远说道：“好雨。”", ["陆远"]),
    ],
)
def test_the_narration_names_the_speaker(paragraph, names):
    assert speakers(paragraph) == names


def test_whoever_comes_in_to_speak_is_named_though_nobody_knows_the_name():
    said = speakers("青儿道：“这雨还不住。”", "忽见阿菱进来说：“太太叫姑娘过去呢。”")

    assert said == ["沈青", "阿菱"]


def test_bare_quotations_take_turns():
    found = speakers("青儿道：“冷么？”", "陆远道：“不冷。”", "“我冷。”", "“那就回去。”")

    assert found == ["沈青", "陆远", "沈青", "陆远"]


def test_two_people_who_are_introduced_together_are_the_two_who_speak():
    paragraphs = (
        "来了两个人，一个叫周安，一个叫周平。",
        "陆远道：“坐。”",
        "周安道：“好。”周平道：“好。”",
        "二位又道：“多谢。”",
    )

    assert speakers(*paragraphs)[-1] == "周安、周平"


def test_two_people_who_acted_together_are_the_two_who_speak():
    assert speakers("青儿陆远二人走进来。", "二人说道：“下雨了。”") == ["沈青、陆远"]


def test_a_new_chapter_forgets_who_was_speaking():
    first, second = passages("青儿道：“冷么？”", "笑道：“不冷。”")
    found = list(extract([first, replace(second, chapter=2)], CAST))

    assert [line.speaker for line in found] == ["沈青", None]


@pytest.mark.parametrize(
    ("paragraph", "kind"),
    [
        ("青儿道：“好雨。”", UtteranceKind.SPEECH),
        ("青儿心中想道：“好雨。”", UtteranceKind.THOUGHT),
        ("青儿暗想：“他怎么还不来？”", UtteranceKind.THOUGHT),
        ("青儿想了一想，笑道：“好雨。”", UtteranceKind.SPEECH),
        ("青儿念道：“一窗烟雨一窗秋。”", UtteranceKind.RECITATION),
        ("只见匾上写着：“听竹轩”", UtteranceKind.NONSPEECH),
        ("园里有个“听竹轩”，青儿常去。", UtteranceKind.NONSPEECH),
        ("青儿改了“雨晴”二字，又看了一遍。", UtteranceKind.NONSPEECH),
        ("青儿应了一声“是”，便走了。", UtteranceKind.FRAGMENT),
        ("“好雨。”", UtteranceKind.SPEECH),
        ("青儿暗笑道：“他怎么还不来？”", UtteranceKind.THOUGHT),
        ("青儿瞪着眼，“一二三”乱叫。", UtteranceKind.SPEECH),
        ("青儿在园里说“雨”，陆远没有听见。", UtteranceKind.NONSPEECH),
        ("青儿写下三个大字道：“听竹轩”", UtteranceKind.NONSPEECH),
    ],
)
def test_the_narration_tells_what_sort_of_quotation_it_is(paragraph, kind):
    assert [line.kind for line in lines(paragraph)] == [kind]


def test_a_cue_that_ends_a_paragraph_leads_to_the_next():
    assert speakers("青儿坐着。陆远走进来，笑道：", "“下雨了。”") == ["陆远"]


def test_a_title_means_the_last_one_who_was_named_with_it():
    text = ("周知县道：“来了。”", "陆远道：“坐。”", "知县笑道：“好雨。”", "周知县道：“走罢。”", "周知县又道：“走。”")

    assert speakers(*text)[2] == "周知县"


def test_a_speech_over_the_ends_of_paragraphs_is_one_line():
    (line,) = lines("青儿道：“好雨。", "再看看。”")

    assert (line.text, line.runs_on, line.end, line.speaker) == ("好雨。\n再看看。", 1, 5, "沈青")


def test_a_text_in_traditional_characters_is_read_like_any_other():
    found = lines("青兒聽了，笑道：「好雨。」陸遠說道：「有什麼好？」")

    assert [line.text for line in found] == ["好雨。", "有什麼好？"]
    assert [line.speaker for line in found] == ["沈青", "陆远"]


def test_terms_in_a_row_are_all_terms():
    assert [line.kind for line in lines("园里有“听竹”、“看山”、“问水”三处。")] == [UtteranceKind.NONSPEECH] * 3


def test_names_are_found_without_a_cast():
    text = "鲁大川道：“来了。”鲁大川笑道：“坐。”鲁大川忙道：“吃茶。”白小满道：“好。”白小满又道：“走。”白小满道：“去。”"

    found = [line.speaker for line in extract(passages(text), {})]

    assert found == ["鲁大川"] * 3 + ["白小满"] * 3


def test_an_explicit_cue_is_surer_than_a_guess():
    named, carried, _, guessed = lines("青儿道：“冷么？”", "陆远听了，说道：“不冷。”", "青儿道：“是么？”", "“不冷。”")

    assert named.confidence > carried.confidence > guessed.confidence
    assert named.reason.startswith("cue-before")


def test_extraction_is_deterministic():
    text = "青儿道：“冷么？”陆远道：“不冷。”二人笑道：“走罢。”"

    assert lines(text) == lines(text)


@pytest.mark.parametrize(
    "stutter", ["忽听见只听见" * 3000, "青儿" * 5000, "“" * 3000, "“”" * 3000, "笑" * 9000, "有" * 9000]
)
def test_a_strange_text_does_not_stall_the_extractor(stutter):
    assert isinstance(lines(stutter + "道：“好雨。”"), list)


def test_nearly_every_quotation_of_the_novel_is_found(novel, alias_file):
    from core.stages.corpus.chapters import split_passages

    book = split_passages(novel.read_text(encoding="utf-8"), "src")
    found = list(extract(book, json.loads(alias_file.read_text(encoding="utf-8"))))

    by_ordinal = {passage.ordinal: passage.text for passage in book}
    assert len(found) >= 11_800
    assert sum(line.speaker is None for line in found) < 500
    assert all(by_ordinal[line.ordinal][line.start + 1 : line.end - 1] == line.text for line in found)
