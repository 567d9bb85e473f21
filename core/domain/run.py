"""A run: any work longer than two seconds, with everything needed to trust and to repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any


class RunState(StrEnum):
    """Written, never guessed."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    """Said to be running, but nothing executes it and nothing can resume it."""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen unless somebody asks for it."""
        return self not in OPEN


OPEN = (RunState.QUEUED, RunState.RUNNING)
"""States of a run that somebody will still work on."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    fraction: float | None = None
    """0 to 1; None while it cannot be known."""
    message: str = ""
    """A template marked for translation."""
    values: Mapping[str, Any] = field(default_factory=dict)
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A program to start, as plain data, so that a test can compare it and the run can show it."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment, never instead of it; shown with the run, so no secrets."""
    pty: bool = False
    """Give the program a terminal; some show progress only there."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a program ended."""

    returncode: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run failed, as shown to people."""

    message: str
    remedy: str
    values: Mapping[str, Any] = field(default_factory=dict)
    traceback: str = ""
    """Of a bug; empty for an expected failure."""


@dataclass(frozen=True, slots=True)
class Run:
    """One piece of work and all it left behind; files lie in `workspace/runs/<id>/`."""

    id: str
    kind: str
    """The job's name in the table of jobs, e.g. `finetuning`."""
    persona_id: str
    queue: str
    state: RunState
    settings: Mapping[str, Any]
    inputs: Mapping[str, Any]
    """Fingerprints of what it reads."""
    created_at: datetime
    created_by: str
    attempt: int = 1
    """Counts resumes; the folder stays the same."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: Progress = field(default_factory=Progress)
    commands: tuple[Mapping[str, Any], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    error: RunError | None = None
    stop_requested: bool = False
    worker: str | None = None
