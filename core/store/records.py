"""Rows to records and back: pydantic checks what the disk gives us, so a record inside is always whole."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

R = TypeVar("R")


@lru_cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def from_row(kind: type[R], row: sa.Row[Any]) -> R:
    """Return the record of that kind; columns it has no field for are left out."""
    record: R = _adapter(kind).validate_python(dict(row._mapping))
    return record


def to_row(record: Any, **more: Any) -> dict[str, Any]:
    """Return the record's columns, nested records as JSON values."""
    return {**_adapter(type(record)).dump_python(record), **more}


def plain(record: Any) -> Any:
    """Return the record as JSON values, for events and fingerprints."""
    return _adapter(type(record)).dump_python(record, mode="json")
