"""Other people's programs, each in an environment of its own; a backend translates and runs nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.backends.rows import Row
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.recipe import FineTuning, TinyBase
    from core.domain.run import Command
    from core.domain.voice_training import VoiceRecipe, VoiceServing, VoiceTraining
    from core.errors import StudioError


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


@dataclass(frozen=True, slots=True)
class Checkout:
    """A program that people fetch themselves, and the interpreter of the environment they made for it."""

    folder: Path
    python: Path


class FileState(StrEnum):
    """What was found of a file that a program needs."""

    THERE = "there"
    MISSING = "missing"
    ODD = "odd"
    """There, but its size is far from what it should be: perhaps half a download."""


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A pretrained file that a model needs."""

    path: str
    """Relative to the checkout."""
    state: FileState
    size: int
    expected: int | None
    """Bytes; None where any size will do."""
    trains: bool
    """Whether training needs it."""
    speaks: bool
    """Whether speaking needs it."""


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What is there of one version of the model."""

    version: str
    files: tuple[NeededFile, ...]

    def missing(self, *, speaking: bool = False) -> tuple[str, ...]:
        """Return the files that training, or speaking, cannot do without and are not there."""
        wanted = (one for one in self.files if (one.speaks if speaking else one.trains))
        return tuple(one.path for one in wanted if one.state is FileState.MISSING)

    @property
    def odd(self) -> tuple[str, ...]:
        """The files whose size is not what it should be; they may be right all the same."""
        return tuple(one.path for one in self.files if one.state is FileState.ODD)


@dataclass(frozen=True, slots=True)
class CheckoutReport:
    """What was found of a checkout and its environment."""

    problems: tuple[StudioError, ...]
    """What stands in the way of every model, each with its remedy."""
    commit: str
    """Empty where the folder is no git checkout."""
    versions: Mapping[str, str] = field(default_factory=dict)
    gpus: tuple[str, ...] = ()
    """Names of the GPUs its environment sees; without one it computes on the processor."""
    models: tuple[ModelReport, ...] = ()
    sources: str = ""
    """Where upstream says to get the files, marked for translation."""

    @property
    def fine(self) -> bool:
        """Whether the program starts; which models are there is another question."""
        return not self.problems


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

    def explain(self, log: str) -> StudioError | None:
        """Return what went wrong and what to do, if the end of the log is one of the known troubles."""
        ...


CONVERSATIONS = "conversations.json"
"""Name of the training file in the run's folder, in the trainer's format."""

BOOK = "book.txt"
"""Name of what a tiny base model reads beside it: a passage a line."""


def _xtuner(python: Path) -> FineTuner:
    from core.backends.tools.xtuner import XTuner

    return XTuner(python)


FINE_TUNERS: dict[str, Row[Path, FineTuner]] = {
    "xtuner": Row("xtuner", N_("XTuner 0.2: full, LoRA and QLoRA, on a CPU or on GPUs."), _xtuner),
}
"""Name, also of the tool's environment -> how to get it, given that environment's interpreter."""


def _internlm2(python: Path) -> BaseConverter:
    from core.backends.tools.xtuner.conversion import InternLM2Conversion

    return InternLM2Conversion(python)


BASE_CONVERTERS: dict[str, Row[Path, BaseConverter]] = {
    "internlm2": Row(
        "internlm2", N_("InternLM2 and InternLM2.5, compared with the code in XTuner's wheel."), _internlm2
    ),
}
"""`model_type` of a checkpoint -> how to convert it, given the interpreter of XTuner's environment."""


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


def _gpt_sovits(checkout: Checkout) -> VoiceTrainer:
    from core.backends.tools.gpt_sovits import GptSovits

    return GptSovits(checkout)


VOICE_TRAINERS: dict[str, Row[Checkout, VoiceTrainer]] = {
    "gpt-sovits": Row("gpt-sovits", N_("GPT-SoVITS v2 to v4, from a checkout of your own."), _gpt_sovits),
}
"""Name -> how to get it, given where its checkout and its interpreter are."""
