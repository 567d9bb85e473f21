"""Her voice from the page: the tool is found, a voice trained, weights compared, a server started, and it speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.domain.run import OPEN, Run, RunState
from core.domain.training import ModelKind
from core.services import Services
from tests.browser.running_app import RunningApp, wait_until
from tests.browser.visitor import PATIENCE, Visitor
from tests.little_clips import frozen_set
from tests.standins.gpt_sovits.layout import StandIn, lay_out

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OpenTab = Callable[..., Visitor]


@dataclass(frozen=True)
class Studio:
    """An app with a set of clips, and the stand-in of a checkout that it is told of on the page."""

    app: RunningApp
    services: Services
    tool: StandIn

    @property
    def persona(self) -> str:
        """The persona's id."""
        return self.services.settings.persona

    def newest(self, kind: str) -> Run:
        """Return the newest run of a kind."""
        return self.services.store.runs.all(persona_id=self.persona, kind=kind, limit=1)[0]

    def ended(self, kind: str) -> Run:
        """Wait until the newest run of a kind is over, and return it; AssertionError unless it succeeded."""
        run = self.newest(kind)
        wait_until(lambda: self.services.store.runs.get(run.id).state.over, 300)
        over = self.services.store.runs.get(run.id)
        assert over.state is RunState.SUCCEEDED, over.error
        return over


@pytest.fixture(scope="module")
def studio(
    browser: object, start_app: Callable[..., RunningApp], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    app = start_app()
    services = app.services()
    frozen_set(services.store, services.settings.persona)
    made = Studio(app, services, lay_out(tmp_path_factory.mktemp("tool")))
    yield made
    for run in services.store.runs.all(states=OPEN):
        services.jobs.stop(run.id)
    wait_until(lambda: not services.store.runs.all(states=OPEN), 60)
    services.close()


def turn_to(visitor: Visitor, part: str) -> None:
    """Turn to a part of the page."""
    visitor.page.get_by_role("tab", name=part, exact=True).click()
    visitor.settled()


def test_from_a_checkout_to_a_voice_that_speaks_in_the_chat(studio: Studio, open_tab: OpenTab) -> None:
    visitor = open_tab(studio.app)
    the_tool_is_found(studio, visitor)
    a_voice_is_trained(studio, visitor)
    its_weights_are_compared_and_one_pair_becomes_a_voice(studio, visitor)
    a_server_speaks_with_it(studio, visitor)
    she_speaks_with_it_in_the_chat(studio, visitor)
    assert studio.tool.git_status() == ""
    assert visitor.strangers == []


def the_tool_is_found(studio: Studio, visitor: Visitor) -> None:
    visitor.open("voice_training")
    visitor.write("Folder of the checkout", "/nowhere/at/all")
    visitor.write("Python of its environment", str(studio.tool.python))
    visitor.press("Check and keep")
    visitor.sees_problem("/nowhere/at/all")
    visitor.write("Folder of the checkout", str(studio.tool.checkout))
    visitor.press("Check and keep")
    visitor.sees("GPT-SoVITS was found there.")
    visitor.sees("v2Pro: ready")


def a_voice_is_trained(studio: Studio, visitor: Visitor) -> None:
    turn_to(visitor, "Train")
    visitor.choose("Preset", "v2-cpu")
    visitor.write("Name", "bamboo shade")
    visitor.settled()
    for section in ("SoVITS stage", "GPT stage"):
        for field, value in (("Epochs", "2"), ("Save every", "1")):
            visitor.write(field, value, within=visitor.unfold(section))
            visitor.settled()
    visitor.sees("clips are kept back")
    visitor.press("Start")
    visitor.sees("The run is queued.")
    run = studio.ended("voice_training")
    panel = visitor.page.locator(f".st-key-run-{run.id}")
    visitor.sees("succeeded", within=panel)
    expect(panel.locator(".js-plotly-plot .scatterlayer path.js-line").first).to_be_visible(timeout=PATIENCE)


def its_weights_are_compared_and_one_pair_becomes_a_voice(studio: Studio, visitor: Visitor) -> None:
    turn_to(visitor, "Choose")
    visitor.unfold("Let them speak and measure")
    visitor.press("Start")
    visitor.sees("The run is queued.")
    ranking = studio.ended("voice_ranking")
    visitor.sees("Measured", patience=2 * PATIENCE)
    visitor.sees_row(0, "sound")
    expect(visitor.page.locator("audio").first).to_be_visible(timeout=PATIENCE)
    visitor.page.get_by_role("tab", name="Vote blindly").click()
    visitor.press("The first is more like her")
    visitor.sees("Your vote is counted.")
    assert len(studio.services.store.votes.of_run(ranking.id)) == 1
    visitor.unfold("Make a voice of")
    visitor.write("Name", "the chosen one")
    visitor.press("Make it")
    visitor.sees("the chosen one is among the voices now.")
    visitor.settled()
    names = {one.name for one in studio.services.store.models.all(studio.persona, ModelKind.VOICE)}
    assert names == {"bamboo shade", "the chosen one"}


def a_server_speaks_with_it(studio: Studio, visitor: Visitor) -> None:
    turn_to(visitor, "Server")
    visitor.unfold("Start a server")
    visitor.choose("Voice", "the chosen one")
    visitor.press("Start")
    visitor.sees("The run is queued.")
    wait_until(lambda: any(one.state == "ready" for one in studio.services.voice_servers()), 120)
    visitor.sees("ready", patience=2 * PATIENCE)
    turn_to(visitor, "Voices")
    card = visitor.page.locator("[class*=st-key-voice-voice-]").filter(has_text="the chosen one").first
    visitor.press("Speak", within=card)
    expect(card.locator("audio")).to_have_count(2, timeout=2 * PATIENCE)
    visitor.press("Speak with this one", within=card)
    visitor.sees("the chosen one speaks in the chat now.")


def she_speaks_with_it_in_the_chat(studio: Studio, visitor: Visitor) -> None:
    visitor.open("chat")
    box = visitor.page.get_by_placeholder("Write to")
    box.fill("外头可下雨了？")
    box.press("Enter")
    visitor.sees("her own lines")
    visitor.settled()
    wait_until(lambda: visitor.page.evaluate("window.heard.length") > 0, 60)
    talk = studio.services.store.talks.conversations(studio.persona)[0]
    said = studio.services.store.talks.messages(talk.id)[-1]
    voice = studio.services.store.models.in_use(studio.persona, ModelKind.VOICE)
    assert voice is not None
    assert said.voice == voice.id


def test_the_page_says_where_to_begin_when_there_is_nothing_yet_in_chinese_too(
    fresh_app: RunningApp, open_tab: OpenTab
) -> None:
    visitor = open_tab(fresh_app, locale="zh-CN", width=390)
    visitor.open("voice_training")
    visitor.sees("GPT-SoVITS 不是可以代为安装的软件包")
    assert visitor.overflows() <= 0


def test_a_zip_that_is_no_voice_is_refused_with_its_reason(studio: Studio, open_tab: OpenTab, tmp_path: Path) -> None:
    wrong = tmp_path / "voice.zip"
    wrong.write_bytes(b"PK\x05\x06" + bytes(18))
    visitor = open_tab(studio.app)
    visitor.open("voice_training?part=voices")
    visitor.unfold("Bring a voice in")
    visitor.give(wrong)
    visitor.press("Bring it in")
    problem = visitor.page.get_by_test_id("stAlert").first
    expect(problem).to_be_visible(timeout=4 * PATIENCE)
