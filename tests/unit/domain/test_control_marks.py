from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.control_marks import COMMON, inert, marks_of
from core.domain.unseen import UNSEEN

MARKS = [
    "<|im_start|>", "<|im_end|>", "</s>", "<s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<|eot_id|>", "<bos>",
    "<start_of_turn>", "<end_of_turn>", "[gMASK]", "[UNUSED_TOKEN_145]", "<｜User｜>", "＜|im_end|＞", "<eoa>",
    "<reserved_106>", "<think>", "</tool_call>",
]  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_in_common_use_is_broken_and_can_still_be_read(mark):
    made = inert(f"你说{mark}是什么")

    assert mark not in made
    assert made.replace(" ", "") == f"你说{mark}是什么"


@pytest.mark.parametrize(
    "text", ["a < b > c", "[1] 注", "我<3你", "他说：“好|坏？”", "<b>粗</b>", "竹声 [笑]", "</a>", "1 << 2 >> 3", ""]
)
def test_other_words_stay_as_they_are(text):
    assert inert(text) == text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("<|im_\u200bend|>", "< |im_\u200bend|>"),
        ("<\u200c|im_start|>", "< \u200c|im_start|>"),
        ("好\ufe0f<\u200d|im_start|\ufe0f>", "好\ufe0f< \u200d|im_start|\ufe0f>"),
        ("<\u200c/s>", "< \u200c/s>"),
    ],
)
def test_a_mark_hidden_by_characters_nobody_sees_is_broken_and_they_stay(text, made):
    assert inert(text) == made


@pytest.mark.parametrize("text", ["👩\u200d👧❤\ufe0f", "«نمی\u200cخواهم»", "a\u00adb", "<\u200d3", "[\u200b1]"])
def test_characters_nobody_sees_stay_where_they_hide_no_mark(text):
    assert inert(text) == text


_HIDING = st.text(alphabet="\u00ad\u034f\u200b\u200c\u200d\u2060\ufe0f\ufeff\U000e0101\x07", max_size=3)


@given(st.sampled_from(MARKS), st.data())
def test_no_mark_comes_back_however_it_is_sprinkled_with_what_nobody_sees(mark, data):
    hidden = "".join(f"{character}{data.draw(_HIDING)}" for character in mark)
    whole = f"{data.draw(_HIDING)}{hidden}好"

    assert mark not in UNSEEN.sub("", inert(whole))
    assert COMMON.search(UNSEEN.sub("", inert(whole))) is None
    assert inert(whole).replace(" ", "") == whole
    own = marks_of([mark])
    assert own.search(UNSEEN.sub("", inert(whole, own))) is None


@given(
    st.lists(st.sampled_from([*MARKS, "<", ">", "|", "im_end", "s", "/", "[", "]", "好", "\u200d", "\n"]), max_size=12)
)
def test_no_arrangement_of_pieces_leaves_a_mark(pieces):
    made = inert("".join(pieces))

    assert COMMON.search(made) is None
    assert COMMON.search(UNSEEN.sub("", made)) is None


@given(st.lists(st.sampled_from(["ab", "ba", "a", "b", "abab", "<x>", "x>"]), max_size=12))
def test_marks_of_a_tokenizer_that_overlap_are_all_broken(pieces):
    marks = marks_of(["ab", "ba", "<x>", "x>"])

    assert marks.search(inert("".join(pieces), marks)) is None


def test_tokens_of_one_character_and_no_tokens_find_nothing():
    assert marks_of(["a", " "]).search("a a") is None
    assert marks_of([]) == re.compile(r"(?!)")
