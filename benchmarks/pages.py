"""Clocks the main actions of each page in Chromium, from the press to the changed page on the screen.

    python benchmarks/pages.py [--runs 20] [--sizes 1000,100000] [--pages dialogues,chat] [--json]

The real app is started on a temporary workspace that holds so many lines. The clock runs in the page: from the
last key or button that was touched until what was asked for is there and the browser paints it. A page's figure
is the 95th percentile of its slowest action; `p95_ms` is of the largest size, `p95_ms_<size>` of the others.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Browser, TimeoutError, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.clocked_tab import CLOCK, Tab
from benchmarks.crowded_workspace import crowd
from benchmarks.page_actions import ACTIONS, Action
from core.services import Services
from tests.browser.running_app import RunningApp
from tests.browser.visitor import chromium, chromium_path

Figures = Mapping[Action, Sequence[float]]
"""Action -> milliseconds, one for each time."""


def main() -> None:
    """Print the table, and with `--json` one JSON object last."""
    parser = argparse.ArgumentParser(description="Clock the pages' main actions in Chromium.")
    parser.add_argument("--runs", type=int, default=20, help="how often each action is done")
    parser.add_argument("--sizes", default="1000,100000", help="how many lines the workspaces hold")
    parser.add_argument("--pages", default="", help="only these pages")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()

    if chromium_path() is None:
        raise SystemExit("There is no Chromium here; install the system package `chromium`.")
    pages = {*filter(None, chosen.pages.split(","))} or {action.page for action in ACTIONS}
    sizes = sorted(int(size) for size in chosen.sizes.split(","))
    figures = {}
    for size in sizes:
        figures[size] = measured([one for one in ACTIONS if one.page in pages], size, chosen.runs)
        print("\n".join(_table(size, figures[size])), flush=True)
    if chosen.json:
        smaller = {f"p95_ms_{size}": _by_page(figures[size]) for size in sizes[:-1]}
        print(json.dumps({"p95_ms": _by_page(figures[sizes[-1]]), **smaller, "lines": sizes[-1], "runs": chosen.runs}))


def measured(actions: Iterable[Action], size: int, runs: int) -> Figures:
    """Do each action so often in a workspace of that size."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, chromium(playwright) as browser:
        app = RunningApp(Path(folder) / "workspace")
        services = app.services()
        try:
            crowd(services, size)
            return {action: _clocked(browser, app, action, services, runs) for action in actions}
        finally:
            services.close()
            app.stop()


def _clocked(browser: Browser, app: RunningApp, action: Action, services: Services, runs: int) -> Sequence[float]:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.add_init_script(CLOCK)
    tab = Tab(context.new_page(), app.url)
    taken = []
    try:
        tab.open(action.begin(services))
        action.prepare(tab)
        for number in range(runs + 1):
            action.do(tab, number)
            taken.append(tab.taken)
    except TimeoutError as late:
        picture = Path(tempfile.gettempdir()) / f"{action.page}.png"
        tab.page.screenshot(path=picture)
        raise SystemExit(f"{action.page}: {action.name}: no answer; {picture} shows the page") from late
    context.close()
    return taken[1:]  # the first time warms the page up


def p95(taken: Sequence[float]) -> float:
    """Return the smallest value that 95 of 100 do not exceed."""
    return sorted(taken)[math.ceil(0.95 * len(taken)) - 1]


def _by_page(figures: Figures) -> dict[str, int]:
    worst: dict[str, int] = {}
    for action, taken in figures.items():
        worst[action.page] = max(worst.get(action.page, 0), round(p95(taken)))
    return worst


def _table(size: int, figures: Figures) -> Iterator[str]:
    yield f"\n{size:,} lines{'':<40}{'p50 ms':>8}{'p95 ms':>8}"
    for action, taken in figures.items():
        yield f"{action.page:<16}{action.name:<32}{statistics.median(taken):>8.0f}{p95(taken):>8.0f}"


if __name__ == "__main__":
    main()
