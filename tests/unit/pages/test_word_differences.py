"""Two texts are shown as one: what only the newer has is marked, what it lacks is struck out."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pages.ui.word_differences import changed_words, words

SHORT = st.text("甲乙丙丁<&，", max_size=30)


def test_what_was_added_and_what_is_gone_are_marked():
    assert changed_words("昨夜下雨", "今夜下雨了") == (
        '<p class="words"><del>昨</del><ins>今</ins>夜下雨<ins>了</ins></p>'
    )


def test_signs_of_html_are_shown_as_they_are():
    assert words("<b>&\n") == '<p class="words">&lt;b&gt;&amp;<br></p>'


def test_the_middle_of_a_long_stretch_is_left_out_only_where_it_is_asked_for():
    long = "".join(chr(0x4E00 + number) for number in range(200))

    assert long in changed_words(long, long + "了")
    assert "…" in changed_words(long, long + "了", folded=True)


@given(SHORT, SHORT)
def test_both_texts_can_be_read_off_it(before, after):
    shown = changed_words(before, after)

    assert re.sub("<del>.*?</del>|</?ins>", "", shown) == words(after)
    assert re.sub("<ins>.*?</ins>|</?del>", "", shown) == words(before)
