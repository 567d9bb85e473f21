"""The arena in the browser: her own lines meet a chat server, votes by key and button, ratings, the curator's list."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, expect

from core.domain.training import Vote
from core.services import Services
from tests.browser.little_book import LITTLE_BOOK
from tests.browser.running_app import PROJECT, RunningApp
from tests.browser.visitor import PATIENCE, Visitor
from tests.contract.openai_server import OpenAIServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OpenTab = Callable[..., Visitor]
SERVER_SAYS = "竹影摇窗，正好说话。"


@pytest.fixture(scope="module")
def arena(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningApp, Services]]:
    """An app whose configuration names a chat server on this machine, with a little book in it."""
    copy = tmp_path_factory.mktemp("program")
    for part in ("core", "pages", "configs", ".streamlit"):
        shutil.copytree(PROJECT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "Home.py", copy)
    with OpenAIServer(SERVER_SAYS) as server:
        (copy / "configs/chat.yaml").write_text(
            f"endpoint_url: {server.base_url}\nendpoint_model: bamboo server\n", encoding="utf-8"
        )
        app = RunningApp(tmp_path_factory.mktemp("workspace"), {"OPENAI_API_KEY": "nothing"}, project=copy)
        services = app.services()
        book = copy / "竹外集.txt"
        book.write_text(LITTLE_BOOK, encoding="utf-8")
        with book.open("rb") as stream:
            uploads = services.receive_texts(stream, book.name)
        services.execution.here("corpus", services.settings.persona, {"uploads": uploads}, who="test")
        services.execution.here("dialogues", services.settings.persona, {}, who="test")
        yield app, services
        services.close()
        app.stop()


def votes(services: Services) -> tuple[Vote, ...]:
    return services.store.votes.in_arena(services.settings.persona, limit=None).rows


def test_votes_by_key_and_button_become_ratings_and_a_reply_reaches_the_curator(
    arena: tuple[RunningApp, Services], open_tab: OpenTab
) -> None:
    app, services = arena
    visitor = open_tab(app)
    visitor.open("arena")
    visitor.sees("Ratings appear here with the first vote.")
    visitor.press("Let them answer")
    visitor.sees(SERVER_SAYS)
    visitor.settled()
    unnamed = visitor.page.locator("[class*=st-key-arena-reply]")
    for reply in unnamed.all():
        expect(reply).not_to_contain_text("bamboo server")
        expect(reply).not_to_contain_text("Her own lines")

    visitor.page.keyboard.press("ArrowLeft")
    visitor.sees("The next two")
    visitor.settled()
    (first,) = votes(services)
    assert first.winner == first.first
    expect(unnamed.filter(has_text="bamboo server")).to_have_count(1)
    expect(unnamed.filter(has_text="Her own lines")).to_have_count(1)

    visitor.page.keyboard.press("n")
    visitor.sees("No difference")
    visitor.settled()
    visitor.page.keyboard.press("p")  # nothing is kept of a pair that is passed over
    for _attempt in range(5):  # a vote on the pair that was passed over counts for nothing
        visitor.settled()
        visitor.press("The second is more like her")
        with suppress(AssertionError):
            visitor.sees("The next two", patience=PATIENCE // 6)
            break
    visitor.settled()
    second = votes(services)[0]
    assert len(votes(services)) == 2
    assert second.winner == second.second
    visitor.sees("Strength by votes")
    visitor.sees("2 votes")

    side = "second" if second.second == "openai" else "first"
    visitor.page.locator(f".st-key-arena-flag-{side} button").click()
    visitor.write("What is wrong with it", "too plain for her")
    visitor.press("Send", within=visitor.page.get_by_test_id("stPopoverBody"))
    visitor.sees("For the curator")
    visitor.sees("too plain for her")
    visitor.settled()
    visitor.press("Done")
    visitor.sees("It is off the list.")
    visitor.settled()
    assert services.store.votes.get(second.id).flagged is None
    assert visitor.strangers == []
    assert visitor.overflows() <= 0


def test_on_a_phone_in_chinese_both_replies_stand_below_each_other_and_are_heard(
    arena: tuple[RunningApp, Services], open_tab: OpenTab
) -> None:
    app, services = arena
    before = len(votes(services))
    visitor = open_tab(app, locale="zh-CN", width=390)
    visitor.open("arena")
    visitor.choose("声音", "占位语音")
    visitor.write("问双方什么", "外头冷不冷？")
    visitor.press("让双方作答")
    visitor.sees(SERVER_SAYS)
    visitor.settled()
    expect(visitor.page.locator("[class*=st-key-arena-reply] audio")).to_have_count(2)
    first, second = (visitor.page.locator(f".st-key-arena-reply-{one}").bounding_box() for one in ("first", "second"))
    assert first is not None
    assert second is not None
    assert second["y"] >= first["y"] + first["height"]
    visitor.press("没有差别")
    visitor.sees("下一对")
    visitor.settled()
    assert len(votes(services)) == before + 1
    assert votes(services)[0].winner is None
    assert visitor.overflows() <= 0


def test_with_her_own_lines_alone_the_page_says_what_to_do(fresh_app: RunningApp, open_tab: OpenTab) -> None:
    visitor = open_tab(fresh_app)
    visitor.open("arena")
    visitor.sees("A duel needs two who answer")
