"""The dialogues page asks a language model only after it has said what that will come to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.domain.identity import now
from core.domain.run import RunState
from core.domain.text import Expansion, ReviewStatus
from core.services import Services
from tests.contract.script_server import Manner, ScriptServer

DIALOGUES = str(Path(__file__).resolve().parents[3] / "pages" / "curator" / "dialogues.py")


@pytest.fixture
def server() -> Iterator[ScriptServer]:
    with ScriptServer(manner=lambda text, nth: Manner.GOOD if "雨下得" in text else Manner.PIPES) as made:
        yield made


@pytest.fixture
def page(app: AppTest) -> AppTest:
    """The dialogues page in English, the language model chosen."""
    app.query_params["lang"] = "en"
    app.session_state["find.way"] = "kor"
    app.run()
    return app.switch_page(DIALOGUES).run()


def said(page: AppTest) -> str:
    return "\n".join(str(one.value) for one in (*page.caption, *page.info, *page.markdown, *page.error))


def filled(page: AppTest, server: ScriptServer) -> AppTest:
    page.text_input(key="kor.usual.base_url").set_value(server.base_url)
    return page.text_input(key="kor.usual.model").set_value("gpt-4o-mini").run()


def test_without_an_address_nothing_can_be_asked(book, page):
    assert not page.exception
    assert "Give the address of a server" in said(page)
    assert [one for one in page.button if one.key == "find.ask"] == []


def test_an_address_that_is_none_is_told_and_not_asked(book, page):
    page.text_input(key="kor.usual.base_url").set_value("file:///etc")
    page.text_input(key="kor.usual.model").set_value("m").run()

    assert "address or the model's name" in said(page)
    assert page.button(key="find.ask").disabled


def test_the_price_is_shown_before_anything_is_sent(book, page, server):
    filled(page, server)

    figures = {one.label: one.value for one in page.metric}
    assert not page.exception
    assert figures["Calls"] == "2"
    assert figures["Cost"].endswith("USD")
    assert "Nothing has been sent yet." in said(page)
    assert not server.books.asked


def test_the_run_asks_and_what_was_left_open_can_be_asked_again(studio: Services, book, page, server):
    page.session_state["kor.usual.reasks"] = 0
    filled(page, server)
    page.button(key="find.ask").click().run()
    (run,) = studio.store.runs.all(kind="kor")
    studio.execution.attempt(run.id, 1)
    page.run()

    ended = studio.store.runs.get(run.id)
    assert ended.state is RunState.SUCCEEDED, ended.error
    assert not page.exception
    assert [one.label for one in page.expander if "no answer yet" in one.label] == ["1 question has no answer yet"]

    page.button(key=f"retry.{run.id}").click().run()
    (again,) = studio.store.runs.all(kind="kor", states=[RunState.QUEUED])
    studio.execution.attempt(again.id, 1)

    assert server.books.asked.most_common()[-1][1] == 1  # what was answered was not asked again


def test_synthetic_lines_are_marked_and_decided_about(studio: Services, book, page):
    quote = next(iter(studio.store.utterances.of_passage(f"{book.id}.1")))
    line = Expansion("x.0", studio.settings.persona, quote.id, 0, "对话人", "外头冷么？", "m", now())
    studio.store.expansions.put([line])
    page.run()

    assert not page.exception
    assert "synthetic" in said(page)

    page.button(key="expansion.x.0.0.accept").click().run()

    assert studio.store.expansions.of_quotes([quote.id])[quote.id][0].status is ReviewStatus.ACCEPTED
