"""How much memory and disk this machine has free, and each of its GPUs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.domain.run import Command
from core.errors import StudioError
from core.jobs.door import run_briefly

_QUESTION = ("nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
_PATIENCE = 10.0
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """A GPU's memory, in bytes."""

    name: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """Bytes that are there and bytes that nobody uses now."""

    memory_total: int
    memory_free: int
    disk_free: int
    gpus: tuple[GpuMemory, ...] = ()


def capacity(folder: Path) -> Capacity:
    """Look at this machine; the disk is the one `folder` lies on. GPUs are those that NVIDIA's driver names."""
    memory = psutil.virtual_memory()
    return Capacity(memory.total, memory.available, shutil.disk_usage(folder).free, _gpus(folder))


def gpus_in(answer: str) -> tuple[GpuMemory, ...]:
    """Return the GPUs that `nvidia-smi` names, one a line; one that tells no memory is left out."""
    found = []
    for line in answer.splitlines():
        name, _comma, numbers = line.partition(",")
        total, _comma, free = (part.strip() for part in numbers.partition(","))
        if total.isdecimal() and free.isdecimal():
            found.append(GpuMemory(name.strip(), int(total) * _MEBIBYTE, int(free) * _MEBIBYTE))
    return tuple(found)


def _gpus(folder: Path) -> tuple[GpuMemory, ...]:
    if shutil.which(_QUESTION[0]) is None:
        return ()
    try:
        answer = run_briefly(Command(_QUESTION, folder), timeout=_PATIENCE)
    except StudioError:
        return ()
    return gpus_in(answer.stdout.decode(errors="replace")) if answer.returncode == 0 else ()
