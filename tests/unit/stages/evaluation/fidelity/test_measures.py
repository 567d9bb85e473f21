"""What is counted in replies is what it says: copies, variety, later words, and how well two sides are told apart."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.stages.evaluation.fidelity.measures import (
    Book,
    anachronisms,
    bundled,
    distinct,
    separation,
    words_of_later_times,
)
from tests.conftest import DATA

BOOK = Book(["雨下了一夜，竹子倒绿得更深了。", "你若要走，便把这盏灯带上罢。"])
NUMBERS = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


@given(NUMBERS, NUMBERS)
def test_the_separation_is_the_share_of_pairs_in_which_hers_is_higher(own: list[float], others: list[float]) -> None:
    pairs = [(one > other) + (one == other) / 2 for one in own for other in others]
    assert separation(own, others) == pytest.approx(sum(pairs) / len(pairs))


def test_nothing_is_separated_where_a_side_is_empty() -> None:
    assert separation([], [1.0]) is None
    assert separation([1.0], []) is None


def test_bundles_tell_apart_what_single_scores_do_not() -> None:
    chance = random.Random(3)
    own = [chance.gauss(0.5, 1) for _ in range(400)]
    others = [chance.gauss(0.0, 1) for _ in range(400)]
    single, ten = separation(own, others), separation(bundled(own, 10), bundled(others, 10))
    assert single is not None
    assert ten is not None
    assert single < 0.7 < 0.85 < ten


def test_bundles_are_the_same_each_time_and_none_where_there_are_too_few() -> None:
    assert bundled([1.0, 2.0, 3.0], 2) == bundled([1.0, 2.0, 3.0], 2)
    assert bundled([1.0], 2) == []


def test_a_sentence_of_the_book_is_copied_however_it_is_punctuated() -> None:
    found = BOOK.copying("雨下了一夜——竹子倒绿得更深了！")
    assert found.copied
    assert found.share == 1.0
    assert found.longest == "雨下了一夜竹子倒绿得更深了"
    assert found.overlap == 1.0


def test_words_of_ones_own_are_no_copy_though_some_of_them_stand_in_the_book() -> None:
    found = BOOK.copying("昨儿雨下了一夜，我只听着，倒把两页旧诗都听湿了。")
    assert not found.copied
    assert found.longest == ""
    assert 0 < (found.overlap or 0) < 0.3


def test_a_copied_stretch_within_other_words_is_found() -> None:
    found = BOOK.copying("我说：你若要走，便把这盏灯带上罢，路上黑。")
    assert found.longest == "你若要走便把这盏灯带上罢"
    assert found.copied


def test_of_a_very_short_reply_nothing_is_said() -> None:
    assert BOOK.copying("嗯。").overlap is None
    assert BOOK.copying("").share == 0.0


def test_variety_is_counted_over_as_many_letters_however_long_the_replies_are() -> None:
    assert distinct(["竹竹竹竹"], 1, 4) == 0.25
    assert distinct(["竹雨灯茶"], 1, 4) == 1.0
    assert distinct(["竹雨灯茶", "竹雨灯茶"], 1, 4) == 1.0
    assert distinct(["竹雨，灯茶"], 2, 9) == 1.0
    assert distinct(["。"], 1, 5) is None


def test_words_of_later_times_are_found_and_named() -> None:
    assert anachronisms("我把手機和电话都丢了", ["手机", "电话", "电脑"]) == ["手机", "电话"]
    assert anachronisms("一盏灯", ["电灯"]) == []


@pytest.mark.parametrize("book", ["hongloumeng.txt", "rulinwaishi.txt"])
def test_no_word_of_later_times_stands_in_a_book_of_her_time(book: str) -> None:
    file = DATA / book
    if not file.exists():
        pytest.skip(f"shared data not here: {book}")
    assert anachronisms(file.read_text(encoding="utf-8"), words_of_later_times("daiyu")) == []


def test_a_persona_without_a_list_has_no_later_words() -> None:
    assert words_of_later_times("a-qing") == ()
    assert words_of_later_times("../daiyu") == words_of_later_times("daiyu")
