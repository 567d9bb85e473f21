"""A program that people fetch themselves, and what was found of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core.errors import StudioError


@dataclass(frozen=True, slots=True)
class Checkout:
    """A program that people fetch themselves, and the interpreter of the environment they made for it."""

    folder: Path
    python: Path


class FileState(StrEnum):
    """What was found of a file that a program needs."""

    THERE = "there"
    MISSING = "missing"
    ODD = "odd"
    """There, but its size is far from what it should be: perhaps half a download."""


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A pretrained file that a model needs."""

    path: str
    """Relative to the checkout."""
    state: FileState
    size: int
    expected: int | None
    """Bytes; None where any size will do."""
    trains: bool
    """Whether training needs it."""
    speaks: bool
    """Whether speaking needs it."""


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What is there of one version of the model."""

    version: str
    files: tuple[NeededFile, ...]

    def missing(self, *, speaking: bool = False) -> tuple[str, ...]:
        """Return the files that training, or speaking, cannot do without and are not there."""
        wanted = (one for one in self.files if (one.speaks if speaking else one.trains))
        return tuple(one.path for one in wanted if one.state is FileState.MISSING)

    @property
    def odd(self) -> tuple[str, ...]:
        """The files whose size is not what it should be; they may be right all the same."""
        return tuple(one.path for one in self.files if one.state is FileState.ODD)


@dataclass(frozen=True, slots=True)
class CheckoutReport:
    """What was found of a checkout and its environment."""

    problems: tuple[StudioError, ...]
    """What stands in the way of every model, each with its remedy."""
    commit: str
    """Empty where the folder is no git checkout."""
    versions: Mapping[str, str] = field(default_factory=dict)
    gpus: tuple[str, ...] = ()
    """Names of the GPUs its environment sees; without one it computes on the processor."""
    models: tuple[ModelReport, ...] = ()
    sources: str = ""
    """Where upstream says to get the files, marked for translation."""

    @property
    def fine(self) -> bool:
        """Whether the program starts; which models are there is another question."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class CheckoutPlace:
    """Where somebody said that a tool is."""

    tool: str
    folder: Path
    python: Path
    changed_by: str
    changed_at: datetime
