"""What was changed: every edit is an event with who, when, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.domain.identity import now
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row


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
    after: Mapping[str, Any] | None
    undoes: int | None


def record_event(
    db: sa.Connection,
    *,
    who: str,
    entity: str,
    entity_id: str,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    undoes: int | None = None,
) -> None:
    """Write an event in the caller's transaction, so that a change and its event stand or fall together."""
    values = {"at": now(), "who": who, "entity": entity, "entity_id": entity_id, "action": action}
    db.execute(sa.insert(t.event).values(**values, before=before, after=after, undoes=undoes))


class Events(Rooms):
    """The history of records."""

    def add(self, *, who: str, entity: str, entity_id: str, action: str) -> None:
        """Write an event that changes no other record."""
        with self._writing() as db:
            record_event(db, who=who, entity=entity, entity_id=entity_id, action=action)

    def of(self, entity: str, entity_id: str, *, limit: int = 100) -> list[Event]:
        """Return a record's changes, newest first."""
        query = (
            sa.select(t.event)
            .where(t.event.c.entity == entity, t.event.c.entity_id == entity_id)
            .order_by(t.event.c.id.desc())
            .limit(limit)
        )
        with self._reading() as db:
            return [from_row(Event, row) for row in db.execute(query)]
