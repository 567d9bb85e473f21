"""The real XTuner from the page: the loss falls before one's eyes, and the new model answers in the chat."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.backends.tools.toolchains import install_command, python_of
from core.domain.run import RunState
from core.domain.training import ModelKind
from core.settings import load_settings
from tests.browser.running_app import RunningApp, wait_until
from tests.browser.visitor import PATIENCE, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def xtuner() -> Path:
    """XTuner's interpreter: the one of the settings, else built once into the project's own workspace."""
    settings = load_settings()
    if python_of("xtuner", settings) is None:
        building = install_command("xtuner", settings)
        subprocess.run(building.argv, cwd=building.cwd, check=True)
    python = python_of("xtuner", settings)
    assert python is not None
    return python


def test_a_model_trained_from_the_page_answers_in_the_chat_under_its_name(
    browser: object, xtuner: Path, start_app: Callable[..., RunningApp], open_tab: Callable[..., Visitor]
) -> None:
    app = start_app(DAIYU_TOOLCHAINS__XTUNER__PYTHON=str(xtuner))
    services = app.services()
    persona = services.settings.persona
    services.execution.here("dataset", persona, {"name": "first"}, who="test")
    visitor = open_tab(app)

    visitor.open("finetuning")
    visitor.unfold("Fine-tune a model")
    visitor.write("Name", "little bamboo")
    visitor.write("Max steps", "60")
    visitor.sees("About 60 steps", patience=4 * PATIENCE)
    visitor.settled()
    visitor.write("Steps", "220", within=visitor.unfold("The tiny base"))
    visitor.settled()
    visitor.press("Start")
    visitor.sees("The run is queued.")
    run = services.store.runs.all(persona_id=persona, kind="finetuning", limit=1)[0]
    wait_until(lambda: services.store.runs.get(run.id).state.over, 1800)
    panel = visitor.page.locator(f".st-key-run-{run.id}")
    visitor.sees("succeeded", within=panel)
    expect(panel.locator(".js-plotly-plot .scatterlayer path.js-line").first).to_be_visible(timeout=PATIENCE)

    ended = services.store.runs.get(run.id)
    assert ended.state is RunState.SUCCEEDED, ended.error
    rows = [json.loads(line) for line in (services.settings.runs / run.id / "metrics.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows if "loss" in row]
    assert losses[-1] < 0.7 * losses[0]
    assert ended.settings["tiny"]["steps"] == 220
    [model] = services.store.models.all(persona, ModelKind.TEXT)
    assert model.run_id == run.id
    assert (services.settings.workspace / model.folder / "config.json").exists()

    visitor.open("finetuning?part=models")
    visitor.press("Talk with this one")
    visitor.sees(f"{model.name} answers in the chat now.")
    visitor.open("chat")
    visitor.page.get_by_placeholder("Write to").fill("你是谁？")
    visitor.page.get_by_placeholder("Write to").press("Enter")
    visitor.sees(f"{model.name} · placeholder voice", patience=4 * PATIENCE)
    visitor.settled()

    talk = services.store.talks.conversations(persona)[0]
    reply = services.store.talks.messages(talk.id)[-1]
    assert (reply.backend, reply.model_id) == ("transformers", model.id)
    assert reply.text.strip()
    services.close()
