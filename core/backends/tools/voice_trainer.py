"""What a trainer of voices is to the stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from core.domain.checkout import CheckoutReport
    from core.domain.run import Command
    from core.domain.voice_training import VoiceRecipe, VoiceServing, VoiceTraining
    from core.errors import StudioError


class VoiceStep(StrEnum):
    """The steps of a voice training, in order."""

    TEXT = "text"
    FEATURES = "features"
    SPEAKER = "speaker"
    SEMANTIC = "semantic"
    SOVITS = "sovits"
    GPT = "gpt"


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What a step has really done, as its files tell."""

    done: int
    """Clips for a step of preparation, saved weights for a step of training."""
    lost: tuple[str, ...] = ()
    """Names of the clips it left out."""


@dataclass(frozen=True, slots=True)
class VoiceReport:
    """What one line of a step's output says."""

    fraction: float | None = None
    """Of the step, 0 to 1."""
    epoch: int | None = None
    """Counted from 1."""
    step: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VoiceWeights:
    """Weights that a training has saved, ready to speak with."""

    stage: VoiceStep
    """SOVITS or GPT."""
    file: Path
    epoch: int


class VoiceTrainer(Protocol):
    """A trainer of voices. It believes files and counts, never an exit code."""

    def examine(self) -> CheckoutReport:
        """Look at the checkout, its environment and the pretrained files; takes some seconds."""
        ...

    def versions(self) -> dict[str, str]:
        """Return the versions of what decides the result; ToolFailedError if it cannot even start."""
        ...

    def prepare(self, work: VoiceTraining) -> StepOutcome:
        """Write the list of clips and the folders; InvalidInputError when no clip can be trained on."""
        ...

    def steps(self, recipe: VoiceRecipe) -> tuple[VoiceStep, ...]:
        """Return the steps this model needs, in order."""
        ...

    def parts(self, work: VoiceTraining, step: VoiceStep) -> int:
        """Return in how many programs, which may run at once, the step is done."""
        ...

    def start(self, work: VoiceTraining, step: VoiceStep, part: int = 0) -> Command:
        """Clear away what an interrupted attempt left of that part, and return the program that does it.

        Only for a part that does not run; what is whole is kept and gone on from.
        """
        ...

    def fraction(self, work: VoiceTraining, step: VoiceStep) -> float | None:
        """Return how far a step is as its files tell; None where they do not."""
        ...

    def read_line(self, work: VoiceTraining, step: VoiceStep, line: str) -> VoiceReport | None:
        """Return what a line of a step's output says, or None when it says nothing."""
        ...

    def measurements(self, work: VoiceTraining, after: int = -1) -> list[tuple[int, dict[str, float]]]:
        """Return the measured values of every step of the SoVITS stage above `after`, in order."""
        ...

    def confirm(self, work: VoiceTraining, step: VoiceStep, log_end: str = "") -> StepOutcome:
        """Return what a step has done once all its parts have ended; ToolFailedError when that is not enough.

        `log_end` is the end of its output. An exit code of 0 says nothing: a step that is refused here must be started
        again to be done.
        """
        ...

    def weights(self, work: VoiceTraining) -> list[VoiceWeights]:
        """Return all whole weights, by stage and epoch."""
        ...

    def bytes_needed(self, work: VoiceTraining) -> int:
        """Return about how much room the training takes on the disk at its fullest."""
        ...

    def sweep(self, since: float) -> list[str]:
        """Remove from the checkout what killed programs of ours left there since that time; return the names."""
        ...

    def serve(self, wanted: VoiceServing) -> Command:
        """Write the server's configuration anew and return the program that serves."""
        ...

    def hear_speakers(
        self, folder: Path, sounds: Mapping[str, Path], *, precision: Literal["float32", "float16"], gpu: str = ""
    ) -> Command | None:
        """Return the program that listens to sounds with the trainer's own speaker model; None where it has none.

        `sounds`: name -> wav; all that is written lies in `folder`.
        """
        ...

    def speaker_prints(self, folder: Path) -> dict[str, tuple[float, ...]]:
        """Return what that program heard: name -> vector; a sound that failed or is too short is not there."""
        ...

    def explain(self, log: str) -> StudioError | None:
        """Return what went wrong and what to do, if the end of the log is one of the known troubles."""
        ...
