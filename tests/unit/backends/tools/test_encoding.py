"""A chat form that a tokenizer was not made for is noticed before anything is trained with it."""

from __future__ import annotations

import pytest

from core.backends.tools import ReaderSource
from core.backends.tools.xtuner.encoding import reader

TALK = ({"conversation": [{"system": "你是沈青。", "input": "冷么？", "output": "不冷。"}]},)


@pytest.mark.parametrize(
    ("form", "broken"),
    [
        ("internlm2_chat", []),
        ("llama3_chat", ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]),
        ("mistral", []),  # its marks are plain words
    ],
)
def test_marks_without_a_token_of_their_own_are_named(form, broken):
    tiny = reader(ReaderSource(None, form, TALK, vocabulary=600))

    assert tiny.broken_marks() == broken
