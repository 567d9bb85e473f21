from __future__ import annotations

import pytest

from core.backends.llm import Line, covering_texts, nearest_lines
from core.backends.llm.covering import SceneIndex

TEXTS = (
    "渡口的老船坏了，他拿竹篾补了三日。",
    "里正数着谷袋，算来算去都少一袋。",
    "入夜落雨，檐下的竹叶响了一夜。",
    "The ferry was mended with split bamboo.",
    *(f"陆远走了第{number}里路，又走回来。" for number in "一二三四五六七八九十"),
)
LINES = (Line("u.1", "补得好，只是再不能载你过江了。", "这船还补得好么？"), Line("u.2", "雨打芭蕉。", ""))


def best(said: str) -> list[int]:
    shares = covering_texts(TEXTS, said).shares
    return sorted(shares, key=lambda place: -shares[place])


def test_a_short_question_is_found_in_a_long_text_by_its_telling_words():
    assert best("你还记得那只老船是怎么补的吗")[0] == 0
    assert covering_texts(TEXTS, "老船").shares[0] == pytest.approx(1)


@pytest.mark.parametrize("said", ["你好", "是不是", "what is it", "？！", ""])
def test_words_that_any_question_has_tell_nothing(said):
    heard = covering_texts(TEXTS, said)

    assert not heard.telling
    assert heard.shares == {}


def test_a_name_that_stands_everywhere_is_no_evidence():
    assert covering_texts(TEXTS, "你认得陆远吗").shares == {}


def test_words_no_text_knows_leave_little_of_what_was_said_in_any():
    heard = covering_texts(TEXTS, "股票和基金哪个好")

    assert heard.telling
    assert heard.shares == {}
    assert max(covering_texts(TEXTS, "老船和人工智能").shares.values()) < 0.6


def test_each_sentence_is_looked_for_by_itself():
    assert best("今日天气真好，我走了许多路才到。对了，里正的谷袋少了么？")[0] == 1


def test_traditional_characters_and_latin_words_in_any_case_are_found():
    assert best("里正數著穀袋")[0] == 1
    assert best("Who MENDED the Ferry?")[0] == 3


def test_no_texts_cover_nothing():
    assert SceneIndex(()).covered("老船").shares == {}


def test_lines_are_near_by_their_occasion_or_their_own_words_whatever_characters_are_used():
    near = nearest_lines(LINES, "這船還補得好麼？")

    assert near["u.1"] > 0.6
    assert "u.2" not in near
    assert nearest_lines(LINES, "雨打芭蕉").keys() == {"u.2"}
