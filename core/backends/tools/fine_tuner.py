"""What a trainer of language models is to the stages, what prepares its base models, and what reads as it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from core.domain.recipe import FineTuning, TinyBase
    from core.domain.run import Command
    from core.errors import StudioError

CONVERSATIONS = "conversations.json"
"""Name of the training file in the run's folder, in the trainer's format."""

BOOK = "book.txt"
"""Name of what a tiny base model reads beside it: a passage a line."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one line of a trainer's log says about how far it is."""

    step: int
    steps: int
    loss: float | None
    seconds_left: float | None = None
    """Till the last step, as the trainer itself foresees it."""


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
        """Build the tiny base model in `work.base` from `CONVERSATIONS` of the folder, and `BOOK` if that is there."""
        ...

    def prepare(self, work: FineTuning) -> Path:
        """Write what the trainer reads and return its configuration file."""
        ...

    def by_hand(self, work: FineTuning) -> str:
        """Return the line that trains by the same configuration from a shell in the run's folder."""
        ...

    def on_other_machines(self, work: FineTuning) -> str | None:
        """Return the line that somebody must start on the other machines, where there are such."""
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

    def adapter(self, work: FineTuning) -> Path:
        """Return the folder the adapter lies in; only for methods that make one."""
        ...

    def merged(self, work: FineTuning) -> Path:
        """Return the folder the finished model lies in."""
        ...

    def try_out(self, work: FineTuning, models: Mapping[str, Path], held_out: list[dict[str, Any]]) -> Command:
        """Load the models as the app will, let them answer the questions, measure the held-out loss."""
        ...

    def trial(self, work: FineTuning) -> dict[str, Any]:
        """Return what `try_out` found: model name -> `parameters`, `answers`, `held_out_loss` (nats per token of the
        replies) and `held_out_nats_per_character` (the same sum, an end of a reply counting as a character)."""
        ...

    def quantise(self, work: FineTuning, copy: Path, held_out: list[dict[str, Any]]) -> Command:
        """Squeeze the model in `work.base` to 4 bits in `copy`, load it again, and measure both as `try_out` does."""
        ...

    def quantised(self, work: FineTuning) -> dict[str, Any]:
        """Return what `quantise` found: of `model` and `copy` a trial's figures and `bytes`; `versions`, `device`."""
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

    def probes(self, work: FineTuning, after: int = 0) -> list[tuple[int, list[str]]]:
        """Return (step, answers to the questions) for every round above `after`, in order."""
        ...

    def explain(self, log: str) -> StudioError | None:
        """Return what went wrong and what to do, if the end of the log is one of the known troubles."""
        ...


@dataclass(frozen=True, slots=True)
class BaseComparison:
    """How alike a converted base model is to the one it was made from."""

    equal: bool
    """Within what the number format allows, and every token id the same."""
    logits_difference: float
    """Largest absolute difference of the logits, computed in float32."""
    logits_scale: float
    """Largest absolute logit, to read the difference by."""
    texts: int
    """Texts whose token ids were compared."""
    unequal_texts: tuple[str, ...]
    """Those that came out otherwise."""


class BaseConverter(Protocol):
    """Brings a checkpoint that would want code of its own into the Llama form, tokenizer included, and proves it."""

    def convert(self, source: Path, target: Path, folder: Path) -> Command:
        """Write `source` in the Llama form to `target`, within bounded memory; `folder` is the run's."""
        ...

    def compare(self, source: Path, target: Path, folder: Path) -> Command:
        """Send the same tokens through both forms and the same texts through both tokenizers."""
        ...

    def comparison(self, folder: Path) -> BaseComparison:
        """Return what `compare` found."""
        ...

    def read_line(self, line: str) -> StepReport | None:
        """Return how far `convert` or `compare` is, where a line says so."""
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

    def broken_marks(self) -> list[str]:
        """Return the marks of the chat form, e.g. `<|im_end|>`, that the tokenizer knows no single token for."""
        ...


@dataclass(frozen=True, slots=True)
class ReaderSource:
    """What a reader is made for."""

    folder: Path | None
    """The base model's; None for the tiny one that would be built from the conversations."""
    template: str
    conversations: Sequence[Mapping[str, Any]] = ()
    vocabulary: int = 4000
