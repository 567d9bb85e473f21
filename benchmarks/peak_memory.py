"""Runs a program and looks fifty times a second how much memory it holds."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from core.domain.run import Command
from core.settings import inherited_environment


def peak(command: Command, held: Callable[[int], int]) -> int:
    """Run a program to its end and return the most that `held` found of its process, in bytes.

    What it says is kept in `log.txt` of its folder; its end is printed where the program fails.
    """
    environment = {**inherited_environment(), **command.env}
    most = 0
    with (
        (command.cwd / "log.txt").open("wb") as log,
        subprocess.Popen(command.argv, cwd=command.cwd, env=environment, stdout=log, stderr=log) as program,
    ):
        while program.poll() is None:
            most = max(most, held(program.pid))
            time.sleep(0.02)
    if program.returncode:
        raise SystemExit((command.cwd / "log.txt").read_text(errors="replace")[-3000:])
    return most
