"""A shared app with a little book in it, and tabs of Chromium to visit it with."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from core.services import Services
from tests.browser.little_book import LITTLE_BOOK
from tests.browser.running_app import RunningApp
from tests.browser.visitor import Visitor, chromium, chromium_path

_EARS = """
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...when) {
  window.heard.push({ at: when[0] ?? 0, seconds: this.buffer ? this.buffer.duration : 0 });
  return start.apply(this, when);
};
"""
"""Notes each sound the page schedules."""

_FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `browser`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the test failed, for the picture taken at its end."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    if chromium_path() is None:
        pytest.skip("no Chromium here: install the system package `chromium`")
    with sync_playwright() as playwright, chromium(playwright) as opened:
        yield opened


@contextmanager
def _apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningApp]]:
    started: list[RunningApp] = []

    def start(**settings: str) -> RunningApp:
        started.append(RunningApp(tmp_path_factory.mktemp("workspace"), settings))
        return started[-1]

    try:
        yield start
    finally:
        for app in started:
            app.stop()


@pytest.fixture(scope="module")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningApp]]:
    """Start apps, each in a new workspace, and end them with the module: an idle worker still looks for work."""
    with _apps(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="package")
def fresh_app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app as a newcomer finds it, with the sample corpus only; the modules here share it."""
    with _apps(tmp_path_factory) as start:
        yield start()


@dataclass(frozen=True, slots=True)
class House:
    """The app that most tests share, and the same workspace seen from here."""

    app: RunningApp
    services: Services
    source_id: str
    """The little book; its lines are extracted and a dataset version is built from them."""
    version_id: str

    @property
    def persona(self) -> str:
        """The persona's id."""
        return self.services.settings.persona


@pytest.fixture(scope="package")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running app with the little book, its lines and a dataset version; the modules here share it."""
    with _apps(tmp_path_factory) as start:
        yield from _furnished(start(), tmp_path_factory)


def _furnished(app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    services = app.services()
    book = tmp_path_factory.mktemp("book") / "竹外集.txt"
    book.write_text(LITTLE_BOOK, encoding="utf-8")
    with book.open("rb") as stream:
        received = services.receive_texts(stream, book.name)
    here, persona = services.execution.here, services.settings.persona
    source_id = here("corpus", persona, {"uploads": received}, who="test").result["sources"][0]
    here("dialogues", persona, {"source_ids": [source_id]}, who="test")
    here("dataset", persona, {"source_ids": [source_id], "name": "first"}, who="test")
    yield House(app, services, source_id, services.store.datasets.versions(persona)[0].id)
    services.close()


@pytest.fixture
def open_tab(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Visitor]]:
    """Open tabs, each in a fresh browser profile; a failing test leaves a picture and the console of each."""
    tabs: list[tuple[BrowserContext, Visitor]] = []

    def open_one(app: RunningApp, *, locale: str = "en-US", width: int = 1280) -> Visitor:
        context = browser.new_context(
            locale=locale, timezone_id="Asia/Shanghai", viewport={"width": width, "height": 900}, accept_downloads=True
        )
        context.add_init_script(_EARS)
        visitor = Visitor(context.new_page(), app.url)
        tabs.append((context, visitor))
        return visitor

    yield open_one
    for number, (context, visitor) in enumerate(tabs):
        if request.node.stash.get(_FAILED, False):
            picture = tmp_path / f"tab-{number}.png"
            visitor.page.screenshot(path=picture, full_page=True)
            picture.with_suffix(".console.txt").write_text("\n".join(visitor.console), encoding="utf-8")
            print(f"\nWhat the tab showed: {picture}")  # noqa: T201  # pytest shows it below the failure
        context.close()


@pytest.fixture
def visitor(house: House, open_tab: Callable[..., Visitor]) -> Visitor:
    """A tab on the shared app, in English."""
    return open_tab(house.app)
