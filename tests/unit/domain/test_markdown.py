from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.domain.markdown import escaped, in_one_paragraph, on_one_line

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(markdown: str, around: tuple[str, ...] = ("paragraph",)) -> list[str]:
    """Return what a reader sees, line by line; fails where anything but `around` and the lines in it is seen."""
    lines = [""]
    for token in READER.parse(markdown):
        assert token.type == "inline" or token.type.removesuffix("_open").removesuffix("_close") in around
        for part in token.children or ():
            assert part.type in ("text", "text_special", "hardbreak")
            lines[-1] += part.content
            lines += [""] * (part.type == "hardbreak")
        lines += [""] * (token.type == "paragraph_close")
    return [line.strip() for line in lines if line.strip()]


def seen(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


TEXTS = [
    "# 一", "1. 二", "12) 三", "- 四", "+ 五", "> 六", "***", "---", "a\n===", "`七`", "**八**", "_九_", "~~十~~",
    "[x](http://a.b)", "![x](y)", "<b>x</b>", "&amp;", "|a|b|\n|-|-|\n|c|d|", "    code", "\tcode", "```\nx\n```",
    "a\\", "a\\\nb", "a\n\n\nb", "[x]: http://a.b", "$x$", "一\u3000二", "2026. 年",
    "话\n===", "x\n---", "&lt;b&gt;", "# 问题 #", "话 ##", "#", "C# #\n##", "::a[b]", ":red[x]", "[^1]: x\n\n[^1]",
]  # fmt: skip
ANY_SIGNS = st.text(alphabet="ab 一。\n\t\\`*_{}[]()<>#+-.!|~$&:=^@1\"'/?%")


@pytest.mark.parametrize("text", TEXTS)
def test_markdown_shows_every_sign_as_it_was_said(text):
    assert shown(escaped(text)) == seen(text)


@settings(deadline=None)
@given(ANY_SIGNS)
def test_markdown_shows_any_signs_as_they_were_said(text):
    assert shown(escaped(text)) == seen(text)


@pytest.mark.parametrize("text", ["http://a.b", "www.a.b", "WWW.a.b", "a@b.c", ":bamboo:"])
def test_addresses_and_signs_of_joy_are_broken_for_readers_that_make_more_of_them(text):
    assert "\\" in escaped(text)
    assert shown(escaped(text)) == [text]


def test_a_time_and_chinese_marks_stay_readable():
    assert escaped("十点半（12:30）：冷。") == "十点半（12:30）：冷。"


@settings(deadline=None)
@given(ANY_SIGNS)
def test_one_paragraph_of_any_signs_can_be_quoted_and_on_one_line_they_make_a_heading(text):
    quoted, titled = in_one_paragraph(text), on_one_line(text)

    assert shown(f"> {quoted}", ("paragraph", "blockquote")) == seen(text)
    assert quoted == "" or len(READER.parse(quoted)) == 3
    assert shown(f"# {titled}", ("heading",)) == seen(" ".join(text.split()))


def test_an_empty_line_is_kept_within_one_paragraph():
    assert in_one_paragraph("一\n\n\n二\n三") == "一\\\n\\\n二\\\n三"


def test_an_indent_of_the_book_is_kept():
    assert escaped("一\n\u3000\u3000二") == "一\\\n\u3000\u3000二"
