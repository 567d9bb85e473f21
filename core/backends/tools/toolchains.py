"""The tools' environments: what each consists of, where it lies, whether it works, and building it on first use.

An environment is named by the fingerprint of its locks, so a changed lock makes a new one beside the old
and no run loses the ground under its feet. Building is one program, `core.jobs.environments`: it waits for
another that builds the same folder, and writes its stamp last.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import yaml
from pydantic import Field

from core.domain.run import Command, CommandResult
from core.domain.section import Section
from core.errors import MissingToolError, StudioError
from core.jobs.door import run_briefly
from core.jobs.environments import Step, fingerprint, is_current, python_in
from core.settings import CONFIGS, PROJECT, Settings, validated
from core.translation import N_

SPECS = CONFIGS / "toolchains"

_EXAMINE = """
import importlib, importlib.metadata as installed, json, sys
names, modules = json.loads(sys.argv[1])
for module in modules:
    importlib.import_module(module)
print(json.dumps({name: installed.version(name) for name in names}))
"""


class Visible(Protocol):
    """What building needs of a run's context."""

    def progress(self, fraction: float | None, message: str = "", **values: Any) -> None:
        """Say how far it is."""
        ...

    def execute(
        self, name: str, command: Callable[[], Command], *, on_line: Callable[[str], None] | None = None
    ) -> CommandResult:
        """Run a program to its end, once."""
        ...


class LockedStep(Section):
    """One lock of a toolchain."""

    lock: str = Field(description="File beside the toolchain's own.")
    alone: bool = Field(default=False, description="Install without what the packages ask for.")


class ToolchainSpec(Section):
    """Read from `configs/toolchains/<name>.yaml`."""

    title: str = Field(description="The tool's own name.")
    python: str = Field(pattern=r"^3\.\d+$", description="The Python it runs on.")
    steps: tuple[LockedStep, ...] = Field(min_length=1, description="What is installed, in order.")
    shows: tuple[str, ...] = Field(description="Packages whose versions tell the most.")
    imports: tuple[str, ...] = Field(description="Modules that import when the environment works.")

    @cached_property
    def locks(self) -> tuple[Step, ...]:
        """The steps as the builder takes them."""
        return tuple(Step(SPECS / step.lock, not step.alone) for step in self.steps)


@dataclass(frozen=True, slots=True)
class ToolchainReport:
    """What was found of one tool's environment."""

    fine: bool
    detail: str
    """The interpreter and the versions that matter; or what is wrong."""
    remedy: str = ""
    python: Path | None = None
    versions: dict[str, str] = field(default_factory=dict)
    absent: bool = False
    """Nothing is wrong; it is only not built yet."""


def load_spec(name: str) -> ToolchainSpec:
    """Read a toolchain's description; MissingToolError for a name nobody described."""
    file = SPECS / f"{name}.yaml"
    if not re.fullmatch(r"[\w-]+", name) or not file.exists():
        raise MissingToolError(
            N_("There is no tool environment named {name}."),
            remedy=N_("Known are: {known}."),
            name=name,
            known=", ".join(known()),
        )
    return validated(ToolchainSpec, yaml.safe_load(file.read_text(encoding="utf-8")), file)


def known() -> tuple[str, ...]:
    """Return the names of all described toolchains."""
    return tuple(sorted(file.stem for file in SPECS.glob("*.yaml")))


def folder_of(name: str, settings: Settings) -> Path:
    """Return where the app builds this toolchain, in its present form."""
    spec = load_spec(name)
    return settings.workspace / "toolchains" / f"{name}-{fingerprint(spec.locks, spec.python)[:12]}"


