"""A voice's training whose programs, worker or app are killed: it ends rightly all the same.

A stand-in for GPT-SoVITS trains, everything else is real: the worker, the app, the store, the queue.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.backends.tools.gpt_sovits.log import measurements
from core.domain.run import Run, RunState
from core.jobs.door import Process, processes_in
from core.services import open_services
from core.settings import JobSettings, QueueSettings, Settings, VoiceToolSettings
from tests.kill_rounds import PERSONA, House
from tests.little_clips import frozen_set
from tests.standins.gpt_sovits.layout import StandIn, lay_out
from tests.standins.gpt_sovits.world import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PROGRAMS = ("text-0", "features-0", "semantic-0", "sovits-0", "gpt-0")
STEPS = 48
"""Of the SoVITS stage, with six clips and two epochs."""
SETTINGS: Mapping[str, Any] = {
    "version": "v2",
    "device": "cpu",
    "precision": "float32",
    "held_out": 2,
    "sovits": {"epochs": 2, "save_every": 1},
    "gpt": {"epochs": 2, "save_every": 1},
}
WEIGHTS = {("sovits", 1), ("sovits", 2), ("gpt", 1), ("gpt", 2)}
MOMENTS = ("sovits-0 at 31", "gpt-0 at 8")
"""A program that has begun, or how many steps of it were done."""


class VoiceHouse(House):
    """A workspace with a frozen set of clips and a checkout, and the app or a worker on it."""

    def __init__(self, workspace: Path, tool: StandIn) -> None:
        jobs = JobSettings(poll_seconds=0.1, stop_grace_seconds=2, queues=QueueSettings(gpu=1))
        voice = VoiceToolSettings(checkout=tool.checkout, python=tool.python)
        self.services = open_services(Settings(workspace=workspace, jobs=jobs, voice=voice))
        frozen_set(self.services.store, PERSONA)
        self.environment = {
            **os.environ,
            "DAIYU_WORKSPACE": str(workspace),
            "DAIYU_VOICE__CHECKOUT": str(tool.checkout),
            "DAIYU_VOICE__PYTHON": str(tool.python),
            "DAIYU_JOBS__POLL_SECONDS": "0.1",
            "DAIYU_JOBS__QUEUES__GPU": "1",
            "DAIYU_SERVER__PORT": str(free_port()),
        }
        self.workspace, self.tool = workspace, tool
        self.program = None
        tool.behave(s2_step_seconds=0.02, s1_step_seconds=0.02)

    def train(self) -> Run:
        """Ask for a training."""
        return self.services.jobs.submit("voice_training", PERSONA, SETTINGS, who="test")

    def reach(self, run: Run, moment: str) -> str:
        """Wait until the training is there; return the name of the program that is at work."""
        name, _, count = moment.partition(" at ")
        self.until(lambda: self._noted(run, name).exists() and self._done(run, name) >= int(count or 0))
        return name

    def kill_program(self, run: Run, name: str, *, below: bool = False) -> None:
        """End a program at once, its main process or what works below it."""
        main = psutil.Process(int(json.loads(self._noted(run, name).read_text())["pid"]))
        victim = next(one for one in main.children() if one.name() != "sleep") if below else main
        victim.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """End everything."""
        runs = self.services.store.runs.all(kind="voice_training")
        for run in runs:
            if not run.state.over:
                self.services.jobs.stop(run.id)
            for left in self.programs(run):
                left.stop(grace=1)
        super().close()

    def programs(self, run: Run) -> list[Process]:
        """Return all that the run has started."""
        return processes_in(self.folder(run), "")

    def trainer(self, run: Run) -> Process:
        """Return the first program of the training that lasts."""
        return Process(self.folder(run) / "commands" / "sovits-0")

    def _noted(self, run: Run, name: str) -> Path:
        return self.folder(run) / "commands" / name / "process.json"

    def _done(self, run: Run, name: str) -> int:
        if name == "sovits-0":
            return len(measurements(self.folder(run) / "features/train.log", -1))
        log = (self.folder(run) / "run.log").read_text(encoding="utf-8", errors="replace")
        return log.count("total_loss_step") if name == "gpt-0" else 0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[VoiceHouse]:
    made = VoiceHouse(tmp_path / "workspace", lay_out(tmp_path / "tool"))
    yield made
    made.close()


def starts(house: VoiceHouse, run: Run) -> Counter[str]:
    return Counter(str(one["name"]) for one in house.run(run).commands)


def assert_whole(house: VoiceHouse, run: Run) -> None:
    """The run is done, with all weights in their places, every step measured once, and nothing left anywhere."""
    ended = house.end(run)
    assert ended.state is RunState.SUCCEEDED, ended.error
    kept = ended.result["weights"]
    assert {(one["stage"], one["epoch"]) for one in kept} == WEIGHTS
    assert all((house.workspace / one["file"]).stat().st_size == one["bytes"] for one in kept)
    rows = [json.loads(line) for line in (house.folder(run) / "metrics.jsonl").read_text().splitlines()]
    assert sorted(row["step"] for row in rows if "sovits_loss_mel" in row) == list(range(STEPS))
    assert not any(one.alive() for one in house.programs(run))
    assert house.tool.git_status() == ""
    assert list(house.tool.checkout.glob("*.pth")) == []


def test_the_programs_outlive_a_killed_worker_and_each_is_started_once(house: VoiceHouse) -> None:
    house.start("worker")
    for moment in MOMENTS:
        run = house.train()
        house.reach(run, moment)
        house.kill()
        assert house.run(run).state is RunState.RUNNING
        house.start("worker")

        assert_whole(house, run)
        assert starts(house, run) == dict.fromkeys(PROGRAMS, 1), moment


def test_the_programs_outlive_a_killed_app_and_each_is_started_once(house: VoiceHouse) -> None:
    house.start("run")
    run = house.train()
    house.reach(run, "sovits-0 at 8")
    house.kill()
    house.start("run")

    assert_whole(house, run)
    assert starts(house, run) == dict.fromkeys(PROGRAMS, 1)


@pytest.mark.parametrize(
    ("moment", "below"),
    [("sovits-0 at 31", False), ("sovits-0 at 31", True), ("gpt-0 at 8", False)],
    ids=["its main process", "what works below it", "the second stage"],
)
def test_a_killed_program_fails_the_run_and_resume_goes_on_to_the_same_end(
    house: VoiceHouse, moment: str, below: bool
) -> None:
    house.start("worker")
    run = house.train()
    name = house.reach(run, moment)
    house.kill_program(run, name, below=below)
    failed = house.end(run)
    house.services.jobs.resume(run.id)

    assert_whole(house, run)
    assert failed.state is RunState.FAILED
    assert failed.error
    assert failed.error.remedy
    assert starts(house, run) == {**dict.fromkeys(PROGRAMS, 1), name: 2}


def test_a_stopped_training_ends_with_its_children_and_is_resumed(house: VoiceHouse) -> None:
    house.start("worker")
    for moment in ("gpt-0 at 31",):
        run = house.train()
        name = house.reach(run, moment)
        house.services.jobs.stop(run.id)
        stopped = house.end(run)
        left = [one for one in house.programs(run) if one.alive()]
        house.services.jobs.resume(run.id)

        assert_whole(house, run)
        assert stopped.state is RunState.CANCELLED
        assert left == []
        assert starts(house, run)[name] + starts(house, run)[f"{name}-again1"] == 2


def test_worker_and_program_killed_together_go_on_by_themselves_or_on_demand(house: VoiceHouse) -> None:
    house.start("worker")
    run = house.train()
    name = house.reach(run, "sovits-0 at 31")
    house.kill()
    house.kill_program(run, name)
    house.start("worker")
    if house.end(run).state is not RunState.SUCCEEDED:
        house.services.jobs.resume(run.id)

    assert_whole(house, run)
