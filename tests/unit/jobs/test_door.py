"""Programs go through one door: they are found again by their folder, and end with all they started."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.domain.run import Command
from core.errors import MissingToolError, ToolFailedError
from core.jobs.door import Process, only_one, run_briefly


def python(code: str, folder: Path, *, pty: bool = False, **env: str) -> Command:
    return Command((sys.executable, "-c", code), cwd=folder, env=env, pty=pty)


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path / "process")


def test_a_program_ends_with_its_code_and_its_output_in_the_log(process: Process, tmp_path: Path) -> None:
    process.start(python("print('你好'); raise SystemExit(3)", tmp_path), log=tmp_path / "log")
    wait_until(lambda: not process.alive())

    result = process.result()
    assert result is not None
    assert result.returncode == 3
    assert (tmp_path / "log").read_text() == "你好\n"


def test_the_environment_is_added_to_not_replaced(process: Process, tmp_path: Path) -> None:
    code = "import os; print(os.environ['ADDED'], 'PATH' in os.environ)"
    process.start(python(code, tmp_path, ADDED="yes"), log=tmp_path / "log")
    wait_until(lambda: not process.alive())

    assert (tmp_path / "log").read_text() == "yes True\n"


def test_another_object_on_the_same_folder_finds_the_living_program(process: Process, tmp_path: Path) -> None:
    process.start(python("import time; time.sleep(60)", tmp_path), log=tmp_path / "log")

    other = Process(tmp_path / "process")

    assert other.alive()
    assert other.result() is None
    other.stop(grace=5)
    assert not process.alive()


def test_starting_twice_runs_the_program_once(process: Process, tmp_path: Path) -> None:
    code = "import time; open('starts', 'a').write('x'); time.sleep(1)"
    process.start(python(code, tmp_path), log=tmp_path / "log")
    Process(tmp_path / "process").start(python(code, tmp_path), log=tmp_path / "log")
    wait_until(lambda: not process.alive())

    assert (tmp_path / "starts").read_text() == "x"


def test_a_program_deaf_to_sigterm_is_killed_after_the_grace(process: Process, tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    process.start(python(code, tmp_path), log=tmp_path / "log")
    wait_until(lambda: "deaf" in (tmp_path / "log").read_text())

    process.stop(grace=0.3)

    result = process.result()
    assert result is not None
    assert result.returncode == -signal.SIGKILL


def test_children_that_survive_their_parent_end_with_it(process: Process, tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    code = (
        f"import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', {deaf!r}]); "
        "print(child.pid, flush=True); time.sleep(60)"
    )
    process.start(python(code, tmp_path), log=tmp_path / "log")
    said = (tmp_path / "log").read_text
    wait_until(lambda: "up" in said() and len(said().split()) == 2)
    child = next(int(word) for word in said().split() if word.isdigit())  # whichever of the two spoke first

    process.stop(grace=2)

    wait_until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def test_a_program_whose_launcher_was_killed_is_still_found_and_stopped(process: Process, tmp_path: Path) -> None:
    process.start(
        python("import os, time; print(os.getppid(), flush=True); time.sleep(60)", tmp_path), log=tmp_path / "log"
    )
    wait_until(lambda: (tmp_path / "log").read_text().strip())
    os.kill(int((tmp_path / "log").read_text()), signal.SIGKILL)
    time.sleep(0.2)

    assert process.alive()
    process.stop(grace=2)
    assert not process.alive()
    assert process.result() is None


def test_a_program_given_a_terminal_believes_in_it(process: Process, tmp_path: Path) -> None:
    process.start(python("import sys; print(sys.stdout.isatty())", tmp_path, pty=True), log=tmp_path / "log")
    wait_until(lambda: not process.alive())

    assert (tmp_path / "log").read_text().strip() == "True"


def test_a_missing_program_is_named_with_a_remedy(process: Process, tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match=r"no-such-program.*doctor"):
        process.start(Command(("no-such-program",), cwd=tmp_path), log=tmp_path / "log")


def test_a_brief_program_is_given_its_input_and_its_output_returned(tmp_path: Path) -> None:
    result = run_briefly(python("import sys; print(sys.stdin.read()[::-1])", tmp_path), stdin=b"abc", timeout=20)

    assert (result.returncode, result.stdout) == (0, b"cba\n")


def test_a_brief_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError, match="no answer"):
        run_briefly(python("import time; time.sleep(60)", tmp_path), timeout=0.5)


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with only_one(tmp_path / "lock") as first, only_one(tmp_path / "lock") as second:
        assert (first, second) == (True, False)

    with only_one(tmp_path / "lock") as later:
        assert later
