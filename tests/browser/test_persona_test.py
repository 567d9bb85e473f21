"""A persona test is started from the page, and read: her lines beside the model's, every reply with its verdict."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core.domain.run import RunState
from tests.browser.conftest import House
from tests.browser.running_app import wait_until
from tests.browser.visitor import PATIENCE, Visitor


@pytest.mark.slow
def test_her_own_lines_are_tested_and_caught_as_copies(house: House, visitor: Visitor) -> None:
    visitor.open("evaluation?part=persona")
    visitor.sees("No model has been tested yet.")
    visitor.press("Start")
    visitor.sees("The run is queued.")
    run = house.services.store.runs.all(persona_id=house.persona, kind="fidelity", limit=1)[0]
    wait_until(lambda: house.services.store.runs.get(run.id).state.over, 120)
    ended = house.services.store.runs.get(run.id)
    assert ended.state is RunState.SUCCEEDED, ended.error

    visitor.open("evaluation?part=persona")
    chart = visitor.page.locator(".js-plotly-plot").filter(visible=True).first
    expect(chart.locator(".bars path").first).to_be_visible(timeout=PATIENCE)
    expect(chart).to_contain_text("In her own words")
    expect(chart).to_contain_text("her real lines")

    visitor.open("evaluation?part=questions")
    visitor.sees("Decided by")
