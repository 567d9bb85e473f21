"""Programs side by side and companions: each is started once, followed, told apart, and ended with the run."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest

from core.domain.identity import now
from core.domain.run import Command, Run, RunState
from core.errors import RunCancelledError, ToolFailedError
from core.jobs.context import Companion, RunContext
from core.jobs.door import Process
from core.store import Store

NAMES = ("left", "right")


class Bench:
    """A run and the attempts at it; every program of it is ended afterwards."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        store.runs.add(self._record(1))

    def attempt(self, number: int = 1) -> RunContext:
        """Return the run as that attempt sees it."""
        return RunContext(self._record(number), store=self.store, folder=self.folder, poll=0.02, grace=2)

    def program(self, code: str, name: str = "") -> Command:
        """Return a program that first notes that it was started."""
        noting = f"open({f'{name}.starts'!r}, 'a').write('x'); " if name else ""
        return Command((sys.executable, "-c", f"import os, sys, time; {noting}{code}"), cwd=self.folder)

    def starts(self, name: str) -> int:
        """Return how often the program of that name was started."""
        file = self.folder / f"{name}.starts"
        return len(file.read_text()) if file.exists() else 0

    def process(self, name: str) -> Process:
        return Process(self.folder / "commands" / name)

    def pid(self, name: str) -> int:
        file = self.folder / "commands" / name / "process.json"
        return int(json.loads(file.read_text(encoding="utf-8"))["pid"])

    def log(self) -> str:
        return (self.folder / "run.log").read_text(encoding="utf-8")

    def close(self) -> None:
        for folder in (self.folder / "commands").glob("*"):
            Process(folder).stop(grace=0)

    def _record(self, attempt: int) -> Run:
        return Run("run-1", "toy", "a-qing", "cpu", RunState.RUNNING, {}, {}, now(), "test", attempt=attempt)


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(store, tmp_path / "run")
    yield made
    made.close()


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def serving(bench: Bench, context: RunContext, stack: ExitStack) -> Companion:
    """Have a program beside the run that works until it is ended."""
    companion = stack.enter_context(context.beside("server", lambda: bench.program("time.sleep(600)", "server")))
    until(lambda: bench.starts("server"))
    return companion


def test_programs_run_at_the_same_time_and_all_their_lines_are_heard(bench: Bench) -> None:
    # each waits for the other's sign: one after the other they would never end
    meet = (
        "open('sign-{0}', 'w').close(); "
        "exec('while not os.path.exists(\"sign-{1}\"): time.sleep(0.01)'); print('{0} met {1}')"
    )
    heard: list[str] = []
    commands = {
        one: lambda one=one, other=other: bench.program(meet.format(one, other))
        for one, other in (NAMES, reversed(NAMES))
    }

    results = bench.attempt().execute_together(commands, on_line=heard.append)

    assert {name: one.returncode for name, one in results.items()} == {"left": 0, "right": 0}
    assert sorted(heard) == ["left met right", "right met left"]


def test_the_failure_names_the_program_that_failed_once_the_others_have_ended(bench: Bench) -> None:
    commands = {
        "left": lambda: bench.program("sys.exit(3)"),
        "right": lambda: bench.program("time.sleep(0.3); open('right-done', 'w').close()"),
    }

    with pytest.raises(ToolFailedError) as failure:
        bench.attempt().execute_together(commands)

    assert failure.value.values == {"step": "left", "code": 3}
    assert (bench.folder / "right-done").exists()
    assert not bench.process("right").alive()


def test_the_next_attempt_starts_only_what_did_not_end_well(bench: Bench) -> None:
    commands = {
        "left": lambda: bench.program("sys.exit(os.path.getsize('left.starts') < 2)", "left"),
        "right": lambda: bench.program("pass", "right"),
    }
    with pytest.raises(ToolFailedError):
        bench.attempt(1).execute_together(commands)

    results = bench.attempt(2).execute_together(commands)

    assert sorted(results) == ["left", "right"]
    assert (bench.starts("left"), bench.starts("right")) == (2, 1)


