"""Rows to records and back: pydantic checks what the disk gives us, so a record inside is always whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

R = TypeVar("R")


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Return the checker of that kind; building one costs milliseconds, so each is built once."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def from_row(kind: type[R], row: sa.Row[*tuple[Any, ...]]) -> R:
    """Return the record of that kind; columns it has no field for are left out."""
    record: R = _adapter(kind).validate_python(dict(row._mapping))
    return record


def from_json(kind: type[R], values: Mapping[str, Any]) -> R:
    """Return the record that `plain` made these values of."""
    record: R = _adapter(kind).validate_python(dict(values))
    return record


def to_row(record: Any, **more: Any) -> dict[str, Any]:
    """Return the record's columns, nested records as JSON values."""
    return {**_adapter(type(record)).dump_python(record), **more}


def plain(record: Any) -> Any:
    """Return the record as JSON values, for events and fingerprints."""
    return _adapter(type(record)).dump_python(record, mode="json")
