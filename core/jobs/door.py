"""The one door to other programs.

A long program is started through `launcher.py` in a session of its own and is known by its folder: any
process can find it there, follow it and stop it, also after the one that started it was killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.domain.run import Command, CommandResult
from core.errors import MissingToolError, ToolFailedError
from core.settings import inherited_environment
from core.translation import N_

COMMANDS = "commands"
"""Folder below a run's, in which each of its programs has one."""

_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class BriefResult:
    """What a short program said."""

    returncode: int
    stdout: bytes
    stderr: bytes


def run_briefly(command: Command, *, stdin: bytes = b"", timeout: float) -> BriefResult:
    """Run a short program to its end; ToolFailedError when it takes longer than `timeout` seconds."""
    argv = _resolved(command)
    environment = {**inherited_environment(), **command.env}
    with subprocess.Popen(
        argv,
        cwd=command.cwd,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as program:
        try:
            out, err = program.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            raise ToolFailedError(
                N_("{program} gave no answer within {seconds:g} seconds."),
                remedy=N_("Try again when the machine is less busy."),
                program=Path(argv[0]).name,
                seconds=timeout,
            ) from None
    return BriefResult(program.returncode, out, err)


class Process:
    """A program started (or to be started) in a folder of its own."""

    def __init__(self, folder: Path, *, host: str = "") -> None:
        """`host` names this machine, for folders that several machines share."""
        self._folder = folder
        self._host = host

    def start(self, command: Command, *, log: Path) -> None:
        """Start the program; its output is appended to `log`, which others may write to as well."""
        argv = _resolved(command)
        self._folder.mkdir(parents=True, exist_ok=True)
        for stale in ("exit.json", "process.json"):
            (self._folder / stale).unlink(missing_ok=True)
        spec = {"argv": argv, "cwd": str(command.cwd), "env": dict(command.env), "pty": command.pty, "log": str(log)}
        spec["host"] = self._host
        (self._folder / "command.json").write_text(json.dumps(spec), encoding="utf-8")
        launcher = subprocess.Popen(
            # -P: the launcher imports the standard library only, and a `queue.py` of ours lies beside it
            [sys.executable, "-S", "-P", str(_LAUNCHER), str(self._folder)],
            env=inherited_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._wait_for_start(launcher)

    def alive(self) -> bool:
        """Whether the program, or the launcher that watches it, still runs."""
        return self._locked() or self._orphan() is not None

    def elsewhere(self) -> str | None:
        """Return the other machine on which the program was started, if nobody has seen it end."""
        host = str((_read(self._folder / "process.json") or {}).get("host", ""))
        if not (host and self._host) or host == self._host or (self._folder / "exit.json").exists():
            return None
        return host

    def processor_seconds(self) -> float:
        """Return how long it and what it started have computed so far; a wait for the disk counts as computing.

        0 when it does not run.
        """
        pid = self._pid()
        if pid is None:
            return 0.0
        try:
            parts = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0.0
        return sum(_computed(one) for one in parts)

    def result(self) -> CommandResult | None:
        """Return how the program ended; None while it runs, or when nobody was there to see its end."""
        content = _read(self._folder / "exit.json")
        return CommandResult(int(content["returncode"]), float(content["seconds"])) if content else None

    def room(self) -> int:
        """Return how many bytes were free on its disk when the program ended; now, if nobody saw its end."""
        content = _read(self._folder / "exit.json") or {}
        return int(content.get("room", shutil.disk_usage(self._folder).free))

    def stop(self, *, grace: float) -> None:
        """End the program with everything it started: SIGTERM, and after `grace` seconds SIGKILL."""
        for signum, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            if (pid := self._pid()) is None or not self.alive():
                return
            with suppress(ProcessLookupError):
                os.killpg(pid, signum)
            _wait_until(lambda: not self.alive(), seconds)

    def _pid(self) -> int | None:
        content = _read(self._folder / "process.json")
        return int(content["pid"]) if content and not self.elsewhere() else None

    def _locked(self) -> bool:
        lock = self._folder / "lock"
        if not lock.exists():
            return False
        with lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _orphan(self) -> psutil.Process | None:
        """Return the program whose launcher was killed; a reused pid is told by its start time."""
        spec, pid = self._folder / "process.json", self._pid()
        if pid is None or (self._folder / "exit.json").exists():
            return None
        try:
            program = psutil.Process(pid)
            ours = program.create_time() <= spec.stat().st_mtime + 1 and program.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return program if ours else None

    def _wait_for_start(self, launcher: subprocess.Popen[bytes]) -> None:
        def settled() -> bool:
            # poll() also reaps the launcher of a program that ended at once
            return launcher.poll() is not None or (self._folder / "process.json").exists()

        _wait_until(settled, 30.0)
        _reap_later(launcher)


def processes_in(run_folder: Path, host: str) -> list[Process]:
    """Return the programs that a run has started, ended ones too."""
    return [Process(folder, host=host) for folder in sorted((run_folder / COMMANDS).glob("*"))]


def _computed(process: psutil.Process) -> float:
    try:
        if process.status() == psutil.STATUS_DISK_SLEEP:
            return time.monotonic()
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


_launched: list[subprocess.Popen[bytes]] = []


def _reap_later(launcher: subprocess.Popen[bytes]) -> None:
    """Keep the handle, so that ended launchers are collected instead of staying zombies."""
    _launched[:] = [one for one in _launched if one.poll() is None]
    _launched.append(launcher)


@contextmanager
def only_one(lock: Path) -> Iterator[bool]:
    """Hold a lock while the block runs; yields False when another process holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _resolved(command: Command) -> list[str]:
    program = shutil.which(command.argv[0], path=command.env.get("PATH"))
    if program is None:
        raise MissingToolError(
            N_("The program {program} is not there."),
            remedy=N_("Run `python -m core doctor`; it says what is missing and how to get it."),
            program=command.argv[0],
        )
    return [program, *command.argv[1:]]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content


def _wait_until(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
