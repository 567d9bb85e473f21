"""A served model is examined from the page by the real OpenCompass; its questions are read one by one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.backends.tools.toolchains import install_command, python_of
from core.domain.run import RunState
from core.settings import load_settings
from tests.browser.running_app import RunningApp, wait_until
from tests.browser.visitor import PATIENCE, Visitor
from tests.contract.openai_server import OpenAIServer

pytestmark = [pytest.mark.slow, pytest.mark.tools, pytest.mark.timeout(1200)]

QUESTIONS = 24
"""About her, each letter the right one as often as another."""


@pytest.fixture(scope="module")
def opencompass() -> Path:
    """OpenCompass's interpreter: the one of the settings, else built once into the project's own workspace."""
    settings = load_settings()
    if python_of("opencompass", settings) is None:
        building = install_command("opencompass", settings)
        subprocess.run(building.argv, cwd=building.cwd, check=True)
    python = python_of("opencompass", settings)
    assert python is not None
    return python


def test_a_served_model_is_examined_in_the_questions_about_her(
    browser: object, opencompass: Path, start_app: Callable[..., RunningApp], open_tab: Callable[..., Visitor]
) -> None:
    app = start_app(DAIYU_TOOLCHAINS__OPENCOMPASS__PYTHON=str(opencompass))
    services = app.services()
    persona = services.settings.persona
    visitor = open_tab(app)
    visitor.open("evaluation?part=examine")
    visitor.sees("give a server's address")
    with OpenAIServer("B") as server:
        visitor.write("Server", server.base_url)
        visitor.settled()
        visitor.write("Model at the server", "bamboo")
        visitor.settled()
        visitor.sees(f"{QUESTIONS} questions, sets: 1.")
        visitor.press("Start")
        visitor.sees("The run is queued.")
        run = services.store.runs.all(persona_id=persona, kind="evaluation", limit=1)[0]
        wait_until(lambda: services.store.runs.get(run.id).state.over, 600)
    ended = services.store.runs.get(run.id)
    assert ended.state is RunState.SUCCEEDED, ended.error
    visitor.sees("succeeded", within=visitor.page.locator(f".st-key-run-{run.id}"))

    visitor.open("evaluation")
    visitor.page.get_by_role("tab", name="Other benchmarks").click()
    expect(visitor.page.locator(".js-plotly-plot").filter(visible=True).first).to_contain_text("25.0", timeout=PATIENCE)
    visitor.open("evaluation?part=questions")
    visitor.sees(f"{QUESTIONS} rows")
    visitor.choose("Answers", "right")
    visitor.sees(f"{QUESTIONS // 4} rows")
    visitor.sees("Taken for B, the right answer is B: right.")
    services.close()
