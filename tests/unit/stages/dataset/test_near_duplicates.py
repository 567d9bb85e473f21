from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stages.dataset.near_duplicates import (
    Cluster,
    Line,
    Reason,
    Settings,
    near_duplicates,
    similar,
)
from core.stages.dataset.near_duplicates.words import plain, spelt, words_of

CAST = {"王芳": ("芳姑娘", "小芳"), "李敏": ("敏姑娘",)}

SAME = {
    ("昨儿下了一夜的雨，园里的花都落尽了。", "昨儿下了一夜的雨、园里的花都落尽了"): Reason.PUNCTUATION,
    ("昨儿下了一夜的雨。", "母亲道：“昨儿下了一夜的雨。”"): Reason.WRAPPED,
    ("昨儿下了一夜的雨。", "“昨儿下了一夜的雨。”"): Reason.WRAPPED,
    ("这里的东西还没有收拾。", "這裏的東西還沒有收拾。"): Reason.SCRIPT,
    ("你说的是甚么话？", "你说的是什么话？"): Reason.VARIANT,
    ("昨天下雨，他没有来。", "昨儿下雨，她没有来。"): Reason.VARIANT,
    ("这样的好时候，一年也只有一回罢了。", "这样的好时侯，一年也只有一回罢了。"): Reason.LOOKALIKE,
    ("昨儿下了一夜的雨，园里的花都落尽了。", "昨儿下了一夜的雨，园里的花"): Reason.TRUNCATED,
    ("昨儿下了一夜的雨，花都落尽了。", "昨儿下了一夜的雨，花都落尽了。我们去看看罢。"): Reason.MERGED,
    ("昨儿下了一夜的雨，花都落尽了。", "昨儿下了一夜的雨，花都落尽了呢。"): Reason.EDITION,
    ("昨儿下了一整夜的大雨，园里的花都落了。", "昨儿下了一夜的雨，园子里的花全落尽了。"): Reason.EDITION,
}

OTHERS = {
    ("这件事我已经知道了，你去罢。", "这件事我还不知道呢，你去罢。"): Reason.MEANING,
    ("明天我们一同到城里去看灯。", "明天我们一同到城里来看灯。"): Reason.MEANING,
    ("他买了三斤上好的茶叶带回家。", "他买了五斤上好的茶叶带回家。"): Reason.MEANING,
    ("我从来就喜欢在下雨天读书。", "你从来就喜欢在下雨天读书。"): Reason.MEANING,
    ("昨儿王芳送来的两盆菊花开了。", "昨儿李敏送来的两盆菊花开了。"): Reason.MEANING,
    ("快去请大少爷来，家里来了客。", "快去请二少爷来，家里来了客。"): Reason.MEANING,
    ("这件衣裳是奶奶昨儿送来的。", "这件衣裳是太太昨儿送来的。"): Reason.MEANING,
    ("天都黑了，咱们回家。", "书都读完了，他才睡。"): Reason.DIFFERENT,
    ("他来了。", "谁来了？"): Reason.DIFFERENT,
}


@pytest.mark.parametrize(("pair", "reason"), SAME.items())
def test_lines_that_say_the_same_are_told_with_the_reason(pair, reason):
    verdict = similar(*pair, cast=CAST)

    assert verdict.duplicate
    assert verdict.reason is reason
    assert verdict.reason.label


@pytest.mark.parametrize(("pair", "reason"), OTHERS.items())
def test_a_small_change_of_meaning_and_other_words_make_another_line(pair, reason):
    verdict = similar(*pair, cast=CAST)

    assert not verdict.duplicate
    assert verdict.reason is reason


def test_the_differing_pieces_are_shown():
    assert similar("你说的是甚么话？", "你说的是什么话？").details == "甚么 → 什么"
    assert similar("只好这样罢", "只好这样吧").details == "罢 → 吧"
    assert similar("园里的花都落尽了，真可惜。", "园里的花都落光了，真可惜。").details == "尽 → 光"


def test_an_aliases_is_the_same_person():
    assert similar("昨儿王芳送来的两盆菊花开了。", "昨儿芳姑娘送来的两盆菊花开了。", cast=CAST).duplicate


def test_the_same_beginning_with_another_continuation_is_a_neighbour():
    start = "昨儿下了一夜的大雨，园里的花都落尽了"

    verdict = similar(f"{start}，真叫人看着心里难过得很呢。", f"{start}；厨房里的柴火倒还够烧两三天。")

    assert verdict.reason is Reason.NEIGHBOURS


def test_a_stricter_setting_asks_for_more():
    pair = ("昨儿下了一整夜的大雨，园里的花都落了。", "昨儿下了一夜的雨，园子里的花全落尽了。")

    assert similar(*pair).duplicate
    assert not similar(*pair, settings=Settings(strictness=0.4)).duplicate


