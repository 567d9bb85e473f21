"""Follows a trainer: its lines become progress, its measurements curves, its sample answers a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools import FineTuner
    from core.domain.recipe import FineTuning
    from core.jobs.context import RunContext

PROBES = "probes.json"
"""In the run's folder: `[{"step", "answers": [text]}]`, a round after each checkpoint."""


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
    steps: int = 0
    loss: float | None = None
    _measured: int = field(default=0, repr=False)
    _rounds: int = field(default=0, repr=False)

    def on_line(self, line: str) -> None:
        """Report a line's step and loss."""
        report = self.tuner.read_line(line)
        if report is None:
            return
        self.steps = report.step
        self.loss = report.loss if report.loss is not None else self.loss
        fraction = _within(self.span, report.step / max(report.steps, 1))
        message = N_("Training: step {step} of {steps}, loss {loss}")
        self.context.progress(fraction, message, step=report.step, steps=report.steps, loss=_shown(report.loss))

    def on_poll(self) -> None:
        """Add what was measured since the last look to the curves; save new sample answers."""
        for step, values in self.tuner.measurements(self.work, self._measured):
            self.context.metric(step, values)
            self._measured = step
        rounds = self.tuner.probes(self.work)
        if len(rounds) != self._rounds:
            self._rounds = len(rounds)
            _replace(self.context.folder / PROBES, [{"step": step, "answers": answers} for step, answers in rounds])


def _within(span: tuple[float, float], fraction: float) -> float:
    begin, end = span
    return begin + (end - begin) * min(fraction, 1.0)


def _shown(loss: float | None) -> str:
    return "–" if loss is None else f"{loss:.2f}"


def _replace(file: Path, content: object) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    draft.replace(file)
