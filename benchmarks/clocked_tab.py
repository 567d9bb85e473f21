"""A visitor at the browser with a clock: how long the page takes to answer what was pressed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from tests.browser.visitor import PATIENCE, Visitor

CLOCK = """
window.clock = { touched: 0, done: 0 };
for (const kind of ["pointerdown", "keydown"]) {
  addEventListener(kind, () => { window.clock.touched = performance.now(); }, { capture: true });
}
window.clock.until = (arrived) => {
  window.clock.done = 0;
  const look = () => {
    if (arrived()) requestAnimationFrame(() => { window.clock.done = performance.now(); });
    else requestAnimationFrame(look);
  };
  look();
};
"""
"""Runs in the page: from the last key or button touched to the frame after the answer is there."""


class Tab(Visitor):
    """A visitor with a clock."""

    taken: float = 0
    """Milliseconds of the last clocked action."""

    def clock(self, press: Callable[[], object], until: str) -> None:
        """Do `press` and note how long it took until the JavaScript expression held."""
        self.page.evaluate(f"window.clock.until(() => {until})")
        press()
        self.page.wait_for_function("window.clock.done > 0", timeout=2 * PATIENCE)
        self.taken = float(self.page.evaluate("window.clock.done - window.clock.touched"))
        self.settled()

    def clock_change(self, press: Callable[[], object], what: str) -> None:
        """Do `press` and note how long it took until the value of the JavaScript expression was another."""
        now = self.page.evaluate(what)
        self.clock(press, f"![undefined, '', {json.dumps(now)}].includes({what})")

    def pick(self, label: str, option: str) -> None:
        """Choose an option of the select box of that label, without waiting for the answer."""
        box = self.page.get_by_test_id("stSelectbox").filter(has_text=label).filter(visible=True).first
        box.locator("input").click()
        self.page.get_by_role("option", name=option, exact=True).first.click()

    def the_other(self, label: str, one: str, other: str) -> re.Pattern[str]:
        """Return which of two options of the select box is not shown."""
        box = self.page.get_by_test_id("stSelectbox").filter(has_text=label).first
        return re.compile(other if one in box.locator("input").input_value() else one)
