"""Reads JSON that somebody else wrote: an object or nothing, never an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_MOST_BYTES: Final = 64 << 20


def json_file(file: Path) -> Mapping[str, Any]:
    """Return a file's JSON object; empty where it is missing, too large or no object."""
    try:
        return json_object(file.read_bytes()) if file.stat().st_size <= _MOST_BYTES else {}
    except OSError:
        return {}


def json_object(content: str | bytes) -> Mapping[str, Any]:
    """Return the JSON object that stands there; empty where it is none."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
