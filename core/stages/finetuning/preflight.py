"""What stands in a training's way and what it will need, said before it starts; nothing is loaded or written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.domain.finding import Finding
from core.domain.recipe import TINY
from core.errors import InvalidInputError, StudioError
from core.stages.finetuning.estimate import DiskEstimate, MemoryEstimate, Shape, disk, memory, tiny_shape
from core.stages.finetuning.settings import FinetuneSettings
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.recipe import Recipe
    from core.domain.text import DatasetVersion
    from core.jobs.capacity import Capacity
    from core.stages.finetuning.bases.inspecting import BaseReport

HOPELESS = 1.5
"""Times the memory there is at all: estimates may be wrong, but not by as much."""

_PACKED_AT_ONCE = 1000
"""Samples the trainer joins among themselves."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the trainer reads the training samples, or those of them that were drawn by lot."""

    losses: Sequence[Sequence[bool]]
    """Of each sample, for each token, whether the model learns to say it."""
    samples: int
    """How many samples there are."""
    broken_marks: tuple[str, ...] = ()
    """Marks of the chat form that the tokenizer knows no single token for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the training will do with its samples."""

    samples: int
    """Samples that teach something."""
    cut: int
    """Samples longer than the longest sequence."""
    lost: int
    """Samples of which no reply is left once they are cut."""
    measured: int
    """How many samples these figures rest on."""
    sequences: int
    """What one epoch is made of, after packing."""
    steps_per_epoch: int
    steps: int
    tokens_per_epoch: int
    effective_batch: int
    """Sequences whose gradients are summed before the weights change, on all devices."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """Findings, the worst first, and the figures; a figure that cannot be known is None."""

    findings: tuple[Finding, ...]
    memory: MemoryEstimate | None
    memory_free: int
    """Of the processor's memory, or of the GPU with the least free."""
    memory_total: int
    disk: DiskEstimate | None
    disk_free: int
    plan: Plan | None

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Return the findings that forbid the start."""
        return tuple(one for one in self.findings if one.blocking)

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "findings": [asdict(one) for one in self.findings],
            "memory": self.memory.plain() if self.memory else None,
            "memory_free": self.memory_free,
            "memory_total": self.memory_total,
            "disk": self.disk.plain() if self.disk else None,
            "disk_free": self.disk_free,
            "plan": asdict(self.plan) if self.plan else None,
        }


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a training would run."""

    machine: Capacity
    elsewhere: bool = False
    """Other machines have workers too, or a scheduler chooses one: what lacks here may be there."""
    written: int = 0
    """Bytes the run has written already."""


def preflight(
    settings: FinetuneSettings,
    version: DatasetVersion,
    base: BaseReport | None,
    reading: Reading | StudioError | None,
    around: Surroundings,
) -> Preflight:
    """Return what is known of a training before it starts.

    `base` is None for the tiny one; `reading` is the reader's refusal where it could not read the samples, None where
    nobody asked it.
    """
    recipe = settings.recipe()
    shape = tiny_shape(settings.tiny) if base is None else _shape(base)
    plan = _plan(reading, recipe) if isinstance(reading, Reading) and reading.losses else None
    needed = memory(shape, recipe) if shape else None
    room = disk(shape, recipe, builds_base=settings.base == TINY) if shape else None
    free, total = _memory_there(recipe, around.machine)
    findings = [
        *_about_base(settings, base),
        *_about_samples(version, reading, plan, recipe),
        *_about_devices(recipe, around),
        *(_about_memory(needed, free, total, around) if needed and total else ()),
        *(_about_disk(room, around) if room else ()),
    ]
    worst_first = tuple(sorted(findings, key=lambda one: not one.blocking))
    return Preflight(worst_first, needed, free, total, room, around.machine.disk_free, plan)


def require(found: Preflight) -> None:
    """Raise InvalidInputError with the remedy where something forbids the start."""
    for one in found.blocking:
        raise InvalidInputError(one.message, remedy=one.remedy, **one.values)


def _shape(base: BaseReport) -> Shape | None:
    sizes = (base.hidden, base.layers, base.heads, base.kv_heads, base.intermediate, base.vocabulary, base.parameters)
    return Shape(*sizes) if all(sizes) else None


