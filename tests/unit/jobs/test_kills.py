"""Trainer, worker, app killed and the disk filled at random steps: every run ends rightly, with every step done once.

A stand-in for XTuner trains, everything else is real: the worker, the app, the store, the queue. The same rounds
with the real XTuner are `benchmarks/kills.py`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.domain.text import Sample, Split, Turn, TurnRole
from tests.kill_rounds import House, Outcome, app_killed, disk_filled, disk_of, trainer_killed, version, worker_killed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STAND_IN = Path(__file__).parents[1] / "stages" / "finetuning" / "stand_in_python.py"
STEPS, SAVE_EVERY, PACE, ROUNDS = 60, 20, 0.015, 5
RESTARTS = 3
"""Rounds in which a worker or the app has to start again, which takes seconds; the benchmark does more."""
SETTINGS = {"max_steps": STEPS, "method": "full", "questions": [], "intervals": {"save_every": SAVE_EVERY}}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "workspace", tmp_path / "python") as made:
        yield made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that is soon full; skips where nobody may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    with disk_of("64m", place) as mounted:
        if not mounted:
            pytest.skip("no disk can be mounted here")
        yield place


@contextmanager
def open_house(workspace: Path, python: Path) -> Iterator[House]:
    place = python.parent / "stand-in"
    place.mkdir()
    python.write_text(f'#!/bin/sh\nSTAND_IN={place} PACE={PACE} exec {sys.executable} -S {STAND_IN} "$@"\n')
    python.chmod(0o755)
    made = House(workspace, python, version(2, 1), [_sample(0), _sample(1), _sample(2, Split.HELD_OUT)])
    yield made
    made.close()


def _sample(number: int, split: Split = Split.TRAIN) -> Sample:
    turns = (Turn(TurnRole.COUNTERPART, "宝玉", f"第{number}问？"), Turn(TurnRole.PERSONA, "黛玉", f"第{number}答。"))
    return Sample(number, "src-1", 1, split, turns)


def steps(seed: int, rounds: int = ROUNDS) -> list[int]:
    return random.Random(seed).sample(range(1, STEPS - 15), rounds)


def assert_whole(outcomes: list[Outcome]) -> None:
    assert [one.wrong_state for one in outcomes] == [""] * len(outcomes)
    assert [one.steps for one in outcomes] == [STEPS] * len(outcomes)
    assert [sorted(one.points) for one in outcomes] == [list(range(1, STEPS + 1))] * len(outcomes)


def test_a_killed_trainer_is_resumed_from_its_checkpoint(house: House) -> None:
    house.start("worker")
    outcomes = [trainer_killed(house, SETTINGS, step) for step in steps(1)]

    assert_whole(outcomes)
    for one in outcomes:
        assert one.starts[0] == 0
        assert one.starts[1] in {one.step // SAVE_EVERY * SAVE_EVERY, (one.step + 9) // SAVE_EVERY * SAVE_EVERY}


def test_the_trainer_outlives_a_killed_worker_and_is_started_once(house: House) -> None:
    house.start("worker")
    outcomes = [worker_killed(house, SETTINGS, step) for step in steps(2, RESTARTS)]

    assert_whole(outcomes)
    assert [one.starts for one in outcomes] == [(0,)] * RESTARTS


def test_the_trainer_outlives_a_killed_app_and_is_started_once(house: House) -> None:
    house.start("run")
    outcomes = [app_killed(house, SETTINGS, step) for step in steps(3, RESTARTS)]

    assert_whole(outcomes)
    assert [one.starts for one in outcomes] == [(0,)] * RESTARTS


def test_a_full_disk_costs_a_run_no_checkpoint_and_a_worker_not_its_life(small_disk: Path, tmp_path: Path) -> None:
    chance = random.Random(4)
    with open_house(small_disk / "workspace", tmp_path / "python") as house:
        house.start("worker")
        outcomes = [disk_filled(house, SETTINGS, step, seconds=chance.uniform(0.3, 1.5)) for step in steps(4)]

    assert_whole(outcomes)
    assert sum("disk is full" in one.message for one in outcomes) > ROUNDS / 2
    for one in outcomes[1:]:
        assert all(start % SAVE_EVERY == 0 for start in one.starts)
