"""Runs end exactly once, whatever is killed in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.domain.persona import Persona
from core.domain.run import OPEN, Run, RunState
from core.errors import ConflictError, SettingsError
from core.jobs.door import Process
from core.jobs.execution import Execution, inline_worker
from core.jobs.queue import Jobs
from core.store import Store
from tests.unit.jobs.toy_worker import open_toys

PROJECT = Path(__file__).resolve().parents[3]
TOY_WORKER = Path(__file__).with_name("toy_worker.py")


class Desk:
    """A workspace with toy jobs, and workers that can be started and killed."""

    def __init__(self, workspace: Path) -> None:
        self.settings, self.store, self.jobs = open_toys(workspace)
        self.store.personas.put(Persona("p", "P", "B", "s", "g"))
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_worker(self, **settings: str) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, str(TOY_WORKER), str(self.settings.workspace)],
            env={**os.environ, "PYTHONPATH": str(PROJECT), **settings},
        )
        self.workers.append(worker)
        return worker

    def submit(self, kind: str, **settings: object) -> Run:
        return self.jobs.submit(kind, "p", settings, who="test")

    def state(self, run: Run) -> RunState:
        return self.store.runs.get(run.id).state

    def until(self, run: Run, condition: Callable[[Run], object], seconds: float = 60) -> Run:
        deadline = time.monotonic() + seconds
        while not condition(now := self.store.runs.get(run.id)):
            assert time.monotonic() < deadline, f"waited too long; the run is {now}"
            time.sleep(0.05)
        return now

    def end(self, run: Run) -> Run:
        return self.until(run, lambda one: one.state.over)

    def marks(self, run: Run, name: str) -> str:
        path = self.settings.runs / run.id / name
        return path.read_text() if path.exists() else ""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as made:
        yield made


@contextmanager
def open_desk(workspace: Path) -> Iterator[Desk]:
    made = Desk(workspace)
    try:
        yield made
    finally:
        for run in made.store.runs.all(states=OPEN):
            made.jobs.stop(run.id)
        for worker in made.workers:
            worker.terminate()
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                worker.kill()
        made.jobs.close()
        made.store.close()


def kill(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def test_a_run_queued_before_any_worker_lives_is_done_when_one_comes(desk: Desk) -> None:
    run = desk.submit("count", seconds=0.2)
    desk.start_worker()

    ended = desk.end(run)

    assert (ended.state, ended.result) == (RunState.SUCCEEDED, {"ticks": 2})
    assert ended.versions["python"]
    assert ended.started_at is not None
    assert ended.finished_at is not None


@pytest.mark.slow
def test_postgresql_by_url_does_the_same(postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAIYU_STORE__URL", postgresql)
    monkeypatch.setenv("DAIYU_JOBS__URL", postgresql)
    with open_desk(tmp_path) as desk:
        run = desk.submit("count", seconds=1)
        worker = desk.start_worker()
        desk.until(run, lambda _: desk.marks(run, "counting"))

        kill(worker)
        desk.start_worker()

        assert desk.end(run).state is RunState.SUCCEEDED
        assert (desk.marks(run, "prepared"), desk.marks(run, "finished")) == ("x", "x")
        assert not list(tmp_path.glob("*.db"))


def test_a_program_outlives_its_killed_worker_and_is_followed_by_the_next(desk: Desk) -> None:
    run = desk.submit("program", seconds=8)
    worker = desk.start_worker()
    desk.until(run, lambda _: desk.marks(run, "started"))

    kill(worker)
    desk.start_worker()

    ended = desk.end(run)
    assert ended.state is RunState.SUCCEEDED
    assert ended.result["lines"] == ["hello", "bye"]
    assert (desk.marks(run, "started"), desk.marks(run, "ended")) == ("x", "x")


def test_work_in_the_worker_itself_finishes_exactly_once_after_a_kill(desk: Desk) -> None:
    run = desk.submit("count", seconds=1.5)
    worker = desk.start_worker()
    desk.until(run, lambda one: one.state is RunState.RUNNING and desk.marks(run, "counting"))

    kill(worker)
    assert desk.state(run) is RunState.RUNNING
    desk.start_worker()

    assert desk.end(run).state is RunState.SUCCEEDED
    assert (desk.marks(run, "prepared"), desk.marks(run, "finished")) == ("x", "x")


def test_one_run_at_a_time_in_a_queue_of_one(desk: Desk) -> None:
    first, second = desk.submit("count", seconds=1), desk.submit("count", seconds=0.1)
    desk.start_worker()

    one, two = desk.end(first), desk.end(second)

    assert one.finished_at is not None
    assert two.started_at is not None
    assert two.started_at >= one.finished_at


def test_stopping_ends_the_program_and_resuming_starts_it_again(desk: Desk) -> None:
    run = desk.submit("program", seconds=60)
    desk.start_worker()
    desk.until(run, lambda _: desk.marks(run, "started"))

    desk.jobs.stop(run.id)
    assert desk.end(run).state is RunState.CANCELLED

    resumed = desk.jobs.resume(run.id)
    desk.until(run, lambda _: desk.marks(run, "started") == "xx")
    assert resumed.attempt == 2
    assert desk.marks(run, "ended") == ""


def test_a_run_stopped_while_no_worker_lives_ends_with_its_program_when_one_comes(desk: Desk) -> None:
    run = desk.submit("program", seconds=60)
    worker = desk.start_worker()
    desk.until(run, lambda _: desk.marks(run, "started"))
    kill(worker)

    desk.jobs.stop(run.id)
    desk.start_worker()

    assert desk.end(run).state is RunState.CANCELLED
    assert not Process(desk.settings.runs / run.id / "commands" / "sleep").alive()
    assert desk.marks(run, "started") == "x"


def test_a_program_killed_from_outside_is_told_from_one_that_failed(desk: Desk) -> None:
    run = desk.submit("program", seconds=60)
    desk.start_worker()
    desk.until(run, lambda _: desk.marks(run, "started"))
    noted = json.loads(desk.marks(run, "commands/sleep/process.json"))

    os.kill(noted["pid"], signal.SIGKILL)

    error = desk.end(run).error
    assert error is not None
    assert "killed from outside" in error.message


def test_a_run_cancelled_before_it_begins_is_cancelled_not_lost(desk: Desk) -> None:
    run = desk.submit("count", seconds=1)
    desk.jobs.stop(run.id)
    later = desk.submit("count", seconds=0.1)
    desk.start_worker()
    desk.end(later)

    assert desk.state(run) is RunState.CANCELLED
    assert desk.marks(run, "prepared") == ""


def test_an_expected_failure_carries_its_remedy_and_a_bug_its_traceback(desk: Desk) -> None:
    failing, buggy = desk.submit("count", seconds=0, fail=True), desk.submit("bug")
    desk.start_worker()

    expected, bug = desk.end(failing).error, desk.end(buggy).error

    assert expected is not None
    assert bug is not None
    assert (expected.remedy, expected.values, expected.traceback) == ("Take another toy.", {"name": "drum"}, "")
    assert "ZeroDivisionError: a bug" in bug.traceback


def test_a_failing_program_fails_the_run_and_its_log_says_why(desk: Desk) -> None:
    run = desk.submit("program", seconds=0, fail=True)
    desk.start_worker()

    ended = desk.end(run)

    assert ended.error is not None
    assert ended.error.values == {"step": "sleep", "code": "1"}
    assert "bye" in desk.marks(run, "run.log")
    assert ended.commands[0]["argv"][0] == sys.executable


def test_a_resumed_run_repeats_no_finished_program_and_mixes_no_output(desk: Desk) -> None:
    execution = Execution(desk.settings, desk.store, desk.jobs, worker="here")
    run = execution.here("relay", "p", {}, who="test")
    assert run.state is RunState.FAILED
    assert desk.store.runs.reopen(run.id) is not None

    execution.attempt(run.id, 2)

    ended = desk.store.runs.get(run.id)
    assert ended.state is RunState.SUCCEEDED
    assert ended.result == {"heard": ["first"]}
    assert (desk.marks(run, "first"), desk.marks(run, "second")) == ("x", "xx")


def test_ctrl_c_stops_a_run_done_without_a_worker_and_its_program(desk: Desk) -> None:
    execution = Execution(desk.settings, desk.store, desk.jobs, worker="here")
    killer = threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT))
    killer.start()

    run = execution.here("program", "p", {"seconds": 60}, who="test")

    assert run.state is RunState.CANCELLED
    assert not Process(desk.settings.runs / run.id / "commands" / "sleep").alive()


def test_a_run_whose_process_was_killed_is_lost_once_a_worker_looks(desk: Desk) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    alive = inline_worker()
    dead = alive.replace(str(os.getpid()), str(gone.pid))
    left, going = (desk.jobs.draft("count", "p", {}, who="test") for _ in range(2))
    for run, worker in ((left, dead), (going, alive)):
        desk.store.runs.add(run)
        desk.store.runs.begin(run.id, 1, worker)

    desk.start_worker()

    assert desk.end(left).state is RunState.LOST
    assert desk.state(going) is RunState.RUNNING


def test_only_a_run_without_success_can_be_resumed(desk: Desk) -> None:
    execution = Execution(desk.settings, desk.store, desk.jobs, worker="here")

    run = execution.here("count", "p", {"seconds": 0.1}, who="test")

    assert run.state is RunState.SUCCEEDED
    with pytest.raises(ConflictError):
        desk.jobs.resume(run.id)


def test_unknown_settings_are_refused_before_anything_is_queued(desk: Desk) -> None:
    with pytest.raises(SettingsError, match="speed"):
        desk.submit("count", speed=3)

    assert desk.store.runs.all() == []


def test_a_run_nobody_can_take_up_again_is_named_lost(desk: Desk) -> None:
    run = desk.submit("count", seconds=30)
    worker = desk.start_worker()
    desk.until(run, lambda one: one.state is RunState.RUNNING)
    kill(worker)
    desk.jobs.close()
    for file in desk.settings.workspace.glob("jobs.db*"):
        file.unlink()
    jobs = Jobs(desk.settings, desk.store, desk.jobs.table)
    jobs.enqueue(desk.jobs.draft("count", "p", {}, who="test"))  # makes a fresh, empty queue
    jobs.close()

    desk.start_worker()

    assert desk.end(run).state is RunState.LOST


def test_a_second_worker_of_the_same_name_leaves(desk: Desk) -> None:
    desk.start_worker()
    run = desk.submit("count", seconds=0.1)
    desk.end(run)

    second = desk.start_worker()

    assert second.wait(60) != 0
    assert len(desk.jobs.workers()) == 1
    assert isinstance(desk.store, Store)
