"""Every page opens by its own address, in the visitor's language, for those who may, on any screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from core.lifecycle import EXTRA_PAGES, STAGES, ExtraPage, Role, Stage, pages_of
from tests.browser.conftest import House
from tests.browser.running_app import RunningApp
from tests.browser.visitor import Visitor

PAGES: tuple[Stage | ExtraPage, ...] = (*STAGES, *EXTRA_PAGES)
TITLES = {PurePosixPath(one.page).stem: one.title for one in PAGES}
"""Address -> heading in English."""

OpenTab = Callable[..., Visitor]
StartApp = Callable[..., RunningApp]


@pytest.mark.slow
def test_a_deep_link_is_the_first_thing_a_fresh_server_ever_answers(fresh_app: RunningApp, open_tab: OpenTab) -> None:
    visitor = open_tab(fresh_app)

    visitor.open("dialogues")

    assert visitor.title() == TITLES["dialogues"]
    assert visitor.menu()[0] == "Home"
    assert set(visitor.menu()[1:]) == set(TITLES.values())


@pytest.mark.slow
@pytest.mark.parametrize("address", ["", *TITLES])
def test_every_page_opens_by_its_address_in_a_new_browser(
    fresh_app: RunningApp, open_tab: OpenTab, address: str
) -> None:
    visitor = open_tab(fresh_app)

    visitor.open(address)

    assert visitor.title() == TITLES.get(address, "林黛玉 of 红楼梦")
    assert set(visitor.menu()) == {"Home", *TITLES.values()}
    assert TITLES.get(address, "") in visitor.page.title()
    assert visitor.strangers == [], "everything a page needs comes from the app itself"


def test_the_browsers_language_decides_and_the_switch_overrules(house: House, open_tab: OpenTab) -> None:
    chinese, english = open_tab(house.app, locale="zh-CN"), open_tab(house.app, locale="en-US")
    chinese.open("corpus")
    english.open("corpus")

    assert chinese.title() == "语料"
    assert english.title() == "Corpus"
    chinese.page.get_by_role("radio", name="English").click()
    chinese.sees("Import the book, screenplay and quotes in any common format; read them chapter by chapter.")
    chinese.settled()
    assert chinese.title() == "Corpus"
    chinese.reload()
    assert chinese.title() == "Corpus", "the choice survives a reload"


@pytest.mark.slow
def test_a_visitor_is_shown_only_where_to_talk_and_refused_elsewhere(start_app: StartApp, open_tab: OpenTab) -> None:
    app = start_app(DAIYU_ACCESS__ROLES='["visitor"]')
    visitor = open_tab(app)
    elsewhere = open_tab(app)
    mine = [one.title for one in pages_of(frozenset({Role.VISITOR}))]

    visitor.open("chat")
    assert visitor.menu() == ["Home", *mine]
    visitor.open()
    assert visitor.menu() == ["Home", *mine]
    elsewhere.page.goto(f"{app.url}/runs")
    elsewhere.sees("Page not found")

    assert elsewhere.page.get_by_role("heading", name="Runs").count() == 0
    assert elsewhere.page.get_by_test_id("stDataFrame").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("address", ["", *TITLES])
def test_no_page_is_wider_than_a_phone(house: House, open_tab: OpenTab, address: str) -> None:
    visitor = open_tab(house.app, width=390)

    visitor.open(address)

    assert visitor.overflows() <= 1
