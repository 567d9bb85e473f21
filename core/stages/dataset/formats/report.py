"""What was found wrong while a dataset was read: said record by record, with its place and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a record that is not as it should be."""

    REPAIRED = "repaired"
    REFUSED = "refused"
    NOTED = "noted"
    """Taken as it is; somebody should know."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands."""

    file: str
    line: int
    """From 1: the line it begins on, or the row of a table."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was not as it should be."""

    verdict: Verdict
    message: str
    """A template; a page translates it and fills in the values."""
    values: Mapping[str, object]
    place: Place | None = None

    def __str__(self) -> str:
        where = f"{self.place.file}:{self.place.line}: " if self.place else ""
        return f"{where}{self.verdict}: {self.message.format(**self.values)}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """How reading went."""

    read: int
    """Records that became samples, the repaired ones among them."""
    repaired: int
    refused: int
    findings: tuple[Finding, ...] = ()
    """The first of them; the counts above are of all."""
    unknown_fields: Mapping[str, int] = field(default_factory=dict)
    """Fields nobody here knows -> in how many records; they are left behind."""
