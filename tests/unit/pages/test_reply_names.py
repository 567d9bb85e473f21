"""Names that people gave are shown below and about a reply as they were given, whatever signs they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.chat import Message, Speaker, Verdict
from core.domain.identity import now
from core.domain.text import DatasetVersion, Source, Utterance
from core.domain.training import Model, ModelKind
from core.services import Services
from core.store import Store
from pages.ui.markup import plain

PAGES = Path(__file__).resolve().parents[3] / "pages"
MODEL, BASE, VOICE, VERSION, FILE = "*竹* $1$", "[tiny](x)", "`voice`", ":red[v1]", "*a*_b_.txt"


def another_copy(store: Store, book: Source, name: str) -> Utterance:
    """Put the book in once more by that name, and return a line of it."""
    passages = [replace(one, source_id="src-2") for one in store.corpus.passages(book.id)]
    store.corpus.add(replace(book, id="src-2", name=name, sha256="2" * 64), passages)
    lines = [one for passage in store.corpus.passages(book.id) for one in store.utterances.of_passage(passage.id)]
    store.utterances.replace("src-2", "rules", [replace(one, source_id="src-2") for one in lines], None)
    return store.utterances.get(replace(lines[0], source_id="src-2").id)


@pytest.fixture
def reply(studio: Services, book: Source) -> Message:
    """A reply of a model with a voice, on the data of a version: each of them named by who likes to format."""
    store, persona_id = studio.store, studio.settings.persona
    store.datasets.add(DatasetVersion("data-1", persona_id, VERSION, "", "f" * 64, "", {}, 1, 0, now()), [])
    store.models.add(Model("model-1", persona_id, ModelKind.TEXT, MODEL, None, "data-1", BASE, "models/1", now()))
    store.models.add(Model("voice-1", persona_id, ModelKind.VOICE, VOICE, None, None, BASE, "models/2", now()))
    talk = store.talks.start(persona_id, "rain")
    asked = store.talks.say(Message("msg-0", talk.id, 0, Speaker.VISITOR, "冷么？\n\n当真？", now()))
    line = another_copy(store, book, FILE)
    made = Message(
        "msg-1", talk.id, 0, Speaker.PERSONA, "不冷。\n\n真的。", now(), "transformers", "model-1", "voice-1"
    )
    return store.talks.say(replace(made, utterance_id=line.id, parent_id=asked.id))


def words(app) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption))


def test_names_below_a_reply_and_in_where_it_comes_from_are_shown_as_they_were_given(app, studio, reply):
    app.query_params["lang"] = "en"
    app.query_params["talk"] = reply.conversation_id
    app.run()
    app.switch_page(str(PAGES / "visitor" / "chat.py")).run()
    below = [one.value for one in app.caption]
    app.button(key="why.msg-1").click().run()

    assert not app.exception
    assert f"{plain(MODEL)} · {plain(VOICE)}" in below
    assert f"\n{plain(FILE)}, chapter 1" in words(app)
    assert f"Written by the model **{plain(MODEL)}**, trained from {plain(BASE)}." in words(app)
    assert f"Spoken by the voice **{plain(VOICE)}**, {plain(BASE)}." in words(app)
    assert f"The dataset version {plain(VERSION)}" in [one.label for one in app.get("page_link")]


def test_names_and_words_of_a_reply_that_was_rated_down_are_shown_as_they_are(app, studio, reply):
    persona = studio.store.personas.get(studio.settings.persona)
    studio.chat.rate_reply(persona, reply.id, Verdict.DOWN, "", who="anna")
    app.query_params["lang"] = "en"
    app.run()
    app.session_state["rated"] = True
    app.switch_page(str(PAGES / "curator" / "dialogues.py")).run()

    assert not app.exception
    assert f"{plain(MODEL)} · {plain(VOICE)}" in [one.value for one in app.caption]
    assert "**冷么？\\\n\\\n当真？**" in [one.value for one in app.markdown]
    assert "> 不冷。\\\n\\\n真的。" in [one.value for one in app.markdown]