def python_of(name: str, settings: Settings) -> Path | None:
    """Return the tool's interpreter: the one of the settings, else the one built here; None if there is none yet."""
    chosen = settings.toolchains[name].python if name in settings.toolchains else None
    if chosen is None:
        folder = folder_of(name, settings)
        return python_in(folder) if is_current(folder, load_spec(name).locks) else None
    if not chosen.exists():
        raise MissingToolError(
            N_("The interpreter of {name} set in the settings is not there: {path}."),
            remedy=N_("Correct toolchains.{name}.python, or remove it to have the environment built here."),
            name=name,
            path=chosen,
        )
    return chosen


def install_command(name: str, settings: Settings) -> Command:
    """Return the program that builds the toolchain, or ends at once where it is ready."""
    spec = load_spec(name)
    steps = [
        part
        for step in spec.locks
        for part in ("--lock" if step.dependencies else "--lock-alone", step.lock.relative_to(PROJECT).as_posix())
    ]
    builder = (sys.executable, "-m", "core.jobs.environments", "build", str(folder_of(name, settings)))
    return Command((*builder, "--python", spec.python, *steps), PROJECT)


def ensure(name: str, *, settings: Settings, context: Visible, until: float = 0.3) -> Path:
    """Return the tool's interpreter; build its environment first where it is missing, as a visible step of the run.

    `until` is the share of the run's progress that building may take. Raises ToolFailedError when packages
    cannot be had, RunCancelledError when the run is stopped; a later run goes on from what was fetched.
    """
    python = python_of(name, settings)
    if python is not None:
        return python
    title = load_spec(name).title
    watch = _InstallWatch()

    def show(line: str) -> None:
        watch.read(line)
        context.progress(
            watch.fraction * until, N_("Building the environment of {tool}: {step}"), tool=title, step=watch.step
        )

    context.execute(folder_of(name, settings).name, lambda: install_command(name, settings), on_line=show)
    python = python_of(name, settings)
    if python is None:  # built by an earlier attempt of this run, deleted since
        raise MissingToolError(
            N_("The environment of {tool} was removed while a run needed it."),
            remedy=N_("Start the run again; the environment is then built again."),
            tool=title,
        )
    return python


def check(name: str, settings: Settings, *, imports: bool = False) -> ToolchainReport:
    """Look at a tool's environment; with `imports` also import the tool, which may take half a minute."""
    try:
        spec = load_spec(name)
        python = python_of(name, settings)
    except StudioError as problem:
        return ToolchainReport(False, problem.message.format(**problem.values), problem.remedy.format(**problem.values))
    if python is None:
        remedy = N_("Built on first use, or now by `make toolchains`.")
        return ToolchainReport(False, N_("not built yet"), remedy, absent=True)
    asked = json.dumps([spec.shows, spec.imports if imports else ()])
    answer = run_briefly(Command((str(python), "-W", "ignore", "-c", _EXAMINE, asked), PROJECT), timeout=180)
    if answer.returncode != 0:
        reason = answer.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return ToolchainReport(False, f"{python}: {reason}", N_("Delete its folder and run `make toolchains`."), python)
    versions: dict[str, str] = json.loads(answer.stdout.splitlines()[-1])
    named = ", ".join(f"{package} {version}" for package, version in versions.items())
    return ToolchainReport(True, f"{python}: {named}", python=python, versions=versions)


class _InstallWatch:
    """Reads how far the builder is from what it prints; never goes back."""

    _STAGES = (("Resolved", 0.1), ("Prepared", 0.85), ("Installed", 0.95))

    def __init__(self) -> None:
        self.fraction = 0.0
        self.step = ""
        self._asked = 0
        self._arrived = 0

    def read(self, line: str) -> None:
        """Take one line of output in."""
        text = line.strip()
        if not text or text.startswith(("+ ", "- ", "~ ")):
            return
        self.step = text
        self._asked += text.startswith("Downloading")
        self._arrived += text.startswith("Downloaded")
        reached = [share for begin, share in self._STAGES if text.startswith(begin)]
        fetched = 0.1 + 0.7 * self._arrived / self._asked if self._asked else 0.0
        self.fraction = max(self.fraction, *reached, fetched)