def test_the_proposed_survivor_is_the_reviewed_then_the_complete_then_the_longest_then_the_cleanest():
    cut = Line("1", "昨儿下了一夜的雨，园里的花")
    full = Line("2", "昨儿下了一夜的雨，园里的花都落尽了。")
    clean = Line("3", "昨儿下了一夜的雨，园里的花都落尽了。", trust=1.0)
    reviewed = Line("4", "昨儿下了一夜的雨，园里的花都落", reviewed=True)

    assert near_duplicates([cut, full])[0].survivor.id == "2"
    assert near_duplicates([cut, full, clean])[0].survivor.id == "3"
    assert near_duplicates([cut, full, clean, reviewed])[0].survivor.id == "4"


def test_likeness_is_not_handed_on_along_a_chain():
    positive = Line("1", "这件事情我早就已经知道了，你只管放心去罢，不必再来回我的话。")
    negated = Line("2", "这件事情我早就已经知道了，你只管放心去罢，必再来回我的话。")
    between = Line("3", "这件事情我早就已经知道了，你只管放心去罢，")

    clusters = near_duplicates([positive, negated, between])

    assert all(member.verdict.duplicate for cluster in clusters for member in cluster.members)
    assert not any({"1", "2"} <= _ids(cluster) for cluster in clusters)


def test_lines_without_a_word_are_left_out():
    assert near_duplicates([Line("1", "……"), Line("2", "！"), Line("3", "")]) == []


def test_near_duplicates_are_found_among_many_lines():
    many = [Line(f"{at}", f"{_number(at)}第{_number(at * 7 + 3)}回的话，{_number(at * at + 11)}") for at in range(500)]
    planted = [Line("a", "昨儿下了一夜的雨，园里的花都落尽了。"), Line("b", "昨儿下了一夜的雨，园里的花都落尺了。")]
    planted += [Line("c", "园里的花都落尽了。"), Line("d", "昨兒下了一夜的雨，園裏的花都落盡了")]

    clusters = near_duplicates([*many, *planted])

    assert {"a", "b", "c", "d"} in [_ids(cluster) for cluster in clusters]


def test_many_versions_of_one_line_are_one_cluster():
    many = [Line(f"{at}", f"{_number(at * 31)}号房里住着{_number(at * 7 + 3)}位客人") for at in range(400)]
    first, rest = "昨儿下了一夜的雨，园里的花都", "落尽了，叫人看着好不心酸。"
    versions = [Line(f"v{at}", first + word + rest) for at, word in enumerate("已全早竟尽快皆便总刚终定")]

    clusters = near_duplicates([*many, *versions])

    assert {line.id for line in versions} in map(_ids, clusters)


WORDS = st.sampled_from("昨儿今日下了一夜雨花落不我你他来去老爷好的么")
TEXTS = st.text(WORDS, min_size=0, max_size=24)


@st.composite
def _lines(draw):
    texts = draw(st.lists(TEXTS, max_size=12))
    altered = [
        text[: max(1, len(text) - draw(st.integers(0, 4)))] + draw(st.sampled_from(["", "。", "的"])) for text in texts
    ]
    return [
        Line(f"{place}", text, reviewed=draw(st.booleans()), trust=draw(st.sampled_from([0.0, 1.0])))
        for place, text in enumerate(texts + altered)
    ]


@settings(max_examples=60, deadline=None)
@given(_lines(), st.randoms(use_true_random=False))
def test_clusters_do_not_overlap_and_do_not_depend_on_the_order(lines, chance):
    clusters = near_duplicates(lines)
    ids = [id for cluster in clusters for id in cluster.ids]
    mixed = list(lines)
    chance.shuffle(mixed)

    assert len(ids) == len(set(ids))
    assert set(ids) <= {line.id for line in lines}
    assert all(len(cluster.members) > 1 and cluster.survivor.id in cluster.ids for cluster in clusters)
    assert near_duplicates(mixed) == clusters


@settings(max_examples=60, deadline=None)
@given(_lines())
def test_what_is_left_after_keeping_the_survivors_holds_no_near_duplicates(lines):
    clusters = near_duplicates(lines)
    dropped = {id for cluster in clusters for id in cluster.ids if id != cluster.survivor.id}

    assert near_duplicates([line for line in lines if line.id not in dropped]) == []


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_a_verdict_is_the_same_either_way_round(first, second):
    one, other = similar(first, second), similar(second, first)

    assert (one.duplicate, one.similarity) == (other.duplicate, other.similarity)
    assert 0 <= one.similarity <= 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters() | WORDS | st.sampled_from("“”「」：道\n㈱ß甚ｅ́"), max_size=12), max_size=8))
def test_words_of_many_lines_are_those_of_each(texts):
    assert words_of(texts) == [spelt(plain(text)) for text in texts]


def _ids(cluster: Cluster) -> set[str]:
    return set(cluster.ids)


def _number(value: int) -> str:
    return "".join("零一二三四五六七八九"[int(digit)] for digit in str(value))
