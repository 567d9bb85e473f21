"""Names come from the cast and from the text itself."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.stages.dialogues.discovery import discover_names
from core.stages.dialogues.names import Names

WORDS = st.text(st.sampled_from("青竹陆远雨晴"), min_size=1, max_size=4)


def found(names: Names, text: str) -> list[str]:
    """Return the names a text uses, as written."""
    return [match.group() for match in names.pattern.finditer(text)]


def test_the_longest_name_is_found_and_means_its_person():
    names = Names.of({"沈青": ["青儿", "沈青姑娘"]})

    assert found(names, "沈青姑娘和青儿是一个人，沈青也是。") == ["沈青姑娘", "青儿", "沈青"]
    assert {names.meaning[name] for name in ("沈青姑娘", "青儿", "沈青")} == {"沈青"}


def test_the_cast_wins_over_what_the_text_shows():
    names = Names.of({"沈青": ["青儿"]}, ["青儿", "陆远"])

    assert names.meaning["青儿"] == "沈青"
    assert names.meaning["陆远"] == "陆远"


@settings(deadline=None)
@given(st.sets(WORDS, min_size=1), WORDS)
def test_every_name_of_the_cast_is_found_whole(words, tail):
    names = Names.of(dict.fromkeys(words, ()))

    for word in words:
        matched = names.pattern.match(word + tail)
        assert matched
        assert len(matched.group()) >= len(word)


def test_who_speaks_often_is_discovered_and_gestures_are_not():
    paragraphs = [
        "鲁大川道：“来了。”鲁大川笑道：“坐。”只见鲁大川忙道：“吃茶。”",
        "拍手道：“好。”拍手笑道：“好。”拍手道：“好。”鲁大川拍手道：“好。”",
        "又道：“走了。”忙道：“走了。”说道：“走了。”",
    ]

    assert discover_names(paragraphs) == ["鲁大川"]


def test_repeated_leads_do_not_stall_the_search():
    stutter = "忽听见只听见忽听得" * 400

    assert discover_names([stutter + "笑笑笑笑" * 400 + "说", stutter]) == []
