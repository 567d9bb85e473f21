"""What is worth knowing before something starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know before the start; message and remedy are templates marked for translation."""

    blocking: bool
    message: str
    remedy: str
    values: Mapping[str, Any] = field(default_factory=dict)
