"""Models that count characters, held against values worked out by hand."""

from __future__ import annotations

import math
from itertools import permutations

import pytest

from core.domain.ngrams import END, UNSEEN, learn_bigrams, learn_unigrams, references


def test_a_unigram_shares_out_what_the_unseen_get():
    model = learn_unigrams(["aab", "a"])  # a a b END a END: six characters, three different ones
    unknown = 3 / (3 + UNSEEN)

    assert model.probability("a") == pytest.approx((3 + unknown) / 9)
    assert model.probability("b") == pytest.approx((1 + unknown) / 9)
    assert model.probability("z") == pytest.approx(unknown / 9)


def test_a_bigram_takes_a_discount_and_gives_it_to_the_unigram_of_beginnings():
    model = learn_bigrams(["ab", "ab", "ac"])
    # pairs: ^a 3, ab 2, ac 1, b. 2, c. 1; so n1 = 2, n2 = 2, D = 2 / (2 + 4) = 1/3
    # different characters before: a 1, b 1, c 1, END 2; 5 in all, 4 different
    unknown = 4 / (4 + UNSEEN)

    assert model.discount == pytest.approx(1 / 3)
    assert model.shorter.probability(END) == pytest.approx((2 + unknown) / 9)
    left = (1 / 3) * 2 / 3  # two different characters after a, three in all
    assert model.probability("b", "a") == pytest.approx((2 - 1 / 3) / 3 + left * (1 + unknown) / 9)
    assert model.probability("z", "a") == pytest.approx(left * unknown / 9)
    assert model.probability("b", "z") == pytest.approx((1 + unknown) / 9)


@pytest.mark.parametrize("before", ["我", "你", "，", "鷟"])
def test_probabilities_sum_to_one_over_what_was_seen_and_what_was_not(before: str):
    texts = ["我来了，你不来。", "你来，我便去。", "我不去，你去。"]
    for model in (learn_unigrams(texts), learn_bigrams(texts)):
        seen = {*"".join(texts), END}
        known = math.fsum(model.probability(character, before) for character in seen)

        assert known + UNSEEN * model.probability("鷟", before) == pytest.approx(1)
        assert known < 1


def test_order_is_worth_something_to_the_bigram_alone():
    words = ["春风", "秋月", "晚晴", "初雪", "竹影", "梅香", "云深", "江远"]
    texts = ["".join(pair) for pair in permutations(words, 2)]
    found = references(texts, texts, ["春风秋月晚晴", "梅香初雪"])

    assert found["bigram"] < found["unigram"] - 0.5


def test_a_character_nobody_has_met_is_a_surprise_but_not_an_impossibility():
    told = references(["我来了。"], ["我来了。"], ["鷟"])
    known = references(["我来了。"], ["我来了。"], ["我来了。"])

    assert all(known[name] < told[name] < 20 for name in ("unigram", "bigram"))


def test_nothing_is_impossible_where_every_pair_comes_often():
    model = learn_bigrams(["我来了。"] * 3)

    assert 0 < model.probability("了", "我") < model.probability("来", "我") < 1


def test_the_surprise_is_the_mean_over_characters_and_the_end():
    model = learn_unigrams(["ab"])
    surprise = -sum(math.log(model.probability(character)) for character in ("a", "b", "b", END)) / 4

    assert references(["ab"], ["ab"], ["abb"])["unigram"] == pytest.approx(surprise)


def test_the_reference_learns_from_the_replies_or_from_everything_whichever_serves_it_better():
    book, replies = ["山水山水山水"] * 9, ["花鸟花鸟花鸟"]
    everything = [*book, *replies]

    for reply in ("花鸟花", "山水山"):
        both, replies_alone, everything_alone = (
            references(*learnt_from, [reply])
            for learnt_from in ((everything, replies), (replies, replies), (everything, everything))
        )
        for name in ("unigram", "bigram"):
            assert both[name] <= min(replies_alone[name], everything_alone[name]) + 1e-9
