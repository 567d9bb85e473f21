"""Stands between us and a started program: outlives us, and writes down how the program ended.

Run as a script with the program's folder as its argument; imports the standard library only, so it starts
in milliseconds. It holds a lock on `<folder>/lock` for as long as it lives: who can take that lock knows
that nothing runs there. It writes `process.json` when the program has started and `exit.json` last.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import IO

_COLUMNS = "200"
"""Wide enough that progress bars keep to one line."""

_RESERVED = 512
"""Bytes kept for what is written about a program."""


def main(folder: Path) -> int:
    """Run the program described by `command.json` to its end."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # another launcher was first: the program is already running
        spec = json.loads((folder / "command.json").read_text(encoding="utf-8"))
        _reserve(folder / "process.json")  # a full disk must not hide a program that runs, nor how it ended
        _reserve(folder / "exit.json")
        started = time.time()
        returncode = _run(folder, spec)
        room = shutil.disk_usage(folder).free
        _write(folder / "exit.json", {"returncode": returncode, "seconds": time.time() - started, "room": room})
    return 0


def _run(folder: Path, spec: dict[str, object]) -> int:
    environment = {**os.environ, **dict(spec["env"])}  # type: ignore[call-overload]
    with Path(str(spec["log"])).open("ab", buffering=0) as log:
        try:
            return _spawn(folder, spec, environment, log)
        except OSError as error:
            log.write(f"{error}\n".encode())
            return 127


def _spawn(folder: Path, spec: dict[str, object], environment: dict[str, str], log: IO[bytes]) -> int:
    ours, theirs = pty.openpty() if spec["pty"] else (None, None)
    if theirs is not None:
        environment.update(TERM="xterm", COLUMNS=_COLUMNS)
    program = subprocess.Popen(
        list(spec["argv"]),  # type: ignore[call-overload]
        cwd=str(spec["cwd"]),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log if theirs is None else theirs,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )

    def forward(signum: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signum)

    # A handler of our own rather than "ignore": the program must not inherit an ignored signal.
    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)
    _write(folder / "process.json", {"launcher": os.getpid(), "pid": program.pid, "host": spec["host"]})
    if ours is not None and theirs is not None:
        os.close(theirs)
        with contextlib.suppress(OSError):  # Linux reports the end of a terminal as an I/O error
            while chunk := os.read(ours, 65536):
                with contextlib.suppress(OSError):  # a full disk costs lines, not the program
                    log.write(chunk)
        os.close(ours)
    returncode = program.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)  # what the program left behind in its group
    return returncode


def _reserve(path: Path) -> None:
    path.with_suffix(".draft").write_text(" " * _RESERVED, encoding="utf-8")


def _write(path: Path, content: dict[str, object]) -> None:
    """Write into the room that was reserved."""
    draft = path.with_suffix(".draft")
    with draft.open("r+", encoding="utf-8") as file:
        file.write(json.dumps(content).ljust(_RESERVED))
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
