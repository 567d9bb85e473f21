"""Names come from the cast and from the text itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.text import Passage, PassageKind
from core.stages.dialogues.discovery import discover_names
from core.stages.dialogues.names import Names
from core.stages.dialogues.paragraphs import Paragraph, chapter_paragraphs
from core.stages.dialogues.people import discover_people, short_forms

WORDS = st.text(st.sampled_from("青竹陆远雨晴"), min_size=1, max_size=4)


def found(names: Names, text: str) -> list[str]:
    """Return the names a text uses, as written."""
    return [match.group() for match in names.pattern.finditer(text)]


def chapter(*paragraphs: str) -> list[list[Paragraph]]:
    """Return those paragraphs as the only chapter of a book."""
    passages = [Passage("src", n, 1, n, PassageKind.PARAGRAPH, 0, len(text), text) for n, text in enumerate(paragraphs)]
    return [chapter_paragraphs(passages, paragraphs, single_marks=False)]


def test_the_longest_name_is_found_and_means_its_person():
    names = Names.of({"沈青": ["青儿", "沈青姑娘"]})

    assert found(names, "沈青姑娘和青儿是一个人，沈青也是。") == ["沈青姑娘", "青儿", "沈青"]
    assert {names.meaning[name] for name in ("沈青姑娘", "青儿", "沈青")} == {"沈青"}


def test_the_cast_wins_over_what_the_text_shows():
    names = Names.of({"沈青": ["青儿"]}, {"青儿": None, "陆远": None})

    assert names.meaning["青儿"] == "沈青"
    assert names.meaning["陆远"] == "陆远"


def test_words_that_only_point_at_somebody_are_no_names():
    names = Names.of({"沈青": ["那人", "他", "一个"]})

    assert found(names, "他看见一个穿青衣的。") == []
    assert names.meaning["那人"] == "人"


def test_a_cast_in_traditional_characters_fits_a_folded_text():
    names = Names.of({"陸遠": ["遠哥"]})

    assert found(names, "远哥来了，陆远来了。") == ["远哥", "陆远"]


@settings(deadline=None)
@given(st.sets(WORDS, min_size=1), WORDS)
def test_every_name_of_the_cast_is_found_whole(words, tail):
    names = Names.of(dict.fromkeys(words, ()))

    for word in words:
        matched = names.pattern.match(word + tail)
        assert matched
        assert len(matched.group()) >= len(word)


@pytest.mark.parametrize(
    ("paragraphs", "names"),
    [
        (["鲁大川道：“来了。”鲁大川笑道：“坐。”只见鲁大川忙道：“吃茶。”"], ["鲁大川"]),
        (["鲁大川拍手道：“好。”鲁大川道：“好。”鲁大川笑道：“走。”"], ["鲁大川"]),
        (["沈进道：“来了。”沈进笑道：“坐。”沈进又道：“吃茶。”问沈进道：“冷么？”"], ["沈进"]),
        (["众人看着，拍手道：“好。”又笑着，拍手笑道：“好。”只是不走，拍手道：“好。”"], []),
        (["又道：“走了。”忙道：“走了。”说道：“走了。”"], []),
        (["鲁大川家的道：“来了。”鲁大川家的笑道：“坐。”"], ["鲁大川家的"]),
    ],
)
def test_who_opens_sentences_as_a_speaker_is_a_name_and_a_gesture_is_none(paragraphs, names):
    assert discover_names(chapter(*paragraphs)) == names


def test_repeated_leads_do_not_stall_the_search():
    stutter = "忽听见只听见忽听得" * 400

    assert discover_names(chapter(stutter + "笑笑笑笑" * 400 + "说：“好。”", stutter)) == []


def test_modern_names_are_those_who_act_and_are_called():
    text = (
        "“冷吗？”苏晚放下杯子。",
        "“不冷。”程立摇摇头，看着窗外。",
        "苏晚笑了笑。电视里在放天气预报，窗外还在下雨。",
        "“程立，”苏晚说，“走吧。”",
        "程立点点头。雨停了。",
    )

    assert discover_people(chapter(*text)) == ["程立", "苏晚"]


def test_a_given_name_belongs_to_the_only_full_name_that_ends_in_it():
    assert short_forms(["顾明远", "明远", "程立"]) == {"明远": "顾明远"}
    assert short_forms(["顾明远", "周明远", "明远"]) == {}
