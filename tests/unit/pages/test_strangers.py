"""Somebody that may only talk sees no talk but his own, wherever talks are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import services as wiring
from core.domain.chat import Message, Speaker
from core.domain.identity import new_id, now
from core.services import Services

CHAT = Path(__file__).resolve().parents[3] / "pages" / "visitor" / "chat.py"


@pytest.fixture
def somebody_elses(studio: Services, monkeypatch: pytest.MonkeyPatch) -> str:
    """A talk of another stranger, in an app for strangers; returns its id."""
    talk = studio.store.talks.start(studio.settings.persona, "别人的题目", "visitor-other")
    studio.store.talks.say(Message(new_id("msg"), talk.id, 0, Speaker.VISITOR, "别人的话", now()))
    monkeypatch.setenv("DAIYU_ACCESS__ROLES", '["visitor"]')
    studio.close()
    wiring.services.cache_clear()
    return talk.id


def drawn(app: AppTest) -> str:
    """Return the words that the page shows."""
    words = [one.value for one in (*app.markdown, *app.caption)]
    return " ".join([*words, *(one.label for one in app.button)])


def test_home_shows_a_stranger_neither_the_words_nor_the_title_of_anothers_talk(app, somebody_elses):
    app.run()

    assert not app.exception
    assert "别人" not in drawn(app)


def test_the_address_of_anothers_talk_opens_nothing_for_a_stranger(app, somebody_elses):
    app.run()
    app.switch_page(str(CHAT))
    app.query_params["talk"] = somebody_elses
    app.run()

    assert not app.exception
    assert app.chat_input
    assert "别人" not in drawn(app)


def test_whoever_runs_the_app_sees_every_talk(app, studio):
    talk = studio.store.talks.start(studio.settings.persona, "别人的题目", "visitor-other")
    studio.store.talks.say(Message(new_id("msg"), talk.id, 0, Speaker.VISITOR, "别人的话", now()))
    app.run()
    assert "别人的题目" in drawn(app)
    app.switch_page(str(CHAT))
    app.query_params["talk"] = talk.id
    app.run()

    assert "别人的话" in drawn(app)
