"""A persona test is started from the page, and read: her lines beside the model's, every reply with its verdict."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core.domain.evaluation import FIDELITY, ORIGINAL, Score, Scorecard
from core.domain.identity import now
from core.domain.run import RunState
from core.domain.training import Model, ModelKind, Vote
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


def test_a_model_stands_on_one_page_with_its_origin_its_scores_and_its_votes(house: House, visitor: Visitor) -> None:
    store = house.services.store
    settings = {"settings": {"method": "qlora", "epochs": 3}, "trial": {"merged": {"held_out_loss": 1.25}}}
    model = Model(
        id="model-bamboo",
        persona_id=house.persona,
        kind=ModelKind.TEXT,
        name="竹 7B",
        run_id=None,
        dataset_version_id=house.version_id,
        base="bamboo-base",
        folder="models/model-bamboo",
        created_at=now(),
        manifest=settings,
    )
    store.models.add(model, who="test")
    scores = (
        Score("ceval", "naive_average", "gen", "-", "竹 7B", 44.84),
        Score("style", "share", FIDELITY, "first", "竹 7B", 61.0),
        Score("style", "share", FIDELITY, "first", ORIGINAL, 77.0),
    )
    store.scorecards.add(Scorecard("card-b", house.persona, "竹", "import", "0" * 64, now(), scores, model.id), who="t")
    store.votes.add_to_arena(
        Vote("v-b", house.persona, None, "冷么？", model.id, "retrieval", model.id, "t", now(), "不冷。", "冷。")
    )
    try:
        visitor.open("evaluation?part=models&models=model-bamboo")
        for place, words in enumerate(("made", "bamboo-base", "first")):
            visitor.sees_row(place, words)
        told = visitor.table().get_by_test_id("data-grid-canvas")
        expect(told).to_contain_text("44.8 %")
        expect(told).to_contain_text("61.0 %")
        expect(told).not_to_contain_text("77.0")
        expect(told).to_contain_text("1.25")
        visitor.open("evaluation?part=models&models=no-such-model")
        visitor.sees("Models")
        assert not visitor.strangers
    finally:
        store.scorecards.remove("card-b", who="test")
        store.models.remove(model.id, who="test")
