"""Follows a trainer: its lines become progress, its measurements curves, its sample answers a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import ToolFailedError
from core.jobs.whole import write_whole
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools import FineTuner
    from core.domain.recipe import FineTuning
    from core.domain.run import Command
    from core.jobs.context import RunContext

PROBES = "probes.json"
"""In the run's folder: `[{"step", "answers": [text]}]`, a round after each checkpoint."""

_AFTERWARDS = 30.0
"""Seconds to expect after the last step: the trainer's programs that convert, merge and try the model out."""

_RISING, _RISING_POINTS = 1.2, 4
"""The loss rises when that many points in a row lie above its beginning by that factor."""


def execute(
    context: RunContext, tuner: FineTuner, name: str, command: Callable[[], Command], **watch: Callable[..., None]
) -> None:
    """Run one of the trainer's programs; a known trouble at the end of its log is raised with its remedy."""
    try:
        context.execute(name, command, **watch)
    except ToolFailedError as failure:
        raise (tuner.explain(context.last_output()) or failure) from failure


@dataclass
class BaseWatch:
    """Watches the tiny base model learn to read."""

    context: RunContext
    tuner: FineTuner
    span: tuple[float, float]
    """The share of the whole run's progress that this is."""

    def on_line(self, line: str) -> None:
        """Report a line's step and loss."""
        report = self.tuner.read_line(line)
        if report is None:
            return
        if report.loss is not None:
            self.context.metric(report.step, {"base_loss": report.loss})
        fraction = _within(self.span, report.step / max(report.steps, 1))
        message = N_("Building the base model: step {step} of {steps}, loss {loss}")
        self.context.progress(fraction, message, step=report.step, steps=report.steps, loss=_shown(report.loss))


@dataclass
class TrainingWatch:
    """Watches the fine-tuning itself."""

    context: RunContext
    tuner: FineTuner
    work: FineTuning
    span: tuple[float, float]
    _measured: int = field(default=0, repr=False)
    _losses: list[float] = field(default_factory=list, repr=False)
    _warned: bool = field(default=False, repr=False)
    _latest: dict[str, float] = field(default_factory=dict, repr=False)
    _rounds: dict[int, list[str]] = field(default_factory=dict, repr=False)

    def on_line(self, line: str) -> None:
        """Report a line's step, loss and time left."""
        report = self.tuner.read_line(line)
        if report is None:
            return
        self._take_measurements()
        self.context.progress(
            _within(self.span, report.step / max(report.steps, 1)),
            self._message(),
            seconds_left=None if report.seconds_left is None else report.seconds_left + _AFTERWARDS,
            step=report.step,
            steps=report.steps,
            loss=_shown(report.loss),
            speed=round(self._latest.get("tokens_per_second", 0)),
            memory=round(self._latest.get("memory_mb", 0)),
        )

    def on_poll(self) -> None:
        """Add what was measured since the last look to the curves; save new sample answers."""
        self._take_measurements()
        fresh = self.tuner.probes(self.work, max(self._rounds, default=0))
        if fresh:
            rounds = {**self._rounds, **dict(fresh)}
            told = [{"step": step, "answers": answers} for step, answers in sorted(rounds.items())]
            write_whole(self.context.folder / PROBES, json.dumps(told, ensure_ascii=False))
            self._rounds = rounds

    def _take_measurements(self) -> None:
        for step, values in self.tuner.measurements(self.work, self._measured):
            self.context.metric(step, values)
            self._measured, self._latest = step, values
            if "loss" in values:
                self._losses.append(values["loss"])
        if self._rises() and not self._warned:
            self._warned = True
            self.context.log("warning: the loss rises instead of falling; a smaller learning rate may help")

    def _rises(self) -> bool:
        """Whether the loss has stayed above its beginning for so long that it is no accident."""
        recent = self._losses[-_RISING_POINTS:]
        return len(self._losses) > _RISING_POINTS and min(recent) > self._losses[0] * _RISING

    def _message(self) -> str:
        if self._warned:
            return N_("Training: step {step} of {steps}, loss {loss} and rising: the learning rate may be too large")
        if "tokens_per_second" not in self._latest:
            return N_("Training: step {step} of {steps}, loss {loss}")
        return N_("Training: step {step} of {steps}, loss {loss}, {speed} tokens/s, {memory} MB")


def _within(span: tuple[float, float], fraction: float) -> float:
    begin, end = span
    return begin + (end - begin) * min(fraction, 1.0)


def _shown(loss: float | None) -> str:
    return "–" if loss is None else f"{loss:.2f}"