def test_programs_that_outlived_their_worker_are_followed_from_their_first_lines_and_not_started_twice(
    bench: Bench,
) -> None:
    def long(name: str) -> Command:
        wait = "while not os.path.exists('go'): time.sleep(0.01)"
        return bench.program(f"print('{name} begins', flush=True); exec({wait!r}); print('{name} ends')", name)

    never_closed = ExitStack()  # their worker is gone
    for name in NAMES:
        never_closed.enter_context(bench.attempt().beside(name, partial(long, name)))
    until(lambda: all(f"{name} begins" in bench.log() for name in NAMES))
    heard: list[str] = []

    def let_go() -> None:
        (bench.folder / "go").touch()

    def never() -> Command:
        raise AssertionError("started a second time")

    bench.attempt().execute_together(dict.fromkeys(NAMES, never), on_line=heard.append, on_poll=let_go)

    assert sorted(heard) == ["left begins", "left ends", "right begins", "right ends"]
    assert [bench.starts(name) for name in NAMES] == [1, 1]


def test_stopping_the_run_ends_all_its_programs(bench: Bench) -> None:
    commands = {name: lambda name=name: bench.program("time.sleep(600)", name) for name in NAMES}

    def stop_once_both_run() -> None:
        if all(bench.starts(name) for name in NAMES):
            bench.store.runs.request_stop("run-1")

    with pytest.raises(RunCancelledError):
        bench.attempt().execute_together(commands, on_poll=stop_once_both_run)

    assert not any(bench.process(name).alive() for name in NAMES)


def test_how_a_program_ended_is_told_and_nothing_while_it_runs_or_never_ran(bench: Bench) -> None:
    context = bench.attempt()
    assert context.ended("short") is None

    context.execute("short", lambda: bench.program("pass"))
    with pytest.raises(ToolFailedError):
        context.execute("wrong", lambda: bench.program("sys.exit(4)"))

    told = [context.ended(name) for name in ("short", "wrong")]
    assert [one.returncode for one in told if one] == [0, 4]
    with ExitStack() as stack:
        serving(bench, context, stack)
        assert context.ended("server") is None


def test_a_companion_works_while_the_block_runs_and_ends_with_it(bench: Bench) -> None:
    context = bench.attempt()
    with ExitStack() as stack:
        companion = serving(bench, context, stack)
        alive = companion.alive()
        context.execute("short", lambda: bench.program("print('beside it')"))

    assert alive
    assert not companion.alive()
    assert not bench.process("server").alive()


def test_a_companion_ends_also_when_the_block_fails(bench: Bench) -> None:
    def fail() -> None:
        with ExitStack() as stack:
            serving(bench, bench.attempt(), stack)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert not bench.process("server").alive()


def test_a_companion_left_by_a_killed_worker_is_taken_over(bench: Bench) -> None:
    never_closed = ExitStack()  # its worker is gone
    serving(bench, bench.attempt(), never_closed)
    pid = bench.pid("server")

    with bench.attempt().beside("server", lambda: bench.program("", "server")) as companion:
        taken_over = (companion.alive(), bench.pid("server"))

    assert taken_over == (True, pid)
    assert bench.starts("server") == 1
    assert "still running, following it again" in bench.log()
    assert not bench.process("server").alive()


def test_a_companion_that_was_killed_is_seen_to_be_gone_and_comes_back_on_demand(bench: Bench) -> None:
    with ExitStack() as stack:
        companion = serving(bench, bench.attempt(), stack)
        os.kill(bench.pid("server"), signal.SIGKILL)
        until(lambda: not companion.alive())
        result = companion.result()

        companion.restart()
        until(lambda: bench.starts("server") == 2)
        back = companion.alive()

    assert result is not None
    assert result.returncode == -signal.SIGKILL
    assert back
    assert not bench.process("server").alive()


def test_a_companion_that_hangs_with_its_children_is_ended_before_it_is_started_anew(bench: Bench) -> None:
    hanging = (
        "import signal, subprocess; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "open(f'child-{os.getpid()}', 'w').write(str(child.pid)); time.sleep(600)"
    )
    with bench.attempt().beside("server", lambda: bench.program(hanging)) as companion:
        until(lambda: list(bench.folder.glob("child-*")))
        until(lambda: all(one.read_text() for one in bench.folder.glob("child-*")))
        first = bench.pid("server")
        child = int((bench.folder / f"child-{first}").read_text())
        os.killpg(first, signal.SIGSTOP)

        companion.restart(grace=0.1)
        second = bench.pid("server")

    assert first != second
    until(lambda: not any(map(running, (first, child, second))))


def test_stopping_the_run_does_not_start_a_companion(bench: Bench) -> None:
    bench.store.runs.request_stop("run-1")

    with (
        pytest.raises(RunCancelledError),
        bench.attempt().beside("server", lambda: bench.program("time.sleep(600)", "server")),
    ):
        pytest.fail("it was started")

    assert bench.starts("server") == 0


def running(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False
