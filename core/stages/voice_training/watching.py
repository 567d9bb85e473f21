"""Follows a voice training: its output and files become progress, its losses curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from core.backends.tools import VoiceStep
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools import VoiceTrainer
    from core.domain.voice_training import VoiceTraining
    from core.jobs.context import RunContext

SPANS: Final[Mapping[VoiceStep, tuple[float, float]]] = {
    VoiceStep.TEXT: (0.02, 0.05),
    VoiceStep.FEATURES: (0.05, 0.08),
    VoiceStep.SPEAKER: (0.08, 0.1),
    VoiceStep.SEMANTIC: (0.1, 0.12),
    VoiceStep.SOVITS: (0.12, 0.65),
    VoiceStep.GPT: (0.65, 0.96),
}
"""Each step's share of the whole run's progress."""

_SAID: Final[Mapping[VoiceStep, str]] = {
    VoiceStep.TEXT: N_("Reading the words"),
    VoiceStep.FEATURES: N_("Listening to the clips"),
    VoiceStep.SPEAKER: N_("Listening to who speaks"),
    VoiceStep.SEMANTIC: N_("Turning the clips into tokens"),
    VoiceStep.SOVITS: N_("Learning the sound"),
    VoiceStep.GPT: N_("Learning the way of speaking"),
}
_EPOCHS: Final[Mapping[VoiceStep, str]] = {
    VoiceStep.SOVITS: N_("Learning the sound: epoch {epoch} of {epochs}, loss {loss}"),
    VoiceStep.GPT: N_("Learning the way of speaking: epoch {epoch} of {epochs}, loss {loss}"),
}
_MAIN_LOSS: Final = ("loss_mel", "loss")


@dataclass
class StepWatch:
    """Watches one step."""

    context: RunContext
    trainer: VoiceTrainer
    work: VoiceTraining
    step: VoiceStep
    epochs: int = 0
    """Of a stage that trains."""
    _epoch: int = field(default=0, repr=False)
    _measured: int = field(default=-1, repr=False)
    _loss: float | None = field(default=None, repr=False)

    def on_line(self, line: str) -> None:
        """Report what a line says of how far it is; of the GPT stage its losses too, which stand nowhere else."""
        report = self.trainer.read_line(self.work, self.step, line)
        if report is None:
            return
        self._epoch = report.epoch or self._epoch
        if self.step is VoiceStep.GPT and report.step is not None and report.values:
            self._loss = report.values.get("loss", self._loss)
            self.context.metric(report.step, {f"gpt_{name}": value for name, value in report.values.items()})
        if report.fraction is not None:
            self._tell(report.fraction)

    def on_poll(self) -> None:
        """Report what the step's files say."""
        fraction = self.trainer.fraction(self.work, self.step)
        if fraction is not None:
            self._tell(fraction)
        if self.step is VoiceStep.SOVITS:
            for step, values in self.trainer.measurements(self.work, self._measured):
                self.context.metric(step, {f"sovits_{name}": value for name, value in values.items()})
                self._measured = step
                self._loss = next((values[name] for name in _MAIN_LOSS if name in values), self._loss)

    def _tell(self, fraction: float) -> None:
        begin, end = SPANS[self.step]
        at = begin + (end - begin) * min(fraction, 1.0)
        if not self._epoch:
            self.context.progress(at, _SAID[self.step])
            return
        loss = "–" if self._loss is None else f"{self._loss:.2f}"
        epoch = min(self._epoch, self.epochs)
        self.context.progress(at, _EPOCHS[self.step], epoch=epoch, epochs=self.epochs, loss=loss)

    def begins(self) -> None:
        """Say that the step begins."""
        self.context.progress(SPANS[self.step][0], _SAID[self.step])
