from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backends.llm import ChatRole, ChatTurn
from core.stages.chat.settings import ChatSettings
from core.stages.chat.tokens import EstimatingCounter, counter_of, estimated
from tests.contract.doubles import EchoModel


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("外头风大，且进来。", 9, 9),
        ("a quiet evening", 3, 6),
        ("竹😀", 4, 4),
        ("antidisestablishment", 5, 10),
    ],
)
def test_an_estimate_is_rather_too_many_than_too_few(text, least, most):
    assert least <= estimated(text) <= most


@given(st.text(max_size=60), st.text(max_size=60))
def test_more_words_are_never_fewer_tokens(first, second):
    counter = EstimatingCounter(100)
    one = counter.count([ChatTurn(ChatRole.VISITOR, first)])

    assert counter.count([ChatTurn(ChatRole.VISITOR, first + "\n" + second)]) >= one
    assert counter.count([ChatTurn(ChatRole.VISITOR, first), ChatTurn(ChatRole.PERSONA, second)]) > one


def test_a_model_that_does_not_count_is_estimated_by_what_the_settings_say_it_reads():
    assert counter_of(EchoModel(), ChatSettings(endpoint_context=9000)).context == 9000
