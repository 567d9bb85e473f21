"""How a text is written does not matter when texts are compared, and offsets stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.normalising import folded


@given(st.text() | st.text(st.sampled_from("說说「」．.３Ａ,，后後“”乾")))
def test_folding_keeps_every_offset(text):
    assert len(folded(text)) == len(text)


@given(st.text() | st.text(st.sampled_from("說说「」．.３Ａ,，后後“”乾")))
def test_what_is_folded_stays_as_it_is(text):
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("青兒說道：「好雨。」", "青儿说道：“好雨。”"),
        ("他說：『再看看。』", "他说：‘再看看。’"),
        ("下雨了．青儿来了.", "下雨了。青儿来了。"),
        ("好,再来!", "好，再来！"),
        ("３.14 和 Mr. Li", "3.14 和 Mr. Li"),
        ("＂好雨。＂", '"好雨。"'),
        ("第３回", "第3回"),
    ],
)
def test_what_is_the_same_to_a_reader_is_written_the_same(written, compared):
    assert folded(written) == compared


def test_text_that_needs_no_folding_is_left_alone():
    text = "青儿道：“好雨。”"

    assert folded(text) == text
