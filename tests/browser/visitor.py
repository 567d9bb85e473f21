"""A person at the browser: opens pages, presses what is there, and waits until the page has answered."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Locator, Page, Playwright, expect
from playwright.sync_api import TimeoutError as TooSlow

PATIENCE: Final = 30_000
"""Milliseconds anything may take to show; two busy cores are slow."""
expect.set_options(timeout=PATIENCE)

_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
_HEADING: Final = 35
"""Height of the heading in Streamlit's table."""
_ROW_HEIGHT: Final = """(table, heading) => {
  const rows = table.querySelector("canvas table").getAttribute("aria-rowcount") - 1;
  return (table.querySelector(".dvn-stack").getBoundingClientRect().height - heading) / rows;
}"""
"""Asks Streamlit's table how high its rows are: some tables have higher ones, for text in two lines."""


def chromium_path() -> str | None:
    """Return the system's Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Open the system's Chromium without a window, and close it."""
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(_FLAGS))
    yield browser
    browser.close()


class Visitor:
    """One browser tab on the running app."""

    def __init__(self, page: Page, url: str) -> None:
        """Use this tab for the app at `url`."""
        self.page = page
        self.url = url
        self.console: list[str] = []
        self.strangers: list[str] = []
        """Addresses outside the app that the page asked for something."""
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("request", lambda request: self._note_stranger(request.url))
        page.on("response", lambda answer: self._note_failure(answer.status, answer.url))
        page.on("pageerror", lambda error: self.console.append(f"pageerror: {error}"))

    def open(self, path: str = "") -> None:
        """Open a page of the app by its address and wait until it is drawn."""
        self.page.goto(f"{self.url}/{path}")
        expect(self.page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
        self.settled()

    def reload(self) -> None:
        """Reload the page, as F5 does, and wait until it is drawn."""
        self.page.reload()
        expect(self.page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
        self.settled()

    def settled(self) -> None:
        """Wait until no script runs on the server; fail at a Python exception on the page."""
        app = self.page.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]")
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=4 * PATIENCE)
        trouble = self.page.get_by_test_id("stException")
        assert trouble.count() == 0, trouble.first.inner_text()

    def title(self) -> str:
        """Return the page's heading."""
        return self.page.get_by_role("heading", level=1).inner_text()

    def menu(self) -> list[str]:
        """Return the menu's entries, without their symbols."""
        entries = self.page.get_by_test_id("stSidebarNavLink")
        expect(entries.first).to_be_attached(timeout=PATIENCE)
        return [entry.inner_text().splitlines()[-1] for entry in entries.all()]

    def sees(self, text: str | re.Pattern[str], *, within: Locator | None = None, patience: int = PATIENCE) -> Locator:
        """Wait until the text is visible, and return where it stands."""
        found = (within or self.page.locator("body")).get_by_text(text).filter(visible=True).first
        expect(found).to_be_visible(timeout=patience)
        return found

    def press(self, name: str, *, within: Locator | None = None) -> None:
        """Press the button of that name."""
        (within or self.page).get_by_role("button", name=name).filter(visible=True).first.click()

    def unfold(self, title: str) -> Locator:
        """Open the expander of that title, if it is closed, and return it."""
        own = self.page.locator(":scope > details > summary", has_text=title)  # not that of an expander within it
        folded = self.page.get_by_test_id("stExpander").filter(has=own).first
        details = folded.locator("details").first
        if details.get_attribute("open") is None:
            details.locator("summary").first.click()
        expect(details).to_have_attribute("open", "")
        # A click on what still moves is lost.
        details.evaluate(
            "box => Promise.all(box.getAnimations({ subtree: true }).map(one => one.finished.catch(() => 0)))"
        )
        return folded

    def choose(
        self, label: str, option: str | re.Pattern[str], *, within: Locator | None = None, settles: bool = True
    ) -> None:
        """Choose an option of the select box of that label; `settles` is false where the page goes on drawing."""
        box = (within or self.page).get_by_test_id("stSelectbox").filter(has_text=label).filter(visible=True).first
        wanted = self.page.get_by_role("option", name=option, exact=True).first
        for _attempt in range(5):  # the list closes when the page is drawn anew meanwhile
            box.locator("input").click()
            with suppress(TooSlow):
                wanted.click(timeout=PATIENCE / 10)
                break
        if settles:
            self.settled()

    def write(self, label: str, text: str, *, within: Locator | None = None) -> None:
        """Write into the field of that label and leave it, which is when Streamlit listens."""
        field = (within or self.page).get_by_label(label, exact=True).filter(visible=True).first
        field.fill(text)
        field.press("Tab")

    def give(self, files: Path | Sequence[Path]) -> None:
        """Give files to the page's uploader and wait until they have arrived."""
        paths = [files] if isinstance(files, Path) else list(files)
        uploader = self.page.get_by_test_id("stFileUploader").filter(visible=True).first
        uploader.locator("input[type=file]").set_input_files(paths)
        for path in paths:
            expect(uploader.get_by_role("button", name=f"Remove {path.name}")).to_be_visible(timeout=PATIENCE)
        expect(uploader.get_by_role("progressbar")).to_have_count(0, timeout=PATIENCE)
        self.settled()

    def table(self) -> Locator:
        """Return the first table on the page."""
        return self.page.get_by_test_id("stDataFrame").filter(visible=True).first

    def starts_and_sees_succeed(self, button: str, said: str = "The run is queued.") -> None:
        """Press the button that starts a run, and wait until the page tells that this run, not the last, succeeded."""
        self.press(button)
        self.sees(said)
        self.settled()
        self.sees("The last run succeeded", patience=4 * PATIENCE)
        self.settled()

    def sees_row(self, number: int, text: str) -> None:
        """Wait until a row of the first table, from 0, holds the text, as a screen reader hears it."""
        row = self.table().locator(f"canvas tr[aria-rowindex='{number + 2}']")
        expect(row).to_contain_text(text, timeout=PATIENCE)
        self.settled()

    def sees_problem(self, text: str) -> Locator:
        """Wait until an error message with the text is shown, and return it."""
        problem = self.page.get_by_test_id("stAlert").filter(has_text=text).first
        expect(problem).to_be_visible(timeout=PATIENCE)
        self.settled()
        return problem

    def pick_row(self, number: int) -> None:
        """Choose a row of the first table, from 0, by its box."""
        row = self._row_height()
        self.table().locator(".dvn-scroller").click(position={"x": 16, "y": _HEADING + row * number + row // 2})

    def open_cell(self, number: int, text: str = "") -> Locator:
        """Begin to write into the first cell of a row of the first table, from 0, which says `text` if given."""
        field = self.page.locator("#portal textarea").first
        cells = self.table().locator(".dvn-scroller")
        for _attempt in range(5):  # a click on a table that is just being drawn is lost
            row = self._row_height()
            cells.click(position={"x": 60, "y": _HEADING + row * number + row // 2})
            self.page.keyboard.press("Enter")
            with suppress(TooSlow):
                field.wait_for(timeout=PATIENCE / 10)
                if not text or field.input_value() == text:  # and not that of another row, opened by a late click
                    break
            # A second click on a chosen cell opens it by itself, and Enter would close it again.
            self.page.keyboard.press("Escape")
            cells.click(position={"x": 60, "y": _HEADING + row * (number + 1) + row // 2})
        return field

    def overflows(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth"))

    def _row_height(self) -> int:
        """Return the height of the first table's rows, once there are any."""
        expect(self.table().locator("canvas tr[aria-rowindex='2']")).to_be_attached(timeout=PATIENCE)
        return int(self.table().evaluate(_ROW_HEIGHT, _HEADING))

    def _note_stranger(self, address: str) -> None:
        if not address.startswith((self.url, self.url.replace("http", "ws", 1), "data:", "blob:", "about:")):
            self.strangers.append(address)

    def _note_failure(self, status: int, address: str) -> None:
        if status >= 400:
            self.console.append(f"{status}: {address}")
