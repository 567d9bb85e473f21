from __future__ import annotations

import pytest

from core.domain.chat import Message, Speaker
from core.domain.identity import new_id, now
from core.errors import InvalidInputError, NotFoundError
from core.stages.chat.paths import asked_before, said_before


@pytest.fixture
def tell(store):
    """Say something in one conversation, after a message or at its end."""
    talk = store.talks.start("a-qing", "雨天")

    def said(text, parent=None):
        speaker = Speaker.VISITOR if text.endswith("？") else Speaker.PERSONA
        return store.talks.say(Message(new_id("msg"), talk.id, 0, speaker, text, now(), parent_id=parent))

    return said


def test_a_reply_knows_what_it_answers_and_what_was_said_before_on_its_own_path(store, tell):
    greeting, asked, reply = tell("来了。"), tell("冷么？"), tell("不冷。")
    tell("雨停了么？", greeting.id)
    tell("停了。")

    found = asked_before(reply.id, store)

    assert (found.said, found.history) == (asked, (greeting,))


def test_words_to_be_changed_know_what_was_said_before_them(store, tell):
    first, reply, second = tell("冷么？"), tell("不冷。"), tell("当真？")

    assert said_before(second.id, store) == (first, reply)
    assert said_before(first.id, store) == ()


def test_a_greeting_and_the_visitors_words_answer_nothing_and_hers_are_not_changed(store, tell):
    greeting, asked = tell("来了。"), tell("冷么？")

    for message in (greeting, asked):
        with pytest.raises(InvalidInputError):
            asked_before(message.id, store)
    with pytest.raises(InvalidInputError):
        said_before(greeting.id, store)
    for gone in (asked_before, said_before):
        with pytest.raises(NotFoundError):
            gone("msg-9", store)
