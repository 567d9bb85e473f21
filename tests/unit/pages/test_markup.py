from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from pages.ui.markup import plain

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def test_words_of_a_book_are_no_markdown():
    assert plain("*a*_b_ [c](d)") == r"\*a\*\_b\_ \[c\](d)"


@pytest.mark.parametrize("text", ["话\n===", "1. 一", "&lt;b&gt;", "    code", "a\n\nb", "- a\n- b", "a\n    b"])
def test_words_of_several_lines_are_one_paragraph_also_in_a_quotation_and_in_bold(text):
    lines = " ".join(text.split())
    for around, end, kinds in (("", "", []), ("> ", "", ["blockquote_open"]), ("**", "**", [])):
        tokens = READER.parse(f"{around}{plain(text)}{end}")
        opened = [token.type for token in tokens if token.nesting == 1]
        (inline,) = [token for token in tokens if token.type == "inline"]
        said = " ".join(
            "".join(part.content or " " * (part.type == "hardbreak") for part in inline.children or ()).split()
        )

        assert opened == [*kinds, "paragraph_open"]
        assert said == lines


@pytest.mark.parametrize(
    "text",
    [":material/home:", ":material_home:", ":streamlit:", "-> 好", "好 -- 好", "<->", "a\n<-\nb", "a >= b", "<= ~="],
)
def test_what_streamlit_makes_pictures_and_arrows_of_behind_an_escape_is_broken_where_nobody_sees_it(text):
    said = "".join(part.content or part.markup for part in READER.parseInline(plain(text))[0].children or ())

    assert said.count("\u2060") == 1 + (" ~" in text)
    assert said.replace("\u2060", "").replace("\\", "").replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize("text", ["a->b", "a --> b", "12:30", "物：materials", "说 - 好", "a > b = c"])
def test_other_signs_get_nothing_between(text):
    assert "\u2060" not in plain(text)


@pytest.mark.parametrize("text", [":red[x]", ":help", "a:shimmer[b]", ":bamboo:", "$x$", "::a[b]"])
def test_marks_of_streamlit_are_escaped(text):
    assert plain(text).replace("\\", "") == text
    assert all(f"\\{sign}" in plain(text) for sign in ":$[" if sign in text)
