"""What may go wrong and is expected: each failure says what happened and what to do.

Messages are templates (`"{name} is empty."`) with their values beside them, so that a page can
translate the template and then fill it in. Anything else that is raised is a bug and stays loud.
"""

from __future__ import annotations

from typing import Any


class StudioError(Exception):
    """An expected failure with its remedy; pages show it as a message, the CLI prints it and exits with 2."""

    def __init__(self, message: str, *, remedy: str, **values: object) -> None:
        super().__init__(message, remedy, values)
        self.message = message
        self.remedy = remedy
        self.values = values

    def __str__(self) -> str:
        return f"{self.message.format(**self.values)} {self.remedy.format(**self.values)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.remedy, self.values)


def _rebuild(kind: type[StudioError], message: str, remedy: str, values: dict[str, object]) -> StudioError:
    return kind(message, remedy=remedy, **values)


class NotFoundError(StudioError):
    """The record asked for is not in the store."""


class InvalidInputError(StudioError):
    """A file or value given by a person cannot be used."""


class TooManyError(InvalidInputError):
    """Somebody asked more often than is allowed; the value `seconds` tells how long to wait."""

    @property
    def retry_after(self) -> int:
        """Whole seconds after which it will be allowed, at least 1: what HTTP calls Retry-After."""
        seconds = self.values.get("seconds")
        return max(seconds, 1) if isinstance(seconds, int) else 1


class SettingsError(StudioError):
    """A setting is unknown, of the wrong type, or out of range."""


class MissingArtifactError(StudioError):
    """A stage needs what an earlier stage has not made yet."""


class MissingToolError(StudioError):
    """A program, package or environment this needs is not installed."""


class ToolFailedError(StudioError):
    """A program ran and did not do what it was asked to do."""


class ConflictError(StudioError):
    """Somebody else changed the record first."""


class DiskFullError(StudioError):
    """Nothing more can be written where the workspace or its database lies."""


class RunCancelledError(StudioError):
    """The run was asked to stop; raised inside the run so that it ends where it stands."""
