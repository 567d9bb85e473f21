"""Every page of the map, on an empty workspace and on one with a book, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import services as wiring
from core.lifecycle import EXTRA_PAGES, STAGES, ExtraPage, Stage
from pages.ui.i18n import catalog

PAGES: tuple[Stage | ExtraPage, ...] = (*STAGES, *EXTRA_PAGES)
SCRIPTS = Path(__file__).resolve().parents[3] / "pages"

every_page = pytest.mark.parametrize("entry", PAGES, ids=lambda one: one.page)


def visit(app, entry, language="en"):
    app.query_params["lang"] = language
    app.run()
    app.switch_page(str(SCRIPTS / entry.page)).run()
    return app


@every_page
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_page_of_an_empty_workspace_says_what_it_is_for(app, entry, language):
    visit(app, entry, language)

    assert not app.exception
    assert app.title[0].value == catalog(language).gettext(entry.title)
    assert catalog(language).gettext(entry.summary) in [caption.value for caption in app.caption]


@every_page
def test_a_page_shows_a_workspace_with_a_book(app, book, entry):
    visit(app, entry)

    assert not app.exception
    assert not app.error


@every_page
def test_a_page_of_another_role_is_closed(app, entry, studio, monkeypatch):
    app.run()
    other = next(one.role for one in PAGES if one.role is not entry.role)
    monkeypatch.setenv("DAIYU_ACCESS__ROLES", f'["{other}"]')
    wiring.services.cache_clear()
    app.switch_page(str(SCRIPTS / entry.page)).run()

    assert entry.title not in [title.value for title in app.title]


@every_page
def test_a_page_is_a_short_script(entry):
    lines = (SCRIPTS / entry.page).read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 120
    assert not [line for line in lines if line.lstrip().startswith(("def ", "class ", "async def "))]


def test_home_shows_every_stage_and_the_next_thing_to_do(app):
    app.run()
    shown = " ".join(one.label for one in app.get("page_link"))

    assert not app.exception
    assert all(stage.title in shown for stage in STAGES)
    assert app.button(key="next-step").label == "Import a text"


def test_home_leads_on_once_a_stage_holds_something(app, book):
    app.run()

    assert app.button(key="next-step").label == "Build a dataset version"


def test_the_next_step_opens_its_page(app):
    app.run()
    app.button(key="next-step").click().run()

    assert app.title[0].value == "Corpus"


def test_the_switch_overrules_the_browser(app):
    app.run()
    app.segmented_control[0].set_value("zh_CN").run()

    assert app.button(key="next-step").label == "导入文本"


def test_a_link_to_a_passage_opens_its_chapter(app, book):
    passage = next(
        one for one in wiring.services().store.corpus.passages(book.id, chapter=2) if one.kind.value == "paragraph"
    )
    app.query_params["passage"] = passage.id
    app.run()
    app.query_params["passage"] = passage.id
    app.switch_page(str(SCRIPTS / "curator" / "corpus.py")).run()

    assert any("心里都湿了" in block.proto.body for block in app.get("html"))


def test_a_mistake_in_the_settings_is_told_with_its_remedy(app, monkeypatch):
    monkeypatch.setenv("DAIYU_SERVER__PORT", "no number")
    wiring.services.cache_clear()
    app.run()
    monkeypatch.delenv("DAIYU_SERVER__PORT")
    wiring.services.cache_clear()

    assert not app.exception
    assert "server.port" in app.error[0].value


def test_a_link_to_what_is_gone_says_so(app, book):
    app.query_params["run"] = "run-gone"
    app.run()
    app.query_params["run"] = "run-gone"
    app.switch_page(str(SCRIPTS / "trainer" / "runs.py")).run()

    assert not app.exception
    assert "run-gone" in app.error[0].value
