"""Undo and redo: each person's own changes to a persona's lines, newest first, told by the events alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from core.domain.identity import new_id
from core.domain.text import Utterance
from core.store import tables as t
from core.store.change_stack import Undoing, of_change
from core.store.changes import CONSTANT, ENTITY, Change, as_json, constants, follow, locked, put, read
from core.store.events import Event, record_event
from core.store.records import from_json, from_row, plain


class LineUndoing(Undoing):
    """Taking changes of lines back; many at once by statement."""

    entity = ENTITY
    table = t.utterance

    def _alive(self, db: sa.Connection, head: Event) -> bool:
        line = sa.select(t.utterance.c.id).where(t.utterance.c.id == t.event.c.entity_id).exists()
        return db.execute(sa.select(t.event.c.id).where(of_change(head), line).limit(1)).first() is not None

    def _turn_back(self, db: sa.Connection, head: Event, who: str, persona_id: str, action: str) -> int:
        change, which = Change(who, persona_id, action, new_id("batch")), of_change(head)
        names = list(head.before or {})
        _turn_fields_back(db, change, which, names)
        _recreate_and_remove(db, change, which)
        return follow(db, change, names, head.id)


def _turn_fields_back(db: sa.Connection, change: Change, which: sa.ColumnElement[bool], names: Sequence[str]) -> None:
    """Write the events that give changed lines what they held before."""
    line, event = t.utterance.c, t.event.c
    fields = [name for name in names if name != "revision"]
    before = as_json(db, {name: line[name] for name in (*fields, "revision")})
    after = as_json(db, {name: read(event.before, line[name]) for name in fields} | {"revision": line.revision + 1})
    turned = (
        sa.select(*constants(change), event.entity_id, event.id, before, after)
        .join(t.utterance, line.id == event.entity_id)
        .where(which, event.before.is_not(None), event.after.is_not(None))
        .order_by(event.id)
    )
    columns = [*CONSTANT, "entity_id", "undoes", "before", "after"]
    db.execute(sa.insert(t.event).from_select(columns, turned))


def _recreate_and_remove(db: sa.Connection, change: Change, which: sa.ColumnElement[bool]) -> None:
    """Remove the lines that the change had created, and bring back those it had removed; these are always few."""
    event = t.event.c
    query = sa.select(t.event).where(which, event.before.is_(None) | event.after.is_(None)).order_by(event.id)
    for old in [from_row(Event, row) for row in db.execute(query)]:
        here = locked(db, t.utterance.c.id == old.entity_id)
        before, after = (here[0] if here else None), None
        if old.before is not None and before is None:
            whole = from_json(Utterance, old.before)
            after = replace(whole, revision=whole.revision + 1)
        if before is not None or after is not None:
            put(db, old.entity_id, before, after)
            record_event(
                db,
                who=change.who,
                entity=ENTITY,
                entity_id=old.entity_id,
                action=change.action,
                before=plain(before) if before else None,
                after=plain(after) if after else None,
                undoes=old.id,
                batch=change.batch,
            )
