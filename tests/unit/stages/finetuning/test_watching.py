"""What is told of a training while it runs: speed, memory, the trainer's own time left, and a loss that rises."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.backends.tools.xtuner import XTuner
from core.domain.identity import now
from core.domain.recipe import FineTuning, Recipe
from core.domain.run import Progress, Run, RunState
from core.jobs.context import RunContext
from core.stages.finetuning.watching import TrainingWatch
from core.store import Store

LINE = "Iter(train) [ {step}/200]  lr: 1.0000e-03  eta: 0:01:40  time: 0.1  loss: {loss}"


class Training:
    """A training of which only what it leaves behind is there."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.context = RunContext(_record(), store=store, folder=folder)
        work = FineTuning(folder=folder, base=Path("base"), recipe=Recipe())
        self.watch = TrainingWatch(self.context, XTuner(Path("python")), work, span=(0.5, 0.75))
        self._left = folder / "work" / "20261123_000000" / "vis_data"
        self._left.mkdir(parents=True)

    def steps(self, losses: Sequence[float], begin: int = 1, **more: float) -> None:
        """Go on by so many steps."""
        with (self._left / "scalars.json").open("a") as scalars:
            for step, loss in enumerate(losses, start=begin):
                scalars.write(json.dumps({"step": step, "loss": loss, "time": 0.5, **more}) + "\n")

    def answers(self, step: int, text: str) -> None:
        """Leave a round of answers."""
        (self._left / f"eval_outputs_iter_{step - 1}.txt").write_text(
            f"Eval output 1:\n<|im_start|>assistant\n{text}\n"
        )

    @property
    def progress(self) -> Progress:
        """What the run's page shows."""
        return self.store.runs.get("run-1").progress

    @property
    def log(self) -> str:
        """The run's log."""
        file = self.context.folder / "run.log"
        return file.read_text() if file.exists() else ""


def _record() -> Run:
    return Run("run-1", "finetuning", "a-qing", "gpu", RunState.RUNNING, {}, {}, now(), "test")


@pytest.fixture
def training(store: Store, tmp_path: Path) -> Training:
    store.runs.add(_record())
    return Training(store, tmp_path / "run-1")


def test_progress_tells_speed_memory_and_the_trainers_own_time_left(training: Training):
    training.steps([2.5], tokens=1000.0, memory=640.2)
    training.watch.on_line(LINE.format(step=50, loss=2.5))

    told = training.progress
    assert told.message.format(**told.values) == "Training: step 50 of 200, loss 2.50, 2000 tokens/s, 640 MB"
    assert told.fraction == 0.5 + 0.25 * 50 / 200
    assert told.seconds_left == 100 + 30  # what comes after the last step counts too


def test_before_anything_is_measured_step_and_loss_are_told(training: Training):
    training.watch.on_line(LINE.format(step=1, loss=2.5))

    assert training.progress.message.format(**training.progress.values) == "Training: step 1 of 200, loss 2.50"


def test_a_loss_that_stays_above_its_beginning_is_told_once(training: Training):
    training.steps([2.0, 3.0, 3.1, 3.2, 3.3, 3.4])
    training.watch.on_poll()
    training.steps([3.5], begin=7)
    training.watch.on_line(LINE.format(step=7, loss=3.5))

    assert training.log.count("the loss rises") == 1
    assert "learning rate may be too large" in training.progress.message


@pytest.mark.parametrize("losses", [[2.0, 3.0, 3.1], [2.0, 3.0, 3.1, 3.2, 1.9], [2.0, 2.1, 2.2, 2.3, 2.2]])
def test_a_bad_moment_is_no_rising_loss(losses: list[float], training: Training):
    training.steps(losses)
    training.watch.on_poll()

    assert training.log == ""


def test_answers_are_added_round_by_round(training: Training):
    training.answers(20, "不冷。")
    training.watch.on_poll()
    training.answers(40, "风大。")
    training.watch.on_poll()

    rounds = json.loads((training.context.folder / "probes.json").read_text(encoding="utf-8"))
    assert rounds == [{"step": 20, "answers": ["不冷。"]}, {"step": 40, "answers": ["风大。"]}]
