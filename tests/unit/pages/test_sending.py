"""A message that is not sent stands below the talk with the reason, and can be sent again without typing it anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.chat_services import ChatServices
from core.domain.text import Source
from core.errors import TooManyError
from core.services import Services

CHAT = Path(__file__).resolve().parents[3] / "pages" / "visitor" / "chat.py"


@pytest.fixture
def chat(app: AppTest, book: Source) -> AppTest:
    """The chat, opened; her own lines of a small book answer."""
    app.run()
    return app.switch_page(str(CHAT)).run()


@pytest.fixture
def too_many(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages are refused as long as there is something in this list."""
    refusals = ["now"]

    def admit(_: ChatServices, who: str) -> None:
        if refusals:
            raise TooManyError("That was too much at once.", remedy="Wait.")

    monkeypatch.setattr(ChatServices, "admit", admit)
    return refusals


def words_of(studio: Services) -> list[str]:
    """Return what was said in the newest talk, in order."""
    talks = studio.store.talks.conversations(studio.settings.persona)
    return [one.text for one in studio.store.talks.messages(talks[0].id)] if talks else []


def test_a_refused_message_stands_below_the_talk_and_is_sent_again_by_a_button(chat, studio, too_many):
    chat.chat_input[0].set_value("外头可是下雨了？").run()

    assert [one.value for one in chat.error] == ["**That was too much at once.**\n\nWait."]
    assert chat.chat_message[-1].markdown[0].value == "外头可是下雨了？"
    assert words_of(studio) == []

    too_many.clear()
    next(one for one in chat.button if one.label == "Send it again").click().run()

    assert not chat.error
    assert words_of(studio)[1] == "外头可是下雨了？"
    assert len(words_of(studio)) == 3, "the greeting, the words, her reply"


def test_a_refused_message_may_be_refused_again(chat, studio, too_many):
    chat.chat_input[0].set_value("外头可是下雨了？").run()
    next(one for one in chat.button if one.label == "Send it again").click().run()

    assert chat.chat_message[-1].markdown[0].value == "外头可是下雨了？"
    assert [one.label for one in chat.button].count("Send it again") == 1


def test_words_said_otherwise_and_refused_are_sent_again_in_their_place(chat, studio, too_many):
    too_many.clear()
    chat.chat_input[0].set_value("外头可是下雨了？").run()
    said = studio.store.talks.messages(studio.store.talks.conversations(studio.settings.persona)[0].id)[1]
    chat.button(key=f"reword.{said.id}").click().run()
    too_many.append("now")
    chat.text_area[0].set_value("外头可是停了？")
    next(one for one in chat.button if one.label == "Send").click().run()
    assert chat.error

    too_many.clear()
    next(one for one in chat.button if one.label == "Send it again").click().run()

    assert words_of(studio)[1] == "外头可是停了？"
    assert len(words_of(studio)) == 3
