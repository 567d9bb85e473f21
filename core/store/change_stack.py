"""What a person may take back: their own changes to one kind of record as a stack, read from the events alone.

A change of several records is one batch of events; its first event carries the persona and stands for all of it.
An undo is a change that names the change it takes back, a redo one that names the undo; nothing is ever erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from core.errors import ConflictError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import Event
from core.store.records import from_row
from core.translation import N_

UNDO, REDO = "undo", "redo"
_LOOK_BACK = 20
"""Changes read at once on the way back."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back or done again."""

    action: str
    """The verb of the change: edit, split, merge, restore."""
    records: int
    first_id: str
    """The record that stands for the change."""


class Undoing(Rooms):
    """Taking back what people did to one kind of record, as new events; a room says how its records are turned back."""

    entity: ClassVar[str]
    table: ClassVar[sa.Table]

    def undoable(self, who: str, persona_id: str) -> Event | None:
        """Return the change that `undo` would take back; it stands for all of its batch."""
        with self._reading() as db:
            return _latest(db, who, persona_id, UNDO, self.entity, self._alive)

    def redoable(self, who: str, persona_id: str) -> Event | None:
        """Return the undo that `redo` would reverse."""
        with self._reading() as db:
            return _latest(db, who, persona_id, REDO, self.entity, self._alive)

    def undo(self, who: str, persona_id: str) -> Undone | None:
        """Take back this person's latest change that is not undone yet, all of it; None when there is none.

        Raises ConflictError, and undoes nothing, when somebody else changed one of its records since.
        """
        return self._reverse(who, persona_id, UNDO)

    def redo(self, who: str, persona_id: str) -> Undone | None:
        """Do again what this person took back last; None when there is nothing or something was changed since."""
        return self._reverse(who, persona_id, REDO)

    def _reverse(self, who: str, persona_id: str, action: str) -> Undone | None:
        with self._writing() as db:
            _one_at_a_time(db, f"{who} {persona_id} {self.entity}")
            head = _latest(db, who, persona_id, action, self.entity, self._alive)
            if head is None:
                return None
            self._lock(db, of_change(head))
            _refuse_if_changed_by_another(db, of_change(head), who)
            records = self._turn_back(db, head, who, persona_id, action)
            return Undone(_original(db, head).action, records, head.entity_id)

    def _alive(self, db: sa.Connection, head: Event) -> bool:
        """Return whether the change can be taken back: what it was done to has not gone with its source."""
        raise NotImplementedError

    def _lock(self, db: sa.Connection, which: sa.ColumnElement[bool]) -> None:
        """Keep others from the records of these events until the transaction ends."""
        record = self.table.c.id
        ours = sa.select(record).where(record.in_(sa.select(t.event.c.entity_id).where(which)))
        db.execute(sa.select(sa.func.count()).select_from(ours.order_by(record).with_for_update().subquery()))

    def _turn_back(self, db: sa.Connection, head: Event, who: str, persona_id: str, action: str) -> int:
        """Give the records of a change what they held before it; return how many there are."""
        raise NotImplementedError


def _latest(
    db: sa.Connection,
    who: str,
    persona_id: str,
    action: str,
    entity: str,
    alive: Callable[[sa.Connection, Event], bool],
) -> Event | None:
    """Return the change to undo or the undo to redo, None when there is none; `alive` says whether its records are.

    An undo cancels the change it names, a redo the undo it names; what is cancelled counts as not there.
    """
    cancelled: set[int | None] = set()
    for head in _heads(db, who, persona_id, entity):
        gone = head.id in cancelled
        if head.action == REDO or (head.action == UNDO and not gone):
            if head.action == UNDO and action == REDO and alive(db, head):
                return head
            cancelled.add(head.undoes)
        elif not gone and action == REDO:
            return None
        elif not gone and alive(db, head):
            return head
    return None


def _heads(db: sa.Connection, who: str, persona_id: str, entity: str) -> Iterator[Event]:
    table = t.event.c
    ours = (table.who == who) & (table.persona_id == persona_id) & (table.entity == entity)
    below: int | None = None
    while True:
        query = sa.select(t.event).where(ours).order_by(table.id.desc()).limit(_LOOK_BACK)
        found = [from_row(Event, row) for row in db.execute(query if below is None else query.where(table.id < below))]
        yield from found
        if len(found) < _LOOK_BACK:
            return
        below = found[-1].id


def of_change(head: Event) -> sa.ColumnElement[bool]:
    """Return the rule that an event belongs to the change this one stands for."""
    return t.event.c.batch == head.batch if head.batch else t.event.c.id == head.id


def _original(db: sa.Connection, head: Event) -> Event:
    """Return the change that an undo or a redo is about in the end."""
    while head.action in (UNDO, REDO) and head.undoes is not None:
        head = from_row(Event, db.execute(sa.select(t.event).where(t.event.c.id == head.undoes)).one())
    return head


def _one_at_a_time(db: sa.Connection, key: str) -> None:
    """Let a person's undos wait for each other: two tabs would else take back the same change."""
    if db.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))


def _refuse_if_changed_by_another(db: sa.Connection, which: sa.ColumnElement[bool], who: str) -> None:
    """Raise ConflictError when somebody else changed one of the records of these events since."""
    later = t.event.alias().c
    same = (later.entity == t.event.c.entity) & (later.entity_id == t.event.c.entity_id) & (later.id > t.event.c.id)
    query = sa.select(later.who).where(which, same, later.who != who).limit(1)
    other = db.execute(query).scalar()
    if other is not None:
        raise ConflictError(
            N_("{who} changed one of these lines since; nothing was undone."),
            remedy=N_("Look at the line's changes and edit it instead."),
            who=other,
        )
