"""Several workers on one PostgreSQL: each run is done once, each GPU holds one run, each worker keeps to its number."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from core.domain.run import Run, RunState
from core.errors import ConflictError
from core.jobs.door import Process
from core.jobs.workspace import refuse_another_workspace
from core.store import Store
from tests.unit.jobs.test_runs import Desk, kill, open_desk

pytestmark = pytest.mark.slow

TWO_GPUS = {"DAIYU_JOBS__GPUS": '["0", "1"]'}


@pytest.fixture
def desk(postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk whose store and queue are on a real server."""
    monkeypatch.setenv("DAIYU_STORE__URL", postgresql)
    monkeypatch.setenv("DAIYU_JOBS__URL", postgresql)
    with open_desk(tmp_path) as made:
        yield made


def most_at_once(spans: list[tuple[datetime | float, datetime | float]]) -> int:
    """Return how many of the spans (begin, end) overlap at the fullest moment."""
    steps = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    now, most = 0, 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def turns(desk: Desk, run: Run) -> list[tuple[float, float, str]]:
    """Return (begin, end, GPUs seen) of each time the run's program was done."""
    lines = [line.split() for line in desk.marks(run, "turns").splitlines()]
    begun, ended = ([line for line in lines if line[0] == word] for word in ("start", "end"))
    return [(float(one[1]), float(other[1]), one[2]) for one, other in zip(begun, ended, strict=True)]


def test_no_run_is_done_twice_and_no_gpu_held_twice_while_a_worker_is_killed(desk: Desk) -> None:
    runs = [desk.submit("on_gpus", seconds=1.5, gpus=1 + number % 2) for number in range(10)]
    desk.start_worker(DAIYU_JOBS__WORKER="anna", **TWO_GPUS)
    bert = desk.start_worker(DAIYU_JOBS__WORKER="bert", **TWO_GPUS)
    desk.until(runs[0], lambda _: any(desk.store.runs.get(one.id).worker == "bert" for one in runs))
    mine = next(one for one in runs if desk.store.runs.get(one.id).worker == "bert")
    desk.until(mine, lambda _: desk.marks(mine, "turns"))

    kill(bert)
    desk.start_worker(DAIYU_JOBS__WORKER="bert", **TWO_GPUS)

    ended = [desk.end(run) for run in runs]
    assert [run.state for run in ended] == [RunState.SUCCEEDED] * 10
    done = [turns(desk, run) for run in runs]
    assert [len(one) for one in done] == [1] * 10
    for gpu in ("0", "1"):
        assert most_at_once([(begin, end) for ((begin, end, seen),) in done if gpu in seen.split(",")]) == 1
    assert [len(seen.split(",")) for ((_, _, seen),) in done] == [1 + number % 2 for number in range(10)]
    assert {run.worker for run in ended} == {"anna", "bert"}
    assert desk.store.gpus.held(socket.gethostname()) == {}


def test_each_worker_does_as_many_at_once_as_its_own_settings_say_and_none_of_a_queue_with_0(desk: Desk) -> None:
    numbers = {"anna": 2, "bert": 1}
    for name, number in numbers.items():
        gpu = {"DAIYU_JOBS__QUEUES__GPU": str(number - 1)}  # bert leaves that queue alone
        desk.start_worker(DAIYU_JOBS__WORKER=name, DAIYU_JOBS__QUEUES__CPU=str(number), **gpu)
    desk.until(desk.submit("count", seconds=0.1), lambda one: one.state.over and len(desk.jobs.workers()) == 2)
    counted = [desk.submit("count", seconds=1) for _ in range(9)]
    on_gpu = [desk.submit("program", seconds=0.1) for _ in range(3)]

    ended = [desk.end(run) for run in counted]

    for name, number in numbers.items():
        spans = [(run.started_at, run.finished_at) for run in ended if run.worker == name]
        assert most_at_once(spans) == number  # type: ignore[arg-type]
    assert {desk.end(run).worker for run in on_gpu} == {"anna"}
    told, others = {one.name: one.queues for one in desk.jobs.workers()}, {"llm": 4, "servers": 2}
    assert told == {"anna": {"cpu": 2, "gpu": 1, **others}, "bert": {"cpu": 1, **others}}


def test_a_run_whose_program_is_at_work_on_another_machine_goes_on_there(desk: Desk) -> None:
    run = desk.submit("program", seconds=120)
    first = desk.start_worker(DAIYU_JOBS__WORKER="anna", DAIYU_JOBS__HOST="node-1")
    desk.until(run, lambda _: desk.marks(run, "started"))
    kill(first)
    desk.start_worker(DAIYU_JOBS__WORKER="anna", DAIYU_JOBS__HOST="node-2")  # takes up what it was called for
    desk.end(desk.submit("count", seconds=0.1))
    kill(desk.workers[-1])
    desk.start_worker(DAIYU_JOBS__WORKER="anna", DAIYU_JOBS__HOST="node-2")  # finds it handed over, not lost
    desk.end(desk.submit("count", seconds=0.1))

    desk.start_worker(DAIYU_JOBS__WORKER="bert", DAIYU_JOBS__HOST="node-1")

    desk.until(run, lambda one: one.worker == "bert")
    assert Process(desk.settings.runs / run.id / "commands" / "sleep").alive()
    desk.jobs.stop(run.id)
    ended = desk.end(run)
    assert (ended.state, ended.worker) == (RunState.CANCELLED, "bert")
    assert not Process(desk.settings.runs / run.id / "commands" / "sleep").alive()
    assert (desk.marks(run, "started"), desk.marks(run, "ended")) == ("x", "")


def test_a_worker_with_another_folder_than_the_stores_leaves(desk: Desk, postgresql: str, tmp_path: Path) -> None:
    desk.start_worker()
    desk.end(desk.submit("count", seconds=0.1))
    other = tmp_path / "elsewhere"
    store = Store(postgresql, other)

    with pytest.raises(ConflictError, match="share"):
        refuse_another_workspace(other, store)
    refuse_another_workspace(tmp_path, store)
    store.close()
