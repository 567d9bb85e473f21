"""What a stage sees of the run it works for: progress, log, metrics, steps, and the door to programs."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from core.domain.run import Command, CommandResult, Progress, Run
from core.errors import MissingToolError, RunCancelledError, StudioError, ToolFailedError
from core.full_disk import full_disk, no_room
from core.jobs.curves import METRICS
from core.jobs.door import COMMANDS, Process, processes_in
from core.jobs.machine import Machine
from core.jobs.whole import append_lines, json_lines, write_whole
from core.settings import JobSettings
from core.store import Store
from core.translation import N_

T = TypeVar("T")

_WRITE_EVERY = 0.5
"""Seconds between two writes of progress; the store is shared."""

_NO_ROOM = 1 << 20
"""Bytes: where less is free after a program failed, it failed for that."""

_LOG_END_BYTES = 64_000

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


@dataclass(frozen=True, slots=True)
class Companion:
    """A program that works beside a run, e.g. a server that it asks."""

    _process: Process
    _start: Callable[[], None]
    grace: float
    """Seconds it gets to end by itself."""

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.alive()

    def result(self) -> CommandResult | None:
        """Return how it ended; None while it runs, or when nobody was there to see its end."""
        return self._process.result()

    def processor_seconds(self) -> float:
        """Return how long it has computed so far; 0 when it does not run."""
        return self._process.processor_seconds()

    def restart(self, *, grace: float | None = None) -> None:
        """End it, with all that it started, where it still runs, and start it anew; raises what starting raises."""
        self._process.stop(grace=self.grace if grace is None else grace)
        self._start()


class RunContext:
    """One run, seen from inside."""

    def __init__(
        self,
        run: Run,
        *,
        store: Store,
        folder: Path,
        durable: Durable = at_once,
        poll: float = 0.5,
        grace: float = 10,
        machine: Machine | None = None,
    ) -> None:
        self.run = run
        self.folder = folder
        self._store = store
        self._durable = durable
        self._poll = poll
        self._grace = grace
        self._machine = machine or Machine(JobSettings())
        self._gpus: tuple[str, ...] | None = None
        self._written = 0.0
        self._began = time.monotonic()
        self._began_at: float | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._points = {_point(row) for row in json_lines(self._metrics_file)}
        self._unwritten: list[str] = []

    def log(self, line: str) -> None:
        """Append a line to the run's log."""
        moment = datetime.now(UTC).strftime("%H:%M:%S")
        with _unless_full(), self._log_file.open("a", encoding="utf-8") as log:
            log.write(f"{_OURS}{moment} {line}\n")

    def progress(
        self, fraction: float | None, message: str = "", *, seconds_left: float | None = None, **values: Any
    ) -> None:
        """Say how far the run is; `fraction` 0 to 1, or None while unknown; written at most twice a second.

        The time left is counted from the fraction where nobody knows it better.
        """
        clock = time.monotonic()
        finished = fraction is not None and fraction >= 1
        if clock - self._written < _WRITE_EVERY and not finished:
            return
        self._written = clock
        counted = self._seconds_left(fraction, clock)
        progress = Progress(fraction, message, values, counted if seconds_left is None else seconds_left)
        with _unless_full():
            self._store.runs.progress(self.run.id, progress)

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        """Append a point to the run's curves; a point already there (we follow a program anew) is left as it is."""
        row = {"step": step, **values}
        point = _point(row)
        if point in self._points:
            return
        self._points.add(point)
        self._unwritten.append(json.dumps(row))
        with _unless_full():
            append_lines(self._metrics_file, self._unwritten)
            self._unwritten.clear()

    def versions(self, versions: Mapping[str, str]) -> None:
        """Record versions of what did the work."""
        self._store.runs.note(self.run.id, versions=versions)

    def check(self) -> None:
        """Raise RunCancelledError when somebody asked the run to stop."""
        if self._store.runs.stop_requested(self.run.id):
            raise RunCancelledError(
                N_("The run was stopped."), remedy=N_("Resume it to go on where it stopped, or run it again.")
            )

    @property
    def gpus_here(self) -> int:
        """How many GPUs this machine has for runs, free or not."""
        return len(self._machine.gpus)

    def gpus(self, count: int) -> tuple[str, ...]:
        """Hold that many of this machine's GPUs until the run ends, and let its programs see no others; 0: none at all.

        Waits while other runs hold them. Asked again, also after a crash, a run gets the same ones. Raises
        MissingToolError when the machine has fewer, RunCancelledError when the run is stopped while it waits.
        """
        have = self._machine.gpus
        if count > len(have):
            raise MissingToolError(
                N_("This run wants {count} GPUs and the machine {machine} has {have}."),
                remedy=N_("Ask for fewer devices, train on the CPU, or name the GPUs in configs/app.yaml (jobs.gpus)."),
                count=count,
                machine=self._machine.name,
                have=len(have),
            )
        while (held := self._lease(count) if count else ()) is None:
            self.check()
            self.progress(None, N_("Waiting for {count} GPUs"), count=count)
            time.sleep(self._poll)
        self._gpus = held
        return held

    def _lease(self, count: int) -> tuple[str, ...] | None:
        def still_used(run_id: str) -> bool:
            return any(one.alive() for one in processes_in(self.folder.parent / run_id, self._machine.name))

        gpus = self._store.gpus
        return gpus.lease(self._machine.name, self._machine.gpus, count, self.run.id, still_used=still_used)

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
        return self.execute_together({name: command}, on_line=on_line, on_poll=on_poll)[name]

    def execute_together(
        self,
        commands: Mapping[str, Callable[[], Command]],
        *,
        on_line: Callable[[str], None] | None = None,
        on_poll: Callable[[], None] | None = None,
    ) -> dict[str, CommandResult]:
        """Run programs side by side until all have ended, each as `execute` does; their lines come mixed."""
        self.check()
        programs = {name: self._program(name) for name in commands}
        for name, process in programs.items():
            result = process.result()
            if result is None or not (result.returncode == 0 or self._started_by_this_attempt(name)):
                self._start_unless_alive(name, process, commands[name])
        self._follow(programs, on_line, on_poll)
        results = {name: process.result() for name, process in programs.items()}
        ended_well = {name: one for name, one in results.items() if one is not None and one.returncode == 0}
        for name in results.keys() - ended_well.keys():
            raise self._failed(name, programs[name], results[name])
        return ended_well

    @contextmanager
    def beside(self, name: str, command: Callable[[], Command]) -> Iterator[Companion]:
        """Have a program at work while the block runs, and end it afterwards.

        One that is still alive after a crash of ours is taken over. Raises what starting a program raises.
        """
        self.check()
        process = self._program(name)
        self._start_unless_alive(name, process, command)

        def start() -> None:
            self._start_unless_alive(name, process, command)

        try:
            yield Companion(process, start, grace=self._grace)
        finally:
            process.stop(grace=self._grace)

    def ended(self, name: str) -> CommandResult | None:
        """Return how the program of that name ended the last time; None while it runs and where it never did."""
        return None if self._program(name).alive() else self._program(name).result()

    def alive(self, name: str) -> bool:
        """Whether the program of that name runs."""
        return self._program(name).alive()

    def last_output(self) -> str:
        """Return the end of what the last started program has said; several processes may each end with a traceback."""
        if not self._log_file.exists():
            return ""
        with self._log_file.open("rb") as file:
            file.seek(max(0, self._log_file.stat().st_size - _LOG_END_BYTES))
            end = file.read().decode("utf-8", errors="replace")
        return end.rpartition(" $ ")[2]  # how the log shows a command

    def _program(self, name: str) -> Process:
        return Process(self.folder / COMMANDS / name, host=self._machine.name)

    def _start_unless_alive(self, name: str, process: Process, command: Callable[[], Command]) -> None:
        if process.alive():
            self.log(f"{name}: still running, following it again")
            return
        program = self._on_held_gpus(command())
        self._log_file.touch()
        self._note_start(name, {"offset": self._log_file.stat().st_size, "attempt": self.run.attempt})
        environment = dict(program.env)
        shown = {"name": name, "argv": list(program.argv), "cwd": str(program.cwd), "env": environment}
        self._store.runs.note(self.run.id, command=shown)
        self.log(f"$ {' '.join(program.argv)}")
        process.start(program, log=self._log_file)

    def _on_held_gpus(self, program: Command) -> Command:
        if self._gpus is None:
            return program
        # the order is nvidia-smi's, whose numbers these are; CUDA's own puts the fastest first
        ours = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(self._gpus)}
        return replace(program, env={**program.env, **ours})

    def _follow(
        self,
        programs: Mapping[str, Process],
        on_line: Callable[[str], None] | None,
        on_poll: Callable[[], None] | None,
    ) -> None:
        starts = [self._starts()[name] for name in programs]
        ends = [start["end"] for start in starts if "end" in start]
        end = max(ends) if len(ends) == len(starts) else None
        lines = _Lines(self._log_file, min(start["offset"] for start in starts), end)
        over = False
        while not over:
            over = not any(one.alive() for one in programs.values())  # asked first: what they wrote is read below
            for line in lines.new():
                if on_line is not None:
                    with _unless_full():
                        on_line(line)
            if on_poll is not None:
                with _unless_full():
                    on_poll()
            if not over:
                self._stop_if_asked(programs.values())
                time.sleep(self._poll)
        # Where their output ends: followed anew after others have written, they must not be given their lines.
        for name, start in zip(programs, starts, strict=True):
            self._note_start(name, {"end": self._log_file.stat().st_size, **start})

    def _stop_if_asked(self, programs: Iterable[Process]) -> None:
        try:
            with _unless_full():
                self.check()
        except RunCancelledError:
            self.log("stopping")
            for one in programs:
                one.stop(grace=self._grace)
            raise

    def _failed(self, name: str, process: Process, result: CommandResult | None) -> StudioError:
        if process.room() < _NO_ROOM:
            return no_room()
        if result is None or result.returncode == -signal.SIGKILL:
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
        return self.folder / METRICS

    @property
    def _starts_file(self) -> Path:
        return self.folder / "starts.json"

    def _note_start(self, name: str, start: Mapping[str, int]) -> None:
        write_whole(self._starts_file, json.dumps({**self._starts(), name: start}))

    def _starts(self) -> dict[str, dict[str, int]]:
        """Where in the log each program's output begins and, once it was read, ends; which attempt started it."""
        if not self._starts_file.exists():
            return {}
        starts: dict[str, dict[str, int]] = json.loads(self._starts_file.read_text(encoding="utf-8"))
        return starts

    def _started_by_this_attempt(self, name: str) -> bool:
        return self._starts().get(name, {}).get("attempt") == self.run.attempt


def _point(row: Mapping[str, object]) -> tuple[object, frozenset[str]]:
    return row["step"], frozenset(row) - {"step"}


@contextmanager
def _unless_full() -> Iterator[None]:
    """Leave out what only tells of the work, where the disk has no room for it: the work itself decides."""
    try:
        yield
    except (OSError, StudioError) as error:
        if full_disk(error) is None:
            raise


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
