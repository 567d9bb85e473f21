"""Stands for the trainers' settings: what is missing in them ends the program."""

from __future__ import annotations

from typing import Any


def required(settings: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the values by their dotted names; AttributeError for the first that is not there."""
    found = {}
    for name in names:
        value: Any = settings
        for part in name.split("."):
            if part not in value:
                raise AttributeError(f"'HParams' object has no attribute '{part}'")
            value = value[part]
        found[name] = value
    return found
