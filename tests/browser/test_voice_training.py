"""Her voice from the page: the tool is found, a voice trained, weights compared, a server started, and it speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.running_app import RunningApp
from tests.browser.visitor import PATIENCE, Visitor
from tests.browser.voice_walk import Studio, walk
from tests.little_clips import frozen_set
from tests.standins.gpt_sovits.layout import lay_out

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OpenTab = Callable[..., Visitor]


@pytest.fixture(scope="module")
def studio(
    browser: object, start_app: Callable[..., RunningApp], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    app = start_app()
    services = app.services()
    frozen_set(services.store, services.settings.persona)
    tool = lay_out(tmp_path_factory.mktemp("tool"))
    made = Studio(app, services, tool.checkout, tool.python)
    yield made
    made.close()


def test_from_a_checkout_to_a_voice_that_speaks_in_the_chat(studio: Studio, open_tab: OpenTab) -> None:
    visitor = open_tab(studio.app)
    walk(studio, visitor)
    assert studio.changed_files() == ""
    assert visitor.strangers == []


def test_the_page_says_where_to_begin_when_there_is_nothing_yet_in_chinese_too(
    fresh_app: RunningApp, open_tab: OpenTab
) -> None:
    visitor = open_tab(fresh_app, locale="zh-CN", width=390)
    visitor.open("voice_training")
    visitor.sees("GPT-SoVITS 不是可以代为安装的软件包")
    assert visitor.overflows() <= 0


def test_a_zip_that_is_no_voice_is_refused_with_its_reason(studio: Studio, open_tab: OpenTab, tmp_path: Path) -> None:
    wrong = tmp_path / "voice.zip"
    wrong.write_bytes(b"PK\x05\x06" + bytes(18))
    visitor = open_tab(studio.app)
    visitor.open("voice_training?part=voices")
    visitor.unfold("Bring a voice in")
    visitor.give(wrong)
    visitor.press("Bring it in")
    problem = visitor.page.get_by_test_id("stAlert").first
    expect(problem).to_be_visible(timeout=4 * PATIENCE)
