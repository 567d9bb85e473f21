"""The way from an uploaded book to her voice, as a newcomer walks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.run import RunState
from tests.browser.conftest import House
from tests.browser.little_book import LITTLE_BOOK
from tests.browser.running_app import RunningApp
from tests.browser.visitor import Visitor

OpenTab = Callable[..., Visitor]


@pytest.mark.slow
def test_from_an_uploaded_book_to_a_reply_with_a_voice(
    fresh_app: RunningApp, open_tab: OpenTab, tmp_path: Path
) -> None:
    book = tmp_path / "听竹集.txt"
    book.write_text(LITTLE_BOOK, encoding="gb18030")
    visitor = open_tab(fresh_app)

    visitor.open("corpus")
    visitor.unfold("Import texts")
    visitor.give(book)
    visitor.starts_and_sees_succeed("Import", "1 text received")
    visitor.sees("4 chapters")
    visitor.sees_row(0, "第一回")

    visitor.open("dialogues")
    visitor.unfold("Find the dialogues")
    visitor.starts_and_sees_succeed("Start")
    visitor.page.get_by_role("radio", name="Table").click()
    visitor.choose("Speaker", "贾宝玉")
    visitor.sees_row(0, "贾宝玉")

    visitor.open("dataset")
    visitor.unfold("Build a version")
    visitor.starts_and_sees_succeed("Build")
    visitor.sees("Training samples")
    visitor.settled()

    visitor.open("chat")
    visitor.page.get_by_placeholder("Write to").fill("你喜欢下雨么？")
    visitor.page.get_by_placeholder("Write to").press("Enter")
    visitor.sees("her own lines")
    visitor.settled()
    assert visitor.page.evaluate("window.heard.length") > 0


@pytest.mark.slow
def test_the_whole_novel_shows_its_120_chapters_and_her_lines(house: House, novel: Path, open_tab: OpenTab) -> None:
    visitor = open_tab(house.app)

    visitor.open("corpus")
    visitor.unfold("Import texts")
    visitor.give(novel)
    visitor.starts_and_sees_succeed("Import", "1 text received")
    visitor.sees("120 chapters")
    visitor.settled()
    source = house.services.store.corpus.sources(house.persona)[0]
    assert source.name == novel.name
    assert len([one for one in house.services.store.corpus.chapters(source.id) if one.number]) == 120

    visitor.open("dialogues")
    visitor.unfold("Find the dialogues")
    visitor.starts_and_sees_succeed("Start")
    run = house.services.store.runs.all(persona_id=house.persona, kind="dialogues", limit=1)[0]

    assert run.state is RunState.SUCCEEDED
    house.services.store.corpus.delete(source.id, who="test")
