"""What was changed: every edit is an event with who, when, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.domain.identity import now
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row

_KEPT_FOR_THE_PROGRAM = frozenset({"revision", "reviewed_by", "disputed"})


@dataclass(frozen=True, slots=True)
class Event:
    """One change to one record."""

    id: int
    at: datetime
    who: str
    entity: str
    entity_id: str
    action: str
    before: Mapping[str, Any] | None
    """What the changed fields held; the whole record when it was removed, None when it was created."""
    after: Mapping[str, Any] | None
    """What they hold since; the whole record when it was created, None when it was removed."""
    undoes: int | None
    batch: str | None = None
    """Shared by the events of one change to several records."""
    persona_id: str | None = None
    """On the first event of a change that can be undone: whose text was changed."""
    records: int | None = None
    """On the same event: how many records the change touched."""

    @property
    def changed(self) -> list[tuple[str, Any, Any]]:
        """What a person would call the change: (field, before, after), without the program's own counts and marks."""
        before, after = self.before or {}, self.after or {}
        names = [name for name in {**before, **after} if name not in _KEPT_FOR_THE_PROGRAM]
        return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def record_event(
    db: sa.Connection,
    *,
    who: str,
    entity: str,
    entity_id: str,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    """Write an event in the caller's transaction, so that a change and its event stand or fall together.

    `more` are `undoes`, `batch`, `persona_id` and `records`.
    """
    values = {"at": now(), "who": who, "entity": entity, "entity_id": entity_id, "action": action, **more}
    db.execute(sa.insert(t.event).values(**values, before=before, after=after))


def replayed(start: Mapping[str, Any] | None, history: Iterable[Event]) -> Mapping[str, Any] | None:
    """Return what a record is after these changes, oldest first; None when it was removed.

    Raises ValueError when a change did not begin where the one before it had ended: then one of them was lost.
    """
    state = None if start is None else dict(start)
    for event in history:
        found = None if state is None or event.before is None else {name: state.get(name) for name in event.before}
        if (state is None) != (event.before is None) or found != (event.before and dict(event.before)):
            raise ValueError(f"event {event.id} of {event.entity_id} began at {event.before}, not at {state}")
        state = {**state, **event.after} if state is not None and event.after is not None else _whole(event.after)
    return state


def rewound(present: Mapping[str, Any] | None, history: Iterable[Event]) -> Mapping[str, Any] | None:
    """Return what a record was before these changes, oldest first; None when the first of them created it."""
    state = None if present is None else dict(present)
    for event in reversed(list(history)):
        state = {**state, **event.before} if state is not None and event.before is not None else _whole(event.before)
    return state


def _whole(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if record is None else dict(record)


class Events(Rooms):
    """The history of records."""

    def add(self, *, who: str, entity: str, entity_id: str, action: str) -> None:
        """Write an event that changes no other record."""
        with self._writing() as db:
            record_event(db, who=who, entity=entity, entity_id=entity_id, action=action)

    def of(self, entity: str, entity_id: str, *, limit: int = 100) -> list[Event]:
        """Return a record's changes, newest first."""
        with self._reading() as db:
            return [from_row(Event, row) for row in db.execute(_changes(entity, entity_id).limit(limit))]

    def history(self, entity: str, entity_id: str) -> list[Event]:
        """Return all of a record's changes, oldest first, as `replayed` takes them."""
        with self._reading() as db:
            return [from_row(Event, row) for row in db.execute(_changes(entity, entity_id))][::-1]


def _changes(entity: str, entity_id: str) -> sa.Select[Any]:
    table = t.event.c
    return sa.select(t.event).where(table.entity == entity, table.entity_id == entity_id).order_by(table.id.desc())
