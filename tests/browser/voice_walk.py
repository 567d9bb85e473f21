"""The way of a voice through the pages, step by step; the tests walk it with the stand-in and with the real tool."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import expect

from core.domain.run import OPEN, Run, RunState
from core.domain.training import ModelKind
from core.services import Services
from tests.browser.running_app import RunningApp, wait_until
from tests.browser.visitor import PATIENCE, Visitor


@dataclass(frozen=True)
class Studio:
    """An app with a frozen set of clips, and a checkout that it is told of on the page."""

    app: RunningApp
    services: Services
    checkout: Path
    python: Path
    version: str = "v2"
    """The model that is trained, beginning with the preset for a processor."""
    gpt_epochs: int = 2
    patience: float = 300
    """Most seconds that a run takes."""
    pictures: Path | None = None
    """Where a picture of the page is kept after each step; nowhere when None."""

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
        wait_until(lambda: self.services.store.runs.get(run.id).state.over, self.patience)
        over = self.services.store.runs.get(run.id)
        assert over.state is RunState.SUCCEEDED, over.error
        return over

    def changed_files(self) -> str:
        """Return what git sees changed in the checkout; empty when it is as it was."""
        asked = ("git", "-C", str(self.checkout), "status", "--porcelain")
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout

    def keep_picture(self, visitor: Visitor, name: str) -> None:
        """Keep a picture of the page as it stands, where pictures are wanted."""
        if self.pictures is not None:
            visitor.settled()
            visitor.page.screenshot(path=self.pictures / f"{self.version}-{name}.png", full_page=True)

    def close(self) -> None:
        """Stop what still runs, the voice servers first of all."""
        for run in self.services.store.runs.all(states=OPEN):
            self.services.jobs.stop(run.id)
        wait_until(lambda: not self.services.store.runs.all(states=OPEN), 60)
        self.services.close()


def walk(studio: Studio, visitor: Visitor) -> None:
    """Go from a checkout to a voice that speaks in the chat."""
    the_tool_is_found(studio, visitor)
    a_voice_is_trained(studio, visitor)
    its_weights_are_compared_and_one_pair_becomes_a_voice(studio, visitor)
    a_server_speaks_with_it(studio, visitor)
    she_speaks_with_it_in_the_chat(studio, visitor)


def turn_to(visitor: Visitor, part: str) -> None:
    """Turn to a part of the page."""
    visitor.page.get_by_role("tab", name=part, exact=True).click()
    visitor.settled()


def the_tool_is_found(studio: Studio, visitor: Visitor) -> None:
    visitor.open("voice_training")
    visitor.write("Folder of the checkout", "/nowhere/at/all")
    visitor.write("Python of its environment", str(studio.python))
    visitor.press("Check and keep")
    visitor.sees_problem("/nowhere/at/all")
    visitor.write("Folder of the checkout", str(studio.checkout))
    visitor.press("Check and keep")
    visitor.sees("GPT-SoVITS was found there.", patience=4 * PATIENCE)
    visitor.sees(re.compile(rf"{studio.version}: (ready|.* of an odd size)"))
    studio.keep_picture(visitor, "1-tool")


def a_voice_is_trained(studio: Studio, visitor: Visitor) -> None:
    turn_to(visitor, "Train")
    visitor.choose("Preset", "v2-cpu")
    visitor.write("Name", "bamboo shade")
    visitor.settled()
    if studio.version != "v2":
        visitor.choose("Version", studio.version)
    for section, epochs in (("SoVITS stage", 2), ("GPT stage", studio.gpt_epochs)):
        for field, value in (("Epochs", epochs), ("Save every", 1)):
            visitor.write(field, str(value), within=visitor.unfold(section))
            visitor.settled()
    visitor.sees("clips are kept back", patience=4 * PATIENCE)
    studio.keep_picture(visitor, "2-form")
    visitor.press("Start")
    visitor.sees("The run is queued.")
    run = studio.ended("voice_training")
    panel = visitor.page.locator(f".st-key-run-{run.id}")
    visitor.sees("succeeded", within=panel)
    expect(panel.locator(".js-plotly-plot .scatterlayer path.js-line").first).to_be_visible(timeout=PATIENCE)
    studio.keep_picture(visitor, "3-trained")


def its_weights_are_compared_and_one_pair_becomes_a_voice(studio: Studio, visitor: Visitor) -> None:
    turn_to(visitor, "Choose")
    visitor.unfold("Let them speak and measure")
    visitor.press("Start")
    visitor.sees("The run is queued.")
    ranking = studio.ended("voice_ranking")
    visitor.sees("Measured", patience=2 * PATIENCE)
    visitor.sees_row(0, "sound")
    expect(visitor.page.locator("audio").first).to_be_visible(timeout=PATIENCE)
    studio.keep_picture(visitor, "4-measured")
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
    assert "the chosen one" in names, "also where the best pair is the last, of which the training made a voice itself"


def a_server_speaks_with_it(studio: Studio, visitor: Visitor) -> None:
    turn_to(visitor, "Server")
    visitor.unfold("Start a server")
    visitor.choose("Voice", "the chosen one")
    visitor.press("Start")
    visitor.sees("The run is queued.")
    wait_until(lambda: any(one.state == "ready" for one in studio.services.voice_servers()), studio.patience)
    visitor.sees("ready", patience=4 * PATIENCE)
    turn_to(visitor, "Voices")
    card = visitor.page.locator("[class*=st-key-voice-voice-]").filter(has_text="the chosen one").first
    visitor.press("Speak", within=card)
    expect(card.locator("audio")).to_have_count(2, timeout=4 * PATIENCE)
    studio.keep_picture(visitor, "5-spoken")
    visitor.press("Speak with this one", within=card)
    visitor.sees("the chosen one speaks in the chat now.")


def she_speaks_with_it_in_the_chat(studio: Studio, visitor: Visitor) -> None:
    visitor.open("chat")
    box = visitor.page.get_by_placeholder("Write to")
    box.fill("外头可下雨了？")
    box.press("Enter")
    # The words stand there at once; what made them follows when all is spoken, on a processor after minutes.
    visitor.sees("her own lines", patience=int(1000 * studio.patience))
    visitor.settled()
    wait_until(lambda: visitor.page.evaluate("window.heard.length") > 0, studio.patience)
    talk = studio.services.store.talks.conversations(studio.persona)[0]
    said = studio.services.store.talks.messages(talk.id)[-1]
    voice = studio.services.store.models.in_use(studio.persona, ModelKind.VOICE)
    assert voice is not None
    assert said.voice == voice.id
    studio.keep_picture(visitor, "6-chat")
