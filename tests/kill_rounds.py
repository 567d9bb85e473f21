"""An app at work whose parts are killed, or whose disk is filled, at a chosen step of a training; see what remains."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.domain.identity import now
from core.domain.run import OPEN, Run, RunState
from core.domain.text import DatasetVersion, Sample
from core.errors import DiskFullError
from core.jobs.door import Process
from core.services import Services, open_services
from core.settings import PROJECT, JobSettings, QueueSettings, Settings, ToolchainSettings

PERSONA, VERSION = "daiyu", "dsv-1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run."""

    victim: str
    step: int
    """At which the trouble came."""
    wrong_state: str
    """What was not as it should be; empty where all was."""
    steps: int
    """The final count."""
    points: tuple[int, ...]
    """Steps of its curve, as written."""
    starts: tuple[int, ...]
    """The step at which each start of the trainer began."""
    message: str = ""
    """What a failed run told."""


class House:
    """A workspace with a dataset version, and the app or a worker on it."""

    def __init__(self, workspace: Path, python: Path, version: DatasetVersion, samples: list[Sample]) -> None:
        toolchains = {"xtuner": ToolchainSettings(python=python)}
        jobs = JobSettings(poll_seconds=0.1, stop_grace_seconds=2, queues=QueueSettings(gpu=1))
        self.services: Services = open_services(Settings(workspace=workspace, toolchains=toolchains, jobs=jobs))
        self.services.store.datasets.add(version, samples)
        self.environment = {
            **os.environ,
            "DAIYU_WORKSPACE": str(workspace),
            "DAIYU_TOOLCHAINS__XTUNER__PYTHON": str(python),
            "DAIYU_JOBS__POLL_SECONDS": "0.1",
            "DAIYU_JOBS__QUEUES__GPU": "1",
            "DAIYU_SERVER__PORT": str(_free_port()),
        }
        self.workspace = workspace
        self.program: subprocess.Popen[bytes] | None = None

    def start(self, verb: str) -> None:
        """Start `python -m core worker` or `run`, in a session of its own."""
        with (self.workspace.parent / f"{self.workspace.name}-{verb}.log").open("ab") as log:
            self.program = subprocess.Popen(
                [sys.executable, "-m", "core", verb], cwd=PROJECT, env=self.environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End that program at once, and wait until its parts have ended with it; what runs have started goes on."""
        assert self.program is not None
        children = psutil.Process(self.program.pid).children()
        parts = [one for one in children if "launcher.py" not in _spelled(one)]
        self.program.kill()
        self.program.wait()
        _gone, alive = psutil.wait_procs(parts, timeout=20)
        assert not alive

    def close(self) -> None:
        """End everything."""
        for run in self.services.store.runs.all(states=OPEN):
            self.services.jobs.stop(run.id)
            self.trainer(run).stop(grace=1)
        if self.program is not None:
            self.program.terminate()
            self.program.wait(60)
        self.services.close()

    def submit(self, settings: Mapping[str, Any]) -> Run:
        """Ask for a training."""
        wanted = {"dataset_version_id": VERSION, **settings}
        return self.services.jobs.submit("finetuning", PERSONA, wanted, who="test")

    def run(self, run: Run) -> Run:
        """Return the run as the store has it."""
        return self.services.store.runs.get(run.id)

    def folder(self, run: Run) -> Path:
        """Return the run's folder."""
        return self.services.settings.runs / run.id

    def trainer(self, run: Run) -> Process:
        """Return the training program."""
        return Process(self.folder(run) / "commands" / "train")

    def kill_trainer(self, run: Run) -> None:
        """End the training program at once."""
        noted = json.loads((self.folder(run) / "commands" / "train" / "process.json").read_text())
        os.kill(int(noted["pid"]), signal.SIGKILL)

    def step(self, run: Run) -> int:
        """Return the last step that the trainer has noted."""
        files = self.folder(run).glob("work/2*/vis_data/scalars.json")
        lines = [line for file in files for line in file.read_text(errors="replace").splitlines()[-1:]]
        return max((_step_of(line) for line in lines), default=0)

    def starts(self, run: Run) -> tuple[int, ...]:
        """Return at which step each start of the trainer began."""
        commands = [list(one["argv"]) for one in self.run(run).commands if one["name"] == "train"]
        return tuple(_step_of_checkpoint(argv[-1]) if "--resume" in argv else 0 for argv in commands)

    def until(self, condition: Callable[[], object], seconds: float = 240) -> None:
        """Wait for something; AssertionError when it takes too long."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.02)

    def end(self, run: Run) -> Run:
        """Wait until the run is over."""
        self.until(lambda: self.run(run).state.over)
        return self.run(run)


def trainer_killed(house: House, settings: Mapping[str, Any], step: int) -> Outcome:
    """Kill the trainer: the run fails and says so; resumed, it goes on at its checkpoint."""
    run = house.submit(settings)
    house.until(lambda: house.step(run) >= step)
    house.kill_trainer(run)
    ended = house.end(run)
    told = ended.error.message if ended.error else ""
    wrong = "" if ended.state is RunState.FAILED and "killed from outside" in told else f"{ended.state}: {told}"
    return _resumed(house, run, "trainer", step, wrong, told)


def worker_killed(house: House, settings: Mapping[str, Any], step: int) -> Outcome:
    """Kill the worker: the trainer goes on, and the next worker follows it."""
    run = house.submit(settings)
    house.until(lambda: house.step(run) >= step)
    house.kill()
    left = house.run(run).state
    house.start("worker")
    return _finished(house, run, "worker", step, "" if left is RunState.RUNNING else f"left as {left}")


def app_killed(house: House, settings: Mapping[str, Any], step: int) -> Outcome:
    """Kill the app with all its parts: the trainer goes on, and the app follows it when it is started again."""
    run = house.submit(settings)
    house.until(lambda: house.step(run) >= step)
    house.kill()
    left = house.run(run).state
    house.start("run")
    return _finished(house, run, "app", step, "" if left is RunState.RUNNING else f"left as {left}")


def disk_filled(house: House, settings: Mapping[str, Any], step: int, *, seconds: float) -> Outcome:
    """Fill the disk for some seconds: the worker lives on; the run fails and says so, or goes on by itself."""
    assert house.program is not None
    run = house.submit(settings)
    house.until(lambda: house.step(run) >= step)
    worker, ballast = house.program.pid, house.workspace / "ballast"
    fill(ballast)
    time.sleep(seconds)
    died = house.program.poll() is not None
    ballast.unlink()
    ended = house.end(run)
    told = ended.error.message if ended.error else ""
    fine = ended.state is RunState.SUCCEEDED or (ended.state is RunState.FAILED and "disk is full" in told)
    wrong = "" if fine and not died else f"{ended.state}: {told} (worker {worker} {'died' if died else 'alive'})"
    if ended.state is RunState.SUCCEEDED:
        return _finished(house, run, "disk", step, wrong)
    return _resumed(house, run, "disk", step, wrong, told)


@contextmanager
def disk_of(size: str, place: Path) -> Iterator[bool]:
    """Let the folder be a disk of its own while the block runs; yields False where nobody may mount one."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(ballast: Path) -> None:
    """Write until nothing more can be written there."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 22, 1 << 16, 1 << 12, 1):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


def _resumed(house: House, run: Run, victim: str, step: int, wrong: str, told: str) -> Outcome:
    with suppress(DiskFullError):
        house.services.jobs.resume(run.id)
    return _finished(house, run, victim, step, wrong, told)


def _finished(house: House, run: Run, victim: str, step: int, wrong: str, told: str = "") -> Outcome:
    ended = house.end(run)
    if ended.state is not RunState.SUCCEEDED:
        wrong = f"{wrong} ended as {ended.state}: {ended.error}".strip()
    rows = [json.loads(line) for line in (house.folder(run) / "metrics.jsonl").read_text().splitlines()]
    points = tuple(row["step"] for row in rows if "loss" in row)
    return Outcome(victim, step, wrong, int(ended.result.get("steps", 0)), points, house.starts(run), told)


def version(train: int, held_out: int) -> DatasetVersion:
    """Return the record of a dataset version of so many samples."""
    return DatasetVersion(VERSION, PERSONA, "第一版", "", "f" * 64, "你是林黛玉。", {}, train, held_out, now())


def _step_of(line: str) -> int:
    with suppress(ValueError):
        return int(json.loads(line).get("step", 0))
    return 0


def _step_of_checkpoint(path: str) -> int:
    return int(Path(path).stem.removeprefix("iter_"))


def _spelled(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
