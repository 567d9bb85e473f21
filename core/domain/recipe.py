"""How a model is to be trained, in the field's words and in no particular trainer's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from core.domain.section import Section
from core.translation import N_

Method = Literal["full", "lora", "qlora"]
Precision = Literal["float32", "float16", "bfloat16"]

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")

TINY = "tiny"
"""The base model that is built on the spot; its tokenizer is learnt from the training samples."""

_SLURM_OPTION = re.compile(r"^--?[A-Za-z][\w-]*(=\S.*)?$")


class Adapter(Section):
    """The small addition that lora and qlora train instead of the model itself."""

    rank: int = Field(
        default=64,
        ge=1,
        description="Width of the adapter (LoRA r). A wider one can learn more, needs more memory, and learns a small "
        "dataset by heart sooner.",
    )
    alpha: int = Field(
        default=64,
        ge=1,
        description="How loud the adapter speaks (LoRA alpha): what it adds is multiplied by alpha / rank. Raising it "
        "acts like raising the learning rate.",
    )
    dropout: float = Field(
        default=0.05,
        ge=0,
        lt=1,
        description="Share of the adapter's input left out at random in every step; guards against learning by heart.",
    )
    target_modules: tuple[str, ...] = Field(
        default=ATTENTION + MLP,
        min_length=1,
        description="Layers that get an adapter, by their names in the model, one a line. Keep the output head out.",
    )


class Optimizer(Section):
    """How the weights are moved."""

    warmup_ratio: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of the training in which the learning rate rises to its full height; then it falls to zero.",
    )
    weight_decay: float = Field(
        default=0.0, ge=0, description="Pull of all trained weights towards zero; 0 for none, 0.01 is common."
    )
    max_grad_norm: float = Field(
        default=1.0, gt=0, description="Longest step that one batch may ask for; longer gradients are shortened to it."
    )
    accumulate: int = Field(
        default=1,
        ge=1,
        description="Batches that are added up before the weights move: a larger batch without more memory.",
    )


class Intervals(Section):
    """How often what happens."""

    save_every: int = Field(
        default=50,
        ge=1,
        description="Steps between checkpoints. A stopped or broken training goes on at the last one.",
    )
    keep_checkpoints: int = Field(
        default=2, ge=2, description="Checkpoints kept; older ones are removed. Each takes room on the disk."
    )
    log_every: int = Field(default=5, ge=1, description="Steps between two points of the curves.")
    probe_every: int = Field(
        default=50,
        ge=1,
        description="Steps between two rounds of probe questions; they are asked at every checkpoint as well.",
    )
    probe_tokens: int = Field(default=40, ge=1, description="Longest answer to a probe question, in tokens.")


class Launcher(Section):
    """On how many devices and machines a training runs, and what starts it there."""

    devices: int = Field(
        default=1,
        ge=1,
        le=64,
        description="GPUs used on each machine. On a CPU so many processes, to try it out without a GPU.",
    )
    machines: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Machines that train together. All need this workspace at the same path, e.g. on a shared disk.",
    )
    scheduler: Literal["torchrun", "slurm"] = Field(
        default="torchrun",
        description="What starts the processes: torchrun starts those of this machine, and you start the others with "
        "the script that the run leaves for them; Slurm starts them all.",
    )
    rendezvous: str = Field(
        default="",
        pattern=r"^([\w.-]+:\d{1,5})?$",
        description="Where several machines meet under torchrun: this machine's address and a free port, host:port.",
    )
    slurm_options: tuple[str, ...] = Field(
        default=(), max_length=20, description="More options for srun, one a line, e.g. --partition=gpu."
    )
    deepspeed: Literal[
        "",
        "deepspeed_zero1",
        "deepspeed_zero2",
        "deepspeed_zero2_offload",
        "deepspeed_zero3",
        "deepspeed_zero3_offload",
    ] = Field(
        default="",
        description="Share the memory out over the GPUs with DeepSpeed; empty for not at all. zero1: the optimizer, "
        "zero2: gradients too, zero3: weights too; offload moves a part to the computer's own memory. "
        "XTuner's environment must have deepspeed.",
    )

    @model_validator(mode="after")
    def _can_start(self) -> Launcher:
        if self.machines > 1 and self.scheduler == "torchrun" and not self.rendezvous:
            raise ValueError(
                N_("Several machines under torchrun need a rendezvous: this machine's address and a port.")
            )
        if not all(_SLURM_OPTION.match(option) for option in self.slurm_options):
            raise ValueError(N_("An option for srun begins with a dash and stands on a line of its own."))
        return self

    @property
    def processes(self) -> int:
        """How many processes train together, on all machines."""
        return self.devices * self.machines


class Recipe(Section):
    """Everything that decides the weights, apart from data and base; the defaults suit the tiny model on a CPU."""

    method: Method = Field(
        default="qlora",
        description="What is trained: full changes every weight; lora adds a small adapter and leaves the base alone; "
        "qlora does the same on a base squeezed to 4 bits, which needs the least memory.",
    )
    max_steps: int = Field(default=150, ge=0, description="Training steps; 0 counts epochs instead.")
    epochs: int = Field(default=3, ge=1, description="How often the whole dataset is read, where steps are 0.")
    learning_rate: float = Field(
        default=4e-3,
        gt=0,
        le=1,
        description="How far one step moves the weights. Too large, and the loss jumps or runs off; too small, and "
        "nothing is learned. Usual for larger models: 2e-4 with an adapter, 2e-5 without.",
    )
    batch_size: int = Field(
        default=4,
        ge=1,
        description="Sequences that one device reads in one step. The first thing to halve when memory is short.",
    )
    max_length: int = Field(
        default=256,
        ge=16,
        description="Longest sequence, in tokens. What is longer is cut off; longer needs more memory.",
    )
    pack: bool = Field(
        default=True,
        description="Join samples until a sequence is full: faster, but a sample can see its neighbour before it.",
    )
    prompt_template: str = Field(
        default="internlm2_chat",
        pattern=r"^[a-z0-9_]+$",
        description="Chat form that the base model was made with, by XTuner's name for it.",
    )
    device: Literal["cpu", "gpu"] = Field(default="cpu", description="Where the training runs.")
    precision: Precision = Field(
        default="float32",
        description="Number format of the computation. On a CPU float32; on a GPU bfloat16, or float16 on an old one.",
    )
    threads: int = Field(
        default=1, ge=1, description="Processor threads of each process; one is best for the tiny model."
    )
    seed: int = Field(default=42, ge=0, description="The same seed, data and settings give the same model.")
    adapter: Adapter = Field(default=Adapter(), description="The adapter, where the method makes one.")
    optimizer: Optimizer = Field(default=Optimizer(), description="How the weights are moved.")
    intervals: Intervals = Field(default=Intervals(), description="How often what happens.")
    launcher: Launcher = Field(default=Launcher(), description="On how many devices and machines it runs.")

    @model_validator(mode="after")
    def _fits_the_device(self) -> Recipe:
        if self.device == "cpu" and self.precision != "float32":
            raise ValueError(N_("A CPU computes in float32: choose that, or the GPU as device."))
        if self.device == "cpu" and self.launcher.deepspeed:
            raise ValueError(N_("DeepSpeed needs GPUs: leave it empty, or choose the GPU as device."))
        return self

    @property
    def makes_adapter(self) -> bool:
        """Whether the training yields an adapter beside the base, to be merged."""
        return self.method != "full"


class TinyBase(Section):
    """The base model that is built on the spot where none is given."""

    reads: Literal["lines", "book"] = Field(
        default="book",
        description="What it reads before the fine-tuning: the lines of the training samples, or the persona's book "
        "as well, without the chapters kept for evaluation.",
    )
    steps: int = Field(default=500, ge=0, description="Steps of plain reading before the fine-tuning.")
    hidden: int = Field(default=128, ge=32, multiple_of=32, description="Width of the model.")
    layers: int = Field(default=2, ge=1, description="Depth of the model.")
    vocabulary: int = Field(default=4000, ge=512, description="Most tokens its tokenizer may learn.")


class FineTuning(Section):
    """One training as a trainer gets it; every file of it lies in `folder`."""

    folder: Path
    base: Path
    """The base model's folder; relative to `folder` when it was built there."""
    recipe: Recipe
    system: str = ""
    questions: tuple[str, ...] = ()
