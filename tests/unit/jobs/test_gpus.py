"""A run holds the GPUs it works on, waits for them, and shows its programs no others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.identity import now
from core.domain.run import Command, Run, RunState
from core.errors import MissingToolError, RunCancelledError
from core.jobs.context import RunContext
from core.jobs.door import Process
from core.jobs.machine import Machine
from core.settings import JobSettings
from core.store import Store

Begin = Callable[..., RunContext]


@pytest.fixture
def begin(store: Store) -> Begin:
    """Return what begins a run on a machine with two GPUs."""

    def begin(run_id: str, gpus: tuple[str, ...] = ("0", "1")) -> RunContext:
        run = Run(run_id, "finetuning", "a-qing", "gpu", RunState.RUNNING, {}, {}, now(), "anna")
        if not any(one.id == run_id for one in store.runs.all()):
            store.runs.add(run)
        folder = store.workspace / "runs" / run_id
        return RunContext(run, store=store, folder=folder, poll=0.02, machine=Machine(JobSettings(gpus=gpus)))

    return begin


def test_the_programs_of_a_run_see_the_gpus_it_holds(begin: Begin, tmp_path: Path) -> None:
    begin("run-1").gpus(1)
    run = begin("run-2")
    run.gpus(1)
    heard: list[str] = []

    run.execute(
        "show",
        lambda: Command(("sh", "-c", "echo $CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER"), tmp_path),
        on_line=heard.append,
    )

    assert heard == ["1 PCI_BUS_ID"]


def test_a_run_that_asks_for_none_gets_none_at_once_and_its_programs_see_none(begin: Begin, tmp_path: Path) -> None:
    begin("run-1").gpus(2)
    run = begin("run-2")
    heard: list[str] = []

    assert run.gpus(0) == ()
    run.execute(
        "show", lambda: Command(("sh", "-c", 'echo "<${CUDA_VISIBLE_DEVICES-all}>"'), tmp_path), on_line=heard.append
    )

    assert heard == ["<>"]
    assert begin("run-3", ()).gpus(0) == ()


def test_more_gpus_than_there_are_is_refused_with_a_remedy(begin: Begin) -> None:
    with pytest.raises(MissingToolError, match=r"wants 3 GPUs.* has 2.*jobs\.gpus"):
        begin("run-1").gpus(3)


def test_a_run_waits_until_it_gets_them_and_says_so(begin: Begin, store: Store) -> None:
    begin("run-1").gpus(1)
    waiting = begin("run-2")
    got: list[tuple[str, ...]] = []
    thread = threading.Thread(target=lambda: got.append(waiting.gpus(2)))
    thread.start()
    while store.runs.get("run-2").progress.message != "Waiting for {count} GPUs":
        assert thread.is_alive()

    store.runs.end("run-1", RunState.SUCCEEDED)
    thread.join(20)

    assert got == [("0", "1")]


def test_a_run_can_be_stopped_while_it_waits(begin: Begin, store: Store) -> None:
    begin("run-1").gpus(2)
    waiting = begin("run-2")
    store.runs.request_stop("run-2")

    with pytest.raises(RunCancelledError):
        waiting.gpus(1)


def test_a_run_that_is_taken_up_again_gets_the_same(begin: Begin) -> None:
    begin("run-1").gpus(1)
    begin("run-2").gpus(1)

    assert begin("run-2").gpus(1) == ("1",)


def test_a_program_that_goes_on_after_its_run_failed_keeps_its_gpus(begin: Begin, store: Store, tmp_path: Path) -> None:
    run = begin("run-1")
    run.gpus(2)
    program = Process(run.folder / "commands" / "train")
    program.start(Command(("sleep", "60"), tmp_path), log=tmp_path / "log")
    store.runs.end("run-1", RunState.FAILED)
    waiting = begin("run-2")
    store.runs.request_stop("run-2")

    with pytest.raises(RunCancelledError):  # it would wait
        waiting.gpus(1)
    program.stop(grace=2)
    assert begin("run-3").gpus(2) == ("0", "1")
