"""Other people's programs, each in an environment of its own; a backend translates and runs nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.backends.rows import Row
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.recipe import FineTuning, TinyBase
    from core.domain.run import Command
    from core.errors import StudioError


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one line of a trainer's log says about how far it is."""

    step: int
    steps: int
    loss: float | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a training can be taken up again."""

    path: Path
    step: int


class FineTuner(Protocol):
    """A trainer of language models: settings become files and commands, log lines progress, files results."""

    def versions(self) -> dict[str, str]:
        """Return the versions of what decides the result."""
        ...

    def build_base(self, work: FineTuning, tiny: TinyBase) -> Command:
        """Build the tiny base model in `work.base` from `CONVERSATIONS` of the folder."""
        ...

    def prepare(self, work: FineTuning) -> Path:
        """Write what the trainer reads and return its configuration file."""
        ...

    def train(self, work: FineTuning) -> Command:
        """Train, from the last checkpoint if there is one."""
        ...

    def convert(self, work: FineTuning) -> Command:
        """Turn the last checkpoint into a model, or into an adapter where the method makes one."""
        ...

    def merge(self, work: FineTuning) -> Command:
        """Melt the adapter into the base; only for methods that make one."""
        ...

    def merged(self, work: FineTuning) -> Path:
        """Return the folder the finished model lies in."""
        ...

    def try_out(self, work: FineTuning, models: Mapping[str, Path], held_out: list[dict[str, Any]]) -> Command:
        """Load the models as the app will, let them answer the questions, measure the held-out loss."""
        ...

    def trial(self, work: FineTuning) -> dict[str, Any]:
        """Return what `try_out` found: model name -> `parameters`, `answers`, `held_out_loss`."""
        ...

    def last_checkpoint(self, work: FineTuning) -> Checkpoint | None:
        """Return the newest whole checkpoint."""
        ...

    def read_line(self, line: str) -> StepReport | None:
        """Return what a line of the log says, or None when it says nothing about steps."""
        ...

    def measurements(self, work: FineTuning, after: int) -> list[tuple[int, dict[str, float]]]:
        """Return the measured values of every step above `after`, in order."""
        ...

    def probes(self, work: FineTuning) -> list[tuple[int, list[str]]]:
        """Return (step, answers to the questions) for every round so far, in order."""
        ...

    def explain(self, log: str) -> StudioError | None:
        """Return what went wrong and what to do, if the end of the log is one of the known troubles."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a sample as a trainer sees it."""

    id: int
    text: str
    """The characters it stands for; empty for a further part of a character."""
    loss: bool
    """Whether the model learns to say it."""


class SampleReader(Protocol):
    """Reads a conversation of the training file as a trainer would, with a model's tokenizer and a chat form."""

    def tokens(self, conversation: Mapping[str, Any]) -> list[Token]:
        """Return all its tokens, none of them cut off."""
        ...

    def losses(self, conversations: Sequence[Mapping[str, Any]]) -> list[list[bool]]:
        """Return for each conversation whether loss is taken on its tokens."""
        ...

    def chat(self, conversation: Mapping[str, Any]) -> list[int] | None:
        """Return the tokens of the same talk by the model's own chat template; None where it has none."""
        ...


@dataclass(frozen=True, slots=True)
class ReaderSource:
    """What a reader is made for."""

    folder: Path | None
    """The base model's; None for the tiny one that would be built from the conversations."""
    template: str
    conversations: Sequence[Mapping[str, Any]] = ()
    vocabulary: int = 4000


CONVERSATIONS = "conversations.json"
"""Name of the training file in the run's folder, in the trainer's format."""


def _xtuner(python: Path) -> FineTuner:
    from core.backends.tools.xtuner import XTuner

    return XTuner(python)


FINE_TUNERS: dict[str, Row[Path, FineTuner]] = {
    "xtuner": Row("xtuner", N_("XTuner 0.2: full, LoRA and QLoRA, on a CPU or on GPUs."), _xtuner),
}
"""Name, also of the tool's environment -> how to get it, given that environment's interpreter."""


def _xtuner_reader(source: ReaderSource) -> SampleReader:
    from core.backends.tools.xtuner.encoding import reader

    return reader(source)


SAMPLE_READERS: dict[str, Row[ReaderSource, SampleReader]] = {
    "xtuner": Row(
        "xtuner",
        N_("What XTuner trains on, token by token."),
        _xtuner_reader,
        modules=("transformers", "tokenizers", "torch"),
    ),
}
"""Name of the trainer -> how its samples are read here, without its environment."""
