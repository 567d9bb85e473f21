"""What a stage sees of the run it works for: progress, log, metrics, steps, and the door to programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from core.domain.run import Command, CommandResult, Progress, Run
from core.errors import RunCancelledError, ToolFailedError
from core.jobs.door import Process
from core.store import Store
from core.translation import N_

T = TypeVar("T")

_WRITE_EVERY = 0.5
"""Seconds between two writes of progress; the store is shared."""

_OURS = "» "
"""Begins the lines we write to a run's log ourselves, between those of its programs."""


class Durable(Protocol):
    """Runs a step so that its result is remembered; a durable queue provides it."""

    def __call__(self, name: str, step: Callable[[], T]) -> T:
        """Return the step's result, remembered or fresh."""
        ...


def at_once(name: str, step: Callable[[], T]) -> T:
    """Run a step without remembering it, for runs outside a worker."""
    return step()


class RunContext:
    """One run, seen from inside."""

    def __init__(
        self, run: Run, *, store: Store, folder: Path, durable: Durable = at_once, poll: float = 0.5, grace: float = 10
    ) -> None:
        self.run = run
        self.folder = folder
        self._store = store
        self._durable = durable
        self._poll = poll
        self._grace = grace
        self._written = 0.0
        self._began = time.monotonic()
        self._began_at: float | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._points = _points_in(self._metrics_file)

    def log(self, line: str) -> None:
        """Append a line to the run's log."""
        moment = datetime.now(UTC).strftime("%H:%M:%S")
        with self._log_file.open("a", encoding="utf-8") as log:
            log.write(f"{_OURS}{moment} {line}\n")

    def progress(self, fraction: float | None, message: str = "", **values: Any) -> None:
        """Say how far the run is; `fraction` 0 to 1, or None while unknown; written at most twice a second."""
        clock = time.monotonic()
        finished = fraction is not None and fraction >= 1
        if clock - self._written < _WRITE_EVERY and not finished:
            return
        self._written = clock
        progress = Progress(fraction, message, values, self._seconds_left(fraction, clock))
        self._store.runs.progress(self.run.id, progress)

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        """Append a point to the run's curves; a point already there (we follow a program anew) is left as it is."""
        point = (step, frozenset(values))
        if point in self._points:
            return
        self._points.add(point)
        with self._metrics_file.open("a", encoding="utf-8") as metrics:
            metrics.write(json.dumps({"step": step, **values}) + "\n")

    def versions(self, versions: Mapping[str, str]) -> None:
        """Record versions of what did the work."""
        self._store.runs.note(self.run.id, versions=versions)

    def check(self) -> None:
        """Raise RunCancelledError when somebody asked the run to stop."""
        if self._store.runs.stop_requested(self.run.id):
            raise RunCancelledError(
                N_("The run was stopped."), remedy=N_("Resume it to go on where it stopped, or run it again.")
            )

    def step(self, name: str, work: Callable[[], T]) -> T:
        """Do a piece of work once: after a crash its remembered result (plain values) is returned instead."""
        self.check()
        return self._durable(name, work)

    def execute(
        self,
        name: str,
        command: Callable[[], Command],
        *,
        on_line: Callable[[str], None] | None = None,
        on_poll: Callable[[], None] | None = None,
    ) -> CommandResult:
        """Run a program to its end, exactly once however often we are interrupted.

        A program that is still alive after a crash of ours is followed again, from its first line; one that
        ended well is not started again; one that died is started with what `command` says then. Raises
        ToolFailedError when it ends with a code other than 0, RunCancelledError when the run is stopped.
        """
        self.check()
        process = Process(self.folder / "commands" / name)
        result = process.result()
        ended_before = result is not None and (result.returncode == 0 or self._started_by_this_attempt(name))
        if not ended_before:
            self._start_unless_alive(name, process, command)
        result = self._follow(name, process, on_line, on_poll)
        if result is None or result.returncode != 0:
            raise self._failed(name, result)
        return result

    def _start_unless_alive(self, name: str, process: Process, command: Callable[[], Command]) -> None:
        if process.alive():
            self.log(f"{name}: still running, following it again")
            return
        program = command()
        self._log_file.touch()
        self._note_start(name, {"offset": self._log_file.stat().st_size, "attempt": self.run.attempt})
        environment = dict(program.env)
        shown = {"name": name, "argv": list(program.argv), "cwd": str(program.cwd), "env": environment}
        self._store.runs.note(self.run.id, command=shown)
        self.log(f"$ {' '.join(program.argv)}")
        process.start(program, log=self._log_file)

    def _follow(
        self,
        name: str,
        process: Process,
        on_line: Callable[[str], None] | None,
        on_poll: Callable[[], None] | None,
    ) -> CommandResult | None:
        start = self._starts()[name]
        lines = _Lines(self._log_file, start["offset"], start.get("end"))
        over = False
        while not over:
            over = not process.alive()  # asked first: what it wrote before it ended is read below
            for line in lines.new():
                if on_line is not None:
                    on_line(line)
            if on_poll is not None:
                on_poll()
            if not over:
                self._stop_if_asked(process)
                time.sleep(self._poll)
        # Where its output ends: followed anew after others have written, it must not be given their lines.
        self._note_start(name, {"end": self._log_file.stat().st_size, **start})
        return process.result()

    def _stop_if_asked(self, process: Process) -> None:
        try:
            self.check()
        except RunCancelledError:
            self.log("stopping")
            process.stop(grace=self._grace)
            raise

    def _failed(self, name: str, result: CommandResult | None) -> ToolFailedError:
        if result is None:
            return ToolFailedError(
                N_("The step {step} was killed from outside."),
                remedy=N_("Resume the run. If it happens again, the machine may be short of memory."),
                step=name,
            )
        return ToolFailedError(
            N_("The step {step} ended with code {code}."),
            remedy=N_("Read the end of the run's log; resume the run once the cause is mended."),
            step=name,
            code=result.returncode,
        )

    def _seconds_left(self, fraction: float | None, clock: float) -> float | None:
        if fraction is None or not 0 < fraction < 1:
            return None
        if self._began_at is None:
            self._began_at, self._began = fraction, clock
        gained, elapsed = fraction - self._began_at, clock - self._began
        if gained <= 0 or elapsed < 1:
            return None
        return elapsed / gained * (1 - fraction)

    @property
    def _log_file(self) -> Path:
        return self.folder / "run.log"

    @property
    def _metrics_file(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def _starts_file(self) -> Path:
        return self.folder / "starts.json"

    def _note_start(self, name: str, start: Mapping[str, int]) -> None:
        self._starts_file.write_text(json.dumps({**self._starts(), name: start}), encoding="utf-8")

    def _starts(self) -> dict[str, dict[str, int]]:
        """Where in the log each program's output begins and, once it was read, ends; which attempt started it."""
        if not self._starts_file.exists():
            return {}
        starts: dict[str, dict[str, int]] = json.loads(self._starts_file.read_text(encoding="utf-8"))
        return starts

    def _started_by_this_attempt(self, name: str) -> bool:
        return self._starts().get(name, {}).get("attempt") == self.run.attempt


def _points_in(metrics: Path) -> set[tuple[int, frozenset[str]]]:
    if not metrics.exists():
        return set()
    points = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    return {(point.pop("step"), frozenset(point)) for point in points}


class _Lines:
    """The lines a growing file gains."""

    def __init__(self, path: Path, offset: int, end: int | None = None) -> None:
        self._path = path
        self._offset = offset
        self._end = end
        self._rest = b""

    def new(self) -> Iterator[str]:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read(-1 if self._end is None else max(self._end - self._offset, 0))
        self._offset += len(fresh)
        # A carriage return ends a line too: progress bars draw themselves over with it.
        *whole, self._rest = (self._rest + fresh).replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            if line.strip() and not line.startswith(_OURS.encode()):
                yield line.decode("utf-8", errors="replace")
