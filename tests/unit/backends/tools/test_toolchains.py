from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.backends.tools import toolchains
from core.backends.tools.toolchains import SPECS, check, ensure, folder_of, install_command, known, load_spec, python_of
from core.domain.run import Command, CommandResult
from core.errors import MissingToolError
from core.jobs import environments
from core.jobs.environments import build, python_in
from core.settings import Settings, ToolchainSettings


class Run:
    """Stands for a run's context: builds the stamp instead of the environment, and keeps what was shown."""

    def __init__(self, lines: tuple[str, ...] = (), *, builds: bool = True) -> None:
        self.commands: list[tuple[str, Command]] = []
        self.shown: list[float | None] = []
        self._lines = lines
        self._builds = builds

    def progress(self, fraction: float | None, message: str = "", **values: Any) -> None:
        self.shown.append(fraction)
        message.format(**values)

    def execute(
        self, name: str, command: Callable[[], Command], *, on_line: Callable[[str], None] | None = None
    ) -> CommandResult:
        self.commands.append((name, command()))
        for line in self._lines:
            assert on_line is not None
            on_line(line)
        if self._builds:
            folder = Path(command().argv[4])
            python_in(folder).parent.mkdir(parents=True)
            python_in(folder).symlink_to(sys.executable)
            build(folder, load_spec("xtuner").locks)
        return CommandResult(0, 1.0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path)


@pytest.fixture(autouse=True)
def _nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "_install", lambda folder, steps, python: None)


@pytest.mark.parametrize("name", known())
def test_every_lock_pins_exactly_what_its_requirements_ask_for(name):
    asked = re.findall(r"^([\w-]+==[\w.]+)", (SPECS / f"{name}.txt").read_text(encoding="utf-8"), re.MULTILINE)
    locked = re.findall(r"^([\w-]+==[\w.]+)", (SPECS / f"{name}.lock").read_text(encoding="utf-8"), re.MULTILINE)

    assert asked
    assert set(asked) <= set(locked)


@pytest.mark.parametrize("name", known())
def test_every_line_of_a_toolchains_locks_is_a_pin(name):
    lines = [line for step in load_spec(name).locks for line in step.lock.read_text(encoding="utf-8").splitlines()]

    assert [line for line in lines if line.strip() and not re.match(r"#|\s+#|[\w.-]+==[\w.]+( |$)", line)] == []


def test_both_tools_are_described():
    assert set(known()) >= {"xtuner", "opencompass"}


@pytest.mark.parametrize("name", ["nothing", "../app", ""])
def test_an_unknown_toolchain_is_refused_with_the_known_ones(name):
    with pytest.raises(MissingToolError, match="xtuner"):
        load_spec(name)


def test_the_second_step_of_xtuner_installs_without_dependencies(settings):
    argv = install_command("xtuner", settings).argv

    assert argv[:4] == (sys.executable, "-m", "core.jobs.environments", "build")
    assert argv[5:] == (
        "--python",
        "3.11",
        "--lock",
        "configs/toolchains/xtuner.lock",
        "--lock-alone",
        "configs/toolchains/xtuner-alone.lock",
    )


def test_the_folder_is_named_by_the_tool_and_the_fingerprint_of_its_locks(settings):
    folder = folder_of("xtuner", settings)

    assert folder.parent == settings.workspace / "toolchains"
    assert re.fullmatch(r"xtuner-[0-9a-f]{12}", folder.name)


def test_an_environment_not_built_yet_has_no_interpreter(settings):
    assert python_of("xtuner", settings) is None
    assert not check("xtuner", settings).fine


def test_an_interpreter_in_the_settings_goes_before_our_own(settings):
    mine = settings.model_copy(update={"toolchains": {"xtuner": ToolchainSettings(python=Path(sys.executable))}})

    assert python_of("xtuner", mine) == Path(sys.executable)
    assert ensure("xtuner", settings=mine, context=Run()) == Path(sys.executable)


def test_an_interpreter_in_the_settings_that_is_not_there_is_said_to_be_missing(settings, tmp_path):
    wrong = settings.model_copy(update={"toolchains": {"xtuner": ToolchainSettings(python=tmp_path / "none")}})

    with pytest.raises(MissingToolError, match="is not there"):
        python_of("xtuner", wrong)
    assert "is not there" in check("xtuner", wrong).detail


def test_ensure_builds_on_first_use_and_never_again(settings):
    run = Run()

    first = ensure("xtuner", settings=settings, context=run)
    second = ensure("xtuner", settings=settings, context=run)

    assert first == second == python_in(folder_of("xtuner", settings))
    assert [name for name, _ in run.commands] == [folder_of("xtuner", settings).name]


def test_an_environment_that_vanished_under_a_resumed_run_is_reported(settings):
    with pytest.raises(MissingToolError, match="removed"):
        ensure("xtuner", settings=settings, context=Run(builds=False))


def test_progress_of_a_build_only_goes_forward_and_keeps_to_its_share(settings):
    lines = (
        "Creating somewhere with Python 3.11.",
        "Resolved 73 packages in 1.43s",
        "Downloading torch (700.0MiB)",
        " Downloaded torch",
        "Downloading numpy (16.1MiB)",
        " Downloaded numpy",
        "Prepared 17 packages in 2.03s",
        "Installed 73 packages in 968ms",
        " + torch==2.13.0",
        "Resolved 3 packages in 152ms",
    )
    run = Run(lines)

    ensure("xtuner", settings=settings, context=run, until=0.5)

    fractions = [fraction for fraction in run.shown if fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert 0.4 < fractions[-1] <= 0.5


def test_a_working_environment_shows_the_versions_that_matter(settings, monkeypatch):
    spec = load_spec("xtuner").model_copy(update={"shows": ("pydantic",), "imports": ("json",)})
    monkeypatch.setattr(toolchains, "load_spec", lambda name: spec)
    mine = settings.model_copy(update={"toolchains": {"xtuner": ToolchainSettings(python=Path(sys.executable))}})

    report = check("xtuner", mine, imports=True)

    assert report.fine
    assert set(report.versions) == {"pydantic"}


def test_an_environment_whose_tool_does_not_import_is_not_fine(settings, monkeypatch):
    spec = load_spec("xtuner").model_copy(update={"shows": (), "imports": ("no_such_module",)})
    monkeypatch.setattr(toolchains, "load_spec", lambda name: spec)
    mine = settings.model_copy(update={"toolchains": {"xtuner": ToolchainSettings(python=Path(sys.executable))}})

    assert check("xtuner", mine).fine
    assert "no_such_module" in check("xtuner", mine, imports=True).detail


def test_a_report_without_success_carries_a_remedy(settings):
    report = check("nothing", settings)

    assert replace(report, remedy="") == toolchains.ToolchainReport(
        False, "There is no tool environment named nothing."
    )
    assert "xtuner" in report.remedy
