"""Quotations are found with their marks, however they nest and whatever is missing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stages.dialogues.quotes import find_quotes, single_marks_are_outer

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
