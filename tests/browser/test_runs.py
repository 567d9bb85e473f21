"""A run goes on whatever the browser does, and the page finds it again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from core.domain.run import RunState
from tests.browser.conftest import House
from tests.browser.running_app import wait_until
from tests.browser.trained_runs import trained
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


def test_two_runs_stand_side_by_side_and_the_link_remembers_them(house: House, visitor: Visitor) -> None:
    trained(house.services, "run-bamboo0001", {"method": "qlora"}, steps=60)
    trained(house.services, "run-bamboo0002", {"method": "lora", "adapter": {"rank": 16}}, steps=100)
    visitor.open("runs?run=run-bamboo0001")

    visitor.choose("Compare with", re.compile("run-bamboo0002"))
    both = visitor.page.locator(".st-key-comparison")
    visitor.sees("Settings that differ", within=both)
    expect(both.locator(".js-plotly-plot .scatterlayer path.js-line")).to_have_count(4)  # each with its average
    differing, ended, answered = (both.get_by_test_id("data-grid-canvas").nth(place) for place in range(3))
    expect(differing).to_contain_text("Adapter › Rank")
    expect(differing).not_to_contain_text("Batch size")
    expect(ended).to_contain_text("held-out loss of the model")
    expect(ended).to_contain_text("3.567")
    expect(ended).not_to_contain_text(re.compile(r"\.\d{5}"))
    expect(answered).to_contain_text("run-bamboo0002第20步")

    assert "against=run-bamboo0002" in visitor.page.url
    visitor.reload()
    visitor.sees("Settings that differ", within=both)
    assert visitor.overflows() <= 0


def test_a_finished_training_shows_its_figures_its_curves_and_its_configuration(house: House, visitor: Visitor) -> None:
    run = trained(house.services, "run-bamboo0003", {}, steps=80)
    visitor.open(f"runs?run={run.id}")
    panel = visitor.page.locator(f".st-key-run-{run.id}")

    expect(panel.get_by_test_id("stMetric").filter(has_text="Step")).to_contain_text("80")
    panel.get_by_text("Learning rate", exact=True).click()
    expect(panel.locator(".js-plotly-plot .gtitle").first).to_have_text("Learning rate")
    expect(panel.get_by_test_id("stMetric").filter(has_text="Held-out loss")).to_contain_text("-2.75")
    visitor.settled()
    visitor.unfold("Configuration")
    visitor.sees("lr = 0.004", within=panel)


def test_a_run_is_started_again_with_one_setting_changed(house: House, visitor: Visitor) -> None:
    old = trained(house.services, "run-bamboo0004", {"learning_rate": 0.003}, steps=40)
    runs = house.services.store.runs
    worker = house.app.worker()
    worker.suspend()
    try:
        visitor.open(f"runs?run={old.id}")
        visitor.press("Run again with changes")
        dialog = visitor.page.get_by_role("dialog")
        visitor.write("Max steps", "7", within=dialog)
        visitor.press("Start", within=dialog)
        visitor.sees("queued", within=visitor.page.locator("[class*='st-key-run-run-']"))
        fresh = runs.all(persona_id=house.persona, kind="finetuning", limit=1)[0]
        house.services.jobs.stop(fresh.id)
    finally:
        worker.resume()

    assert fresh.id != old.id
    assert fresh.settings == {**old.settings, "max_steps": 7}
    assert runs.get(fresh.id).state is RunState.CANCELLED