def _plan(reading: Reading, recipe: Recipe) -> Plan:
    lengths = [len(one) for one in reading.losses]
    seen = [min(length, recipe.max_length) for length in lengths]
    teaching = [length for length, one in zip(seen, reading.losses, strict=True) if any(one[: recipe.max_length])]
    share = reading.samples / len(lengths)
    tokens = round(sum(teaching) * share)
    samples = round(len(teaching) * share)
    sequences = _packed(samples, tokens, recipe.max_length) if recipe.pack else samples
    devices = recipe.launcher.processes
    per_epoch = -(-sequences // (recipe.batch_size * devices))
    return Plan(
        samples=samples,
        cut=round(sum(length > recipe.max_length for length in lengths) * share),
        lost=round((len(lengths) - len(teaching)) * share),
        measured=len(lengths),
        sequences=sequences,
        steps_per_epoch=per_epoch,
        steps=recipe.max_steps or recipe.epochs * per_epoch,
        tokens_per_epoch=sequences * recipe.max_length if recipe.pack and sequences > 1 else tokens,
        effective_batch=recipe.batch_size * devices * recipe.optimizer.accumulate,
    )


def _packed(samples: int, tokens: int, length: int) -> int:
    """Return how many sequences the samples fill; the end of each lot is left over, unless it is all there is."""
    if not samples:
        return 0
    lots = -(-samples // _PACKED_AT_ONCE)
    return lots * max(1, tokens // lots // length)


def _about_base(settings: FinetuneSettings, base: BaseReport | None) -> Iterator[Finding]:
    if base is None:
        return
    for problem in base.problems:
        yield Finding(True, problem.message, problem.remedy, dict(problem.values))
    if base.needs_conversion:
        yield Finding(
            True,
            N_("{base} must be converted to the Llama form before it can be trained."),
            N_("Bring it in under Base models: that converts it and compares both forms."),
            {"base": settings.base},
        )
    if base.prompt_template and base.prompt_template != settings.prompt_template:
        yield Finding(
            False,
            N_("The base model was made for the chat form {own}, and will be trained with {chosen}."),
            N_("Choose {own} as the prompt template, unless you mean it."),
            {"own": base.prompt_template, "chosen": settings.prompt_template},
        )


def _about_samples(
    version: DatasetVersion, reading: Reading | StudioError | None, plan: Plan | None, recipe: Recipe
) -> Iterator[Finding]:
    if not version.train_samples or (isinstance(reading, Reading) and not reading.losses):
        yield Finding(
            True,
            N_("The dataset version {version} has no sample to train on."),
            N_("Build a version with more lines of the persona on the dataset page."),
            {"version": version.name},
        )
    if isinstance(reading, StudioError):
        yield Finding(False, reading.message, reading.remedy, reading.values)
    elif reading is not None and reading.broken_marks:
        yield Finding(
            False,
            N_("The base model's tokenizer has no tokens of their own for {marks}, which the chat form {form} uses."),
            N_("Choose the prompt template that belongs to this model."),
            {"marks": ", ".join(reading.broken_marks), "form": recipe.prompt_template},
        )
    if plan is not None:
        yield from _about_lengths(plan, recipe)


def _about_lengths(plan: Plan, recipe: Recipe) -> Iterator[Finding]:
    values = {"count": plan.cut, "lost": plan.lost, "total": plan.samples + plan.lost, "longest": recipe.max_length}
    if not plan.samples:
        yield Finding(
            True,
            N_("Of {total} samples none has a reply within the longest sequence of {longest} tokens."),
            N_("Make the longest sequence longer, or build a version with shorter samples."),
            values,
        )
    elif plan.lost:
        yield Finding(
            False,
            N_("{lost} of {total} samples lose every reply when they are cut at {longest} tokens, and teach nothing."),
            N_("Make the longest sequence longer if memory allows."),
            values,
        )
    elif plan.cut:
        yield Finding(
            False,
            N_("{count} of {total} samples are longer than {longest} tokens and are cut."),
            N_("Make the longest sequence longer if memory allows."),
            values,
        )


def _about_devices(recipe: Recipe, around: Surroundings) -> Iterator[Finding]:
    there, wanted = len(around.machine.gpus), recipe.launcher.devices
    if recipe.device != "gpu" or there >= wanted:
        return
    if not there:
        yield Finding(
            not around.elsewhere,
            N_("These settings need a GPU, and this machine has none."),
            N_("Choose the CPU preset, or start a worker on the GPU machine."),
        )
        return
    yield Finding(
        not around.elsewhere,
        N_("These settings need {wanted} GPUs, and this machine has {there}."),
        N_("Ask for fewer devices under Launcher, or start a worker on a machine with more."),
        {"wanted": wanted, "there": there},
    )


def _memory_there(recipe: Recipe, machine: Capacity) -> tuple[int, int]:
    """Return what is free and what there is at all, where the training will run; 0 where that is unknown."""
    if recipe.device == "cpu":
        return machine.memory_free, machine.memory_total
    if not machine.gpus:
        return 0, 0
    tightest = min(sorted(machine.gpus, key=lambda gpu: -gpu.free)[: recipe.launcher.devices], key=lambda gpu: gpu.free)
    return tightest.free, tightest.total


def _about_memory(needed: MemoryEstimate, free: int, total: int, around: Surroundings) -> Iterator[Finding]:
    values = {"needed": _gigabytes(needed.total), "free": _gigabytes(free), "total": _gigabytes(total)}
    remedy = N_("Make the batch or the longest sequence smaller, or choose qlora.")
    if needed.total > HOPELESS * total:
        message = N_("About {needed} GB of memory are needed, and there are only {total} GB at all.")
        yield Finding(not around.elsewhere, message, remedy, values)
    elif needed.total > free:
        yield Finding(False, N_("About {needed} GB of memory are needed, and {free} GB are free."), remedy, values)
    if needed.host > around.machine.memory_free:
        yield Finding(
            False,
            N_("Beside the GPU about {needed} GB of the machine's own memory are needed, and {free} GB are free."),
            N_("Checkpoints are put together there: train an adapter instead of the full model, or free memory."),
            {"needed": _gigabytes(needed.host), "free": _gigabytes(around.machine.memory_free)},
        )


def _about_disk(room: DiskEstimate, around: Surroundings) -> Iterator[Finding]:
    missing = room.total - around.written
    if missing > around.machine.disk_free:
        yield Finding(
            True,
            N_("The run will write about {needed} GB, and {free} GB are free on the disk."),
            N_("Free some space, or keep fewer checkpoints."),
            {"needed": _gigabytes(missing), "free": _gigabytes(around.machine.disk_free)},
        )


def _gigabytes(count: int) -> float:
    return round(count / 1e9, 1 if count >= 1e8 else 2)
