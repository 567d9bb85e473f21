"""Tables of backends: a row says what a backend is, what it needs, and how to build it lazily."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import MissingToolError, SettingsError
from core.translation import N_

S_contra = TypeVar("S_contra")
B_co = TypeVar("B_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Row(Generic[S_contra, B_co]):
    """One backend: `build` takes what the family gives its backends and imports only then."""

    name: str
    summary: str
    """One line for people, marked for translation."""
    build: Callable[[S_contra], B_co]
    modules: tuple[str, ...] = ()
    """Top-level modules that must be importable."""
    install: str = ""
    """What to type where they are not."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The modules this needs and cannot import; looked up, not imported."""
        return tuple(module for module in self.modules if importlib.util.find_spec(module) is None)


def build(rows: Mapping[str, Row[S_contra, B_co]], name: str, source: S_contra) -> B_co:
    """Build the backend of that name; SettingsError for an unknown one, MissingToolError without its packages."""
    if name not in rows:
        raise SettingsError(
            N_("There is no backend called {name}."),
            remedy=N_("Choose one of: {known}."),
            name=name,
            known=", ".join(rows) or "-",
        )
    row = rows[name]
    if row.missing:
        raise MissingToolError(
            N_("The backend {name} needs {modules}, which this environment lacks."),
            remedy=N_("Install it: {install}"),
            name=name,
            modules=", ".join(row.missing),
            install=row.install or "pip install " + " ".join(row.missing),
        )
    return row.build(source)
