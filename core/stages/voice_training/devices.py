"""The GPUs a run holds, as GPT-SoVITS takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from core.errors import InvalidInputError
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext


def held_gpus(device: Literal["cpu", "gpu"], count: int, context: RunContext) -> tuple[str, ...]:
    """Wait for so many GPUs and return their numbers; none at all for a CPU. InvalidInputError for a slice of one."""
    if device == "cpu":
        return context.gpus(0)
    held = context.gpus(count)
    if nameless := [gpu for gpu in held if not gpu.isdecimal()]:
        raise InvalidInputError(
            N_("GPT-SoVITS takes GPUs by their number, and {gpu} has none."),
            remedy=N_("Name GPUs by number in configs/app.yaml (jobs.gpus); a slice of a GPU cannot be used."),
            gpu=nameless[0],
        )
    return held


def held_gpu(device: Literal["cpu", "gpu"], context: RunContext) -> str:
    """Hold the one GPU that a server needs and return its number; nothing for a CPU."""
    return next(iter(held_gpus(device, 1, context)), "")
