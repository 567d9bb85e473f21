"""The machine this process runs on: what it is called, and which GPUs its runs may use."""

from __future__ import annotations

import logging
import re
import socket
from functools import cached_property

from core.domain.run import Command
from core.errors import MissingToolError, ToolFailedError
from core.jobs.door import run_briefly
from core.settings import PROJECT, JobSettings, visible_gpus

_log = logging.getLogger(__name__)

_GPU = re.compile(r"^GPU (?P<index>\d+):")
_SLICE = re.compile(r"^\s+MIG .*\(UUID: (?P<uuid>MIG-[^)]+)\)")
_NO_GPU = ("-1", "NoDevFiles", "none", "void")


class Machine:
    """This machine, as the settings tell or as it says itself."""

    def __init__(self, settings: JobSettings) -> None:
        self._settings = settings
        self.name = (settings.host or socket.gethostname())[:64]

    @cached_property
    def gpus(self) -> tuple[str, ...]:
        """GPUs that runs may use, as CUDA_VISIBLE_DEVICES takes them; asked once."""
        if self._settings.gpus is not None:
            return self._settings.gpus
        visible = visible_gpus()
        if visible is not None:
            return tuple(one for part in visible.split(",") if (one := part.strip()) and one not in _NO_GPU)
        return parse_gpus(nvidia_smi("-L"))

    @cached_property
    def slots(self) -> dict[str, int]:
        """Queue -> how many runs of it a worker here executes at once; queues it leaves to others are not in it."""
        wanted = self._settings.queues.model_dump()
        if wanted["gpu"] is None:
            wanted["gpu"] = max(1, len(self.gpus))
        return {queue: at_once for queue, at_once in wanted.items() if at_once}


def parse_gpus(listing: str) -> tuple[str, ...]:
    """Return the GPUs that `nvidia-smi -L` lists; of one cut into slices (MIG) the slices, which work alone."""
    found: list[str] = []
    for line in listing.splitlines():
        if gpu := _GPU.match(line):
            found.append(gpu["index"])
        elif part := _SLICE.match(line):
            if found and not found[-1].startswith("MIG-"):
                found.pop()
            found.append(part["uuid"])
    return tuple(found)


def free_port(host: str) -> int:
    """Return a port of this machine on which nothing listens; nobody keeps it free until it is used."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def nvidia_smi(*arguments: str, patience: float = 30) -> str:
    """Return what NVIDIA's driver answers; nothing where there is none or it fails."""
    try:
        answer = run_briefly(Command(("nvidia-smi", *arguments), cwd=PROJECT), timeout=patience)
    except MissingToolError:
        return ""
    except ToolFailedError as failure:
        _log.warning("nvidia-smi: %s", failure)
        return ""
    return answer.stdout.decode(errors="replace") if answer.returncode == 0 else ""
