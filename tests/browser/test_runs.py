"""A run goes on whatever the browser does, and the page finds it again."""

from __future__ import annotations

import pytest

from core.domain.run import RunState
from tests.browser.conftest import House
from tests.browser.running_app import wait_until
from tests.browser.visitor import Visitor


@pytest.mark.slow
def test_a_page_refreshed_in_the_middle_of_a_run_shows_it_to_its_end(house: House, visitor: Visitor) -> None:
    runs = house.services.store.runs
    visitor.open("dialogues")
    visitor.unfold("Find the dialogues")
    worker = house.app.worker()
    worker.suspend()
    try:
        visitor.press("Start")
        visitor.sees("The run is queued.")
        panel = visitor.page.locator("[class*='st-key-run-run-']")
        visitor.sees("queued", within=panel)
        visitor.reload()
        visitor.sees("queued", within=panel)
        run = runs.all(persona_id=house.persona, kind="dialogues", limit=1)[0]
        visitor.sees(run.id, within=panel)
    finally:
        worker.resume()
    visitor.sees("The last run succeeded")

    assert runs.get(run.id).state is RunState.SUCCEEDED


@pytest.mark.slow
def test_a_stopped_run_says_so_and_can_go_on(house: House, visitor: Visitor) -> None:
    runs = house.services.store.runs
    worker = house.app.worker()
    worker.suspend()
    try:
        run = house.services.jobs.submit("dialogues", house.persona, {}, who="test")
        visitor.open(f"runs?run={run.id}")
        panel = visitor.page.locator(f".st-key-run-{run.id}")
        visitor.sees("queued", within=panel)
        visitor.press("Stop", within=panel)
        wait_until(lambda: runs.get(run.id).stop_requested or runs.get(run.id).state.over, 20)
    finally:
        worker.resume()
    visitor.sees("stopped", within=panel)
    visitor.press("Resume", within=panel)
    visitor.sees("succeeded", within=panel)

    assert runs.get(run.id).state is RunState.SUCCEEDED
    assert runs.get(run.id).attempt == 2


def test_a_run_chosen_from_the_list_shows_its_log_and_settings(house: House, visitor: Visitor) -> None:
    newest = house.services.store.runs.all(persona_id=house.persona, limit=1)[0]
    visitor.open("runs")

    visitor.pick_row(0)
    panel = visitor.page.locator(f".st-key-run-{newest.id}")
    visitor.sees("succeeded", within=panel)

    assert visitor.unfold("Log").is_visible()
    assert visitor.unfold("Settings and manifest").is_visible()
