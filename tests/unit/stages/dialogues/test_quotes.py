"""Quotations are found with their marks, however they nest and whatever is missing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stages.dialogues.quotes import find_quotes, quotations, single_marks_are_outer

MARKED = st.text(st.sampled_from('“”‘’「」『』"＂青道：。 '), max_size=60)


@settings(deadline=None)
@given(MARKED, st.booleans())
def test_every_quotation_stands_where_it_says(paragraph, single_marks):
    end = 0
    for quote in find_quotes(paragraph, single_marks=single_marks):
        assert quote.start >= end
        assert quote.start < quote.end <= len(paragraph)
        assert paragraph[quote.start] in '“‘「『"＂'
        assert paragraph[quote.start + 1 : quote.end].startswith(quote.text)
        assert quote.end - quote.start - len(quote.text) in (1, 2)
        end = quote.end


@pytest.mark.parametrize(
    ("paragraph", "words"),
    [
        ("青儿道：“好雨。”又道：“再看看。”", ["好雨。", "再看看。"]),
        ("青儿道：“他说‘好雨’，我不信。”", ["他说‘好雨’，我不信。"]),
        ("青兒道：「他說『好雨』，我不信。」", ["他說『好雨』，我不信。"]),
        ("青儿道：“他说“好雨”，我不信。”", ["他说“好雨”，我不信。"]),
        ('青儿道："好雨。"又道："再看看。"', ["好雨。", "再看看。"]),
        ('青儿道：“好雨。"陆远道：“有什么好？"', ["好雨。", "有什么好？"]),
        ("青儿道：“好雨。", ["好雨。"]),
        ("青儿道：“好雨。陆远道：“有什么好？”", ["好雨。陆远道：", "有什么好？"]),
        ('青儿道：“他说"好雨"，我不信。"陆远道：“我信。"', ['他说"好雨"，我不信。', "我信。"]),
        ("”青儿走了。“", [""]),
        ("没有人说话。", []),
    ],
)
def test_quotations_are_the_outermost_ones(paragraph, words):
    assert [quote.text for quote in find_quotes(paragraph)] == words


def test_a_text_that_quotes_with_single_marks_is_recognised():
    paragraphs = ["青儿道：‘他说“好雨”。’", "陆远道：‘有什么好？’", "青儿道：‘你不懂。’"]

    assert single_marks_are_outer(paragraphs)
    assert [quote.text for quote in find_quotes(paragraphs[0], single_marks=True)] == ["他说“好雨”。"]
    assert not single_marks_are_outer(["青儿道：“他说‘好雨’。”"])


@settings(deadline=None)
@given(st.lists(MARKED, max_size=5))
def test_every_quotation_of_a_chapter_ends_after_it_begins(paragraphs):
    quoted = quotations(paragraphs)

    assert len(quoted) == len(paragraphs)
    for at, here in enumerate(quoted):
        assert here.begin <= len(paragraphs[at])
        for quote in here.quotes:
            last = at + quote.runs_on
            assert quote.start >= here.begin
            assert (at, quote.start) < (last, quote.end)
            assert quote.end <= len(paragraphs[last])
            assert quote.text.count("\n") >= quote.runs_on


def test_a_speech_goes_on_over_the_ends_of_paragraphs_until_it_closes():
    first, second, third = quotations(["青儿道：“好雨。", "再看看。", "走罢。”陆远道：“走。”"])

    assert [(quote.text, quote.runs_on, quote.end) for quote in first.quotes] == [("好雨。\n再看看。\n走罢。", 2, 4)]
    assert (second.quotes, second.begin) == ([], 4)
    assert [(quote.text, quote.start) for quote in third.quotes] == [("走。", 8)]


def test_a_long_speech_may_open_each_of_its_paragraphs_anew():
    first, second = quotations(["青儿道：“好雨。", "“再看看。”"])

    assert [(quote.text, quote.runs_on) for quote in first.quotes] == [("好雨。\n再看看。", 1)]
    assert second.quotes == []


@pytest.mark.parametrize(
    "paragraphs",
    [
        ["青儿道：“好雨。", "陆远笑了，道：“好。”", "没有人说话。"],
        ["青儿道：“好雨。", "没有人说话。"],
        ["青儿道：“好雨。", *["没有人说话。"] * 100, "是的。”"],
    ],
)
def test_a_forgotten_closing_mark_does_not_swallow_the_chapter(paragraphs):
    quoted = quotations(paragraphs)

    assert [(quote.text, quote.runs_on) for quote in quoted[0].quotes] == [("好雨。", 0)]
    assert quoted[1].begin == 0
