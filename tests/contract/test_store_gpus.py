"""GPUs are held by one run each, all that it needs or none; on each database."""

from __future__ import annotations

import threading

import pytest

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.store import Store

HERE, THERE = "node-1", "node-2"
BOTH = ("0", "1")


def add(store: Store, run_id: str, state: RunState = RunState.RUNNING) -> None:
    store.runs.add(Run(run_id, "finetuning", "a-qing", "gpu", state, {}, {}, now(), "anna"))


def lease(
    store: Store, run_id: str, count: int, host: str = HERE, *, used: tuple[str, ...] = ()
) -> tuple[str, ...] | None:
    return store.gpus.lease(host, BOTH, count, run_id, still_used=lambda one: one in used)


@pytest.fixture(autouse=True)
def _two_runs(store: Store) -> None:
    add(store, "run-1")
    add(store, "run-2")


def test_a_run_gets_all_it_needs_or_nothing(store: Store) -> None:
    assert lease(store, "run-1", 1) == ("0",)
    assert lease(store, "run-2", 2) is None
    assert lease(store, "run-2", 1) == ("1",)
    assert store.gpus.held(HERE) == {"0": "run-1", "1": "run-2"}


def test_asked_again_a_run_gets_the_same(store: Store) -> None:
    lease(store, "run-1", 1)
    lease(store, "run-2", 1)

    assert lease(store, "run-2", 1) == ("1",)
    assert lease(store, "run-1", 1) == ("0",)


def test_what_a_run_held_that_is_over_or_gone_is_free(store: Store) -> None:
    lease(store, "run-1", 1)
    lease(store, "never-heard-of", 1)
    store.runs.end("run-1", RunState.FAILED)

    assert lease(store, "run-2", 2) == BOTH


def test_what_a_program_of_a_run_that_is_over_still_uses_is_not_free(store: Store) -> None:
    lease(store, "run-1", 1)
    store.runs.end("run-1", RunState.FAILED)

    assert lease(store, "run-2", 2, used=("run-1",)) is None
    assert lease(store, "run-2", 1, used=("run-1",)) == ("1",)


def test_each_machine_has_its_own(store: Store) -> None:
    lease(store, "run-1", 2)

    assert lease(store, "run-2", 2, THERE) == BOTH


def test_a_run_that_goes_on_on_another_machine_frees_what_it_held(store: Store) -> None:
    lease(store, "run-1", 2)

    assert lease(store, "run-1", 1, THERE) == ("0",)
    assert store.gpus.held(HERE) == {}


def test_a_released_gpu_is_free(store: Store) -> None:
    lease(store, "run-1", 2)
    store.gpus.release("run-1")

    assert lease(store, "run-2", 2) == BOTH


def test_of_many_who_ask_at_once_no_two_get_the_same(store: Store) -> None:
    got: list[tuple[str, ...] | None] = []
    runs = [f"run-{number}" for number in range(10, 18)]
    for run in runs:
        add(store, run)
    asking = [threading.Thread(target=lambda run=run: got.append(lease(store, run, 1))) for run in runs]
    for one in asking:
        one.start()
    for one in asking:
        one.join()

    assert sorted(one for one in got if one) == [("0",), ("1",)]
