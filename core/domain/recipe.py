"""How a model is to be trained, in the field's words and in no particular trainer's."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Method = Literal["full", "lora", "qlora"]
Precision = Literal["float32", "float16", "bfloat16"]

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Adapter(_Section):
    """The small addition that lora and qlora train instead of the model itself."""

    rank: int = Field(default=64, ge=1, description="Width of the adapter (LoRA r): more learns more and weighs more.")
    alpha: int = Field(default=64, ge=1, description="Weight of the adapter (LoRA alpha), relative to its width.")
    dropout: float = Field(default=0.05, ge=0, lt=1, description="Share of the adapter left out at random in training.")
    target_modules: tuple[str, ...] = Field(
        default=ATTENTION + MLP, min_length=1, description="Layers that get an adapter; the output head stays out."
    )


class Optimizer(_Section):
    """How the weights are moved."""

    warmup_ratio: float = Field(default=0.1, ge=0, lt=1, description="Share of the training in which the rate rises.")
    weight_decay: float = Field(default=0.0, ge=0, description="Pull of the weights towards zero.")
    max_grad_norm: float = Field(default=1.0, gt=0, description="Longer gradients are cut to this length.")
    accumulate: int = Field(default=1, ge=1, description="Steps whose gradients are summed before the weights change.")


class Intervals(_Section):
    """How often what happens."""

    save_every: int = Field(default=50, ge=1, description="Steps between checkpoints; a resume starts at the last one.")
    keep_checkpoints: int = Field(default=2, ge=2, description="Checkpoints kept; older ones are removed.")
    log_every: int = Field(default=5, ge=1, description="Steps between two points of the curves.")
    probe_every: int = Field(default=50, ge=1, description="Steps between two rounds of probe questions.")
    probe_tokens: int = Field(default=40, ge=1, description="Longest answer to a probe question, in tokens.")


class Recipe(_Section):
    """Everything that decides the weights, apart from data and base; the defaults suit the tiny model on a CPU."""

    method: Method = Field(
        default="qlora",
        description="What is trained: full changes every weight; lora adds a small adapter and leaves the base alone; "
        "qlora does the same on a base squeezed to 4 bits, which needs the least memory.",
    )
    max_steps: int = Field(default=150, ge=0, description="Training steps; 0 counts epochs instead.")
    epochs: int = Field(default=3, ge=1, description="Times the whole dataset is read, where steps are 0.")
    learning_rate: float = Field(default=4e-3, gt=0, le=1, description="Step width; too large makes the loss jump.")
    batch_size: int = Field(default=4, ge=1, description="Sequences in one step on one device.")
    max_length: int = Field(default=256, ge=16, description="Longest sequence, in tokens; longer samples are cut.")
    pack: bool = Field(default=True, description="Join short samples until a sequence is full; trains faster.")
    prompt_template: str = Field(
        default="internlm2_chat",
        pattern=r"^[a-z0-9_]+$",
        description="Chat form of the base model, by XTuner's name for it.",
    )
    device: Literal["cpu", "gpu"] = Field(default="cpu", description="Where the training runs.")
    precision: Precision = Field(default="float32", description="Number format of the computation; float32 on a CPU.")
    threads: int = Field(default=1, ge=1, description="Processor threads; one is best for the tiny model.")
    seed: int = Field(default=42, ge=0, description="The same seed, data and settings give the same model.")
    adapter: Adapter = Field(default=Adapter(), description="The adapter, where the method makes one.")
    optimizer: Optimizer = Field(default=Optimizer(), description="How the weights are moved.")
    intervals: Intervals = Field(default=Intervals(), description="How often what happens.")

    @property
    def makes_adapter(self) -> bool:
        """Whether the training yields an adapter beside the base, to be merged."""
        return self.method != "full"


class TinyBase(_Section):
    """The base model that is built on the spot where none is given."""

    steps: int = Field(default=500, ge=0, description="Steps of plain reading before the fine-tuning.")
    hidden: int = Field(default=128, ge=32, multiple_of=32, description="Width of the model.")
    layers: int = Field(default=2, ge=1, description="Depth of the model.")
    vocabulary: int = Field(default=4000, ge=512, description="Most tokens its tokenizer may learn.")


class FineTuning(_Section):
    """One training as a trainer gets it; every file of it lies in `folder`."""

    folder: Path
    base: Path
    """The base model's folder; relative to `folder` when it was built there."""
    recipe: Recipe
    system: str = ""
    questions: tuple[str, ...] = ()
