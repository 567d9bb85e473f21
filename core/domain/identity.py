"""Names for records: short, random, sortable by kind."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime
from typing import Any


def new_id(prefix: str) -> str:
    """Return a fresh identifier such as `run-3f9a0c12d4`; 40 random bits, safe in a path and in a URL."""
    return f"{prefix}-{secrets.token_hex(5)}"


def now() -> datetime:
    """Return the current time, UTC, aware."""
    return datetime.now(UTC)


def fingerprint(value: Any) -> str:
    """Return the sha256 (hex) of a JSON value in canonical form: the same content, the same fingerprint."""
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
