"""Lines of an answer are found where they stand in the book."""

from __future__ import annotations

import random

import opencc
import pytest

from core.stages.dialogues.alignment import Aligned, Match, Span, align
from core.stages.dialogues.quotes import find_quotes

TEXT = (
    "沈青道：“你来了。”陆远道：“是。”沈青又问：“外头雨大么？”陆远道：“是。”"
    "“你先去，”沈青一面收伞，一面说道，“等雨住了我自来寻你。”桂儿心想：“她说‘等雨住了’，只怕要等到明日呢！”"
)


def spans(text: str) -> list[Span]:
    return [Span(quote.start, quote.end) for quote in find_quotes(text)]


def aligned(*lines: str, text: str = TEXT, similarity: float = 0.8) -> list[Aligned]:
    return align(text, spans(text), lines, similarity=similarity)


def quotes_of(*lines: str, text: str = TEXT) -> list[tuple[int, ...]]:
    return [one.quotes for one in aligned(*lines, text=text)]


def test_words_as_they_stand_are_verbatim():
    found = aligned("你来了。")

    assert (found[0].match, found[0].quotes, found[0].similarity) == (Match.VERBATIM, (0,), 1.0)


def test_marks_spaces_and_traditional_characters_make_no_difference():
    assert quotes_of("  「外頭雨大麼」 ") == [(2,)]


def test_short_lines_that_recur_are_told_apart_by_their_order():
    assert quotes_of("你来了。", "是。", "外头雨大么？", "是。") == [(0,), (1,), (2,), (3,)]


def test_a_short_line_alone_after_another_is_the_one_that_follows():
    assert quotes_of("外头雨大么？", "是。") == [(2,), (3,)]


def test_a_speech_interrupted_by_narration_is_both_its_parts():
    assert quotes_of("你先去，等雨住了我自来寻你。") == [(4, 5)]


def test_the_parts_one_by_one_are_found_one_by_one():
    assert quotes_of("你先去，", "等雨住了我自来寻你。") == [(4,), (5,)]


def test_words_cited_inside_a_quotation_belong_to_it():
    found = aligned("她说‘等雨住了’")

    assert found[0].quotes == (6,)
    assert 0 < found[0].coverage[0] < 0.5


def test_slips_are_repaired():
    found = aligned("外面雨大么？", "等雨停了我自来寻你。")

    assert [(one.match, one.quotes) for one in found] == [(Match.REPAIRED, (2,)), (Match.REPAIRED, (5,))]
    assert all(0.8 <= one.similarity < 1 for one in found)


def test_what_is_nowhere_is_not_found():
    assert aligned("明日我们一同上京去罢。")[0] == Aligned(Match.NOT_FOUND, 0.0)


def test_words_without_marks_are_found_but_bare():
    found = aligned("一面收伞，一面说道")

    assert found[0].quotes == ()
    assert found[0].bare is not None
    assert TEXT[found[0].bare.start : found[0].bare.end] == "一面收伞，一面说道"


def test_a_word_of_narration_is_not_taken_for_a_line():
    assert aligned("又问")[0].match is Match.NOT_FOUND


def test_a_quotation_of_marks_alone_is_found():
    assert quotes_of("……", text="她道：“……”他道：“好。”") == [(0,)]


def test_lines_out_of_order_keep_the_places_they_can_only_have():
    assert quotes_of("外头雨大么？", "你来了。") == [(2,), (0,)]


@pytest.mark.parametrize("rate", [0.02])
def test_noise_moves_no_line(rate):
    rng = random.Random(7)
    texts = [f"“{''.join(rng.choice('风花雪月竹雨山水人来去问答春秋') for _ in range(20))}。”" for _ in range(40)]
    book = "他说：".join(texts)
    slipped = ["".join("错" if rng.random() < rate else letter for letter in text) for text in texts]
    traditional = opencc.OpenCC("s2t").convert("\n".join(texts)).split("\n")

    assert quotes_of(*slipped, text=book) == [(at,) for at in range(40)]
    assert quotes_of(*traditional, text=book) == [(at,) for at in range(40)]
    assert quotes_of(*(text.strip("“。”") for text in texts), text=book) == [(at,) for at in range(40)]
