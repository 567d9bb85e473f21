"""What a process may use of the machine, set by itself before it touches what a stranger sent."""

from __future__ import annotations

import resource
from contextlib import suppress


def limit_this_process(*, cpu_seconds: int, memory: int) -> None:
    """Bound this process's processor time (seconds) and address space (bytes) for good, and let it leave no core file.

    Past the time it is killed; past the memory an allocation fails. For a process that reads a single file, then ends.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    with suppress(ValueError, OSError):  # not every system lets a process bound its own memory
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
