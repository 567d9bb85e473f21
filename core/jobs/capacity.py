"""How much memory and disk this machine has free, and each of its GPUs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.jobs.machine import nvidia_smi

_QUESTION = ("--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
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
    gpus = gpus_in(nvidia_smi(*_QUESTION, patience=_PATIENCE))
    return Capacity(memory.total, memory.available, shutil.disk_usage(folder).free, gpus)


def gpus_in(answer: str) -> tuple[GpuMemory, ...]:
    """Return the GPUs that `nvidia-smi` names, one a line; one that tells no memory is left out."""
    found = []
    for line in answer.splitlines():
        name, _comma, numbers = line.partition(",")
        total, _comma, free = (part.strip() for part in numbers.partition(","))
        if total.isdecimal() and free.isdecimal():
            found.append(GpuMemory(name.strip(), int(total) * _MEBIBYTE, int(free) * _MEBIBYTE))
    return tuple(found)
