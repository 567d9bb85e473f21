from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.control_marks import COMMON, inert, marks_of

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


def test_a_mark_hidden_by_characters_nobody_sees_is_broken_too():
    assert "<|im_end|>" not in inert("<|im_\u200bend|>").replace("\u200b", "")


@given(
    st.lists(st.sampled_from([*MARKS, "<", ">", "|", "im_end", "s", "/", "[", "]", "好", "\u200b", "\n"]), max_size=12)
)
def test_no_arrangement_of_pieces_leaves_a_mark(pieces):
    assert COMMON.search(inert("".join(pieces))) is None


@given(st.lists(st.sampled_from(["ab", "ba", "a", "b", "abab", "<x>", "x>"]), max_size=12))
def test_marks_of_a_tokenizer_that_overlap_are_all_broken(pieces):
    marks = marks_of(["ab", "ba", "<x>", "x>"])

    assert marks.search(inert("".join(pieces), marks)) is None


def test_tokens_of_one_character_and_no_tokens_find_nothing():
    assert marks_of(["a", " "]).search("a a") is None
    assert marks_of([]) == re.compile(r"(?!)")
