"""How a change to lines is written: lines and events together, one after another for few, by statement for many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from core.domain.identity import new_id, now
from core.domain.text import Utterance
from core.errors import ConflictError
from core.store import tables as t
from core.store.events import record_event
from core.store.records import from_row, plain, to_row
from core.translation import N_

ENTITY = "utterance"
MARKS = ("revision", "reviewed_by", "disputed")
"""Fields of a line that every change touches."""
_BOOLEAN = {column.name for column in t.utterance.c if isinstance(column.type, sa.Boolean)}

Step = tuple[Utterance | None, Utterance | None]
"""A line before and after a change; None before it was created and after it was removed."""


@dataclass(frozen=True, slots=True)
class Change:
    """Who does what to whose lines; `batch` is shared by its events."""

    who: str
    persona_id: str
    action: str
    batch: str


def begun(db: sa.Connection, source_id: str, who: str, action: str) -> Change:
    """Return a change to lines of that source."""
    persona = db.execute(sa.select(t.source.c.persona_id).where(t.source.c.id == source_id)).scalar_one()
    return Change(who, persona, action, new_id("batch"))


def locked(db: sa.Connection, which: sa.ColumnElement[bool]) -> list[Utterance]:
    """Return these lines; until the transaction ends nobody else changes them."""
    # Everybody locks in the order of the ids, so that two of them never wait for each other.
    query = sa.select(t.utterance).where(which).order_by(t.utterance.c.id).with_for_update()
    return [from_row(Utterance, row) for row in db.execute(query)]


def seen(db: sa.Connection, utterance_id: str, revision: int) -> Utterance:
    """Return the line, locked; ConflictError when it is not at the revision that somebody saw."""
    found = locked(db, t.utterance.c.id == utterance_id)
    if not found or found[0].revision != revision:
        raise stale()
    return found[0]


def stale() -> ConflictError:
    """Return what the second of two editors is told."""
    return ConflictError(
        N_("Somebody changed this line while you were looking at it."),
        remedy=N_("Look at it again; your change was not written."),
    )


def write(db: sa.Connection, change: Change, steps: Sequence[Step]) -> None:
    """Write a few lines and an event each; the first step is of a line that was there before and stays."""
    names = _changed(steps)
    for number, (before, after) in enumerate(steps):
        line = after or before
        if line is None:
            raise ValueError("a step from nothing to nothing")
        both = before is not None and after is not None
        head = {"persona_id": change.persona_id, "records": len(steps)} if number == 0 else {}
        put(db, line.id, before, after)
        record_event(
            db,
            who=change.who,
            entity=ENTITY,
            entity_id=line.id,
            action=change.action,
            before=_held(before, names if both else None),
            after=_held(after, names if both else None),
            batch=change.batch if len(steps) > 1 else None,
            **head,
        )


def put(db: sa.Connection, line_id: str, before: Utterance | None, after: Utterance | None) -> None:
    """Bring one line from before to after."""
    at = t.utterance.c.id == line_id
    if after is None:
        db.execute(sa.delete(t.utterance).where(at))
    elif before is None:
        db.execute(sa.insert(t.utterance).values(**to_row(after, id=after.id, passage_id=after.passage_id)))
    else:
        old = to_row(before)  # every column named here costs its indexes a write, changed or not
        changed = {name: value for name, value in to_row(after).items() if value != old[name]}
        db.execute(sa.update(t.utterance).where(at).values(**changed))


def _changed(steps: Iterable[Step]) -> list[str]:
    """Return the fields that differ in any of the steps, so that the events of one change all hold the same ones."""
    pairs = [(before, after) for before, after in steps if before is not None and after is not None]
    return [
        one.name
        for one in fields(Utterance)
        if one.name in MARKS or any(getattr(before, one.name) != getattr(after, one.name) for before, after in pairs)
    ]


def _held(line: Utterance | None, names: Sequence[str] | None) -> dict[str, Any] | None:
    if line is None:
        return None
    whole: dict[str, Any] = plain(line)
    return whole if names is None else {name: whole[name] for name in names}


def write_all(db: sa.Connection, change: Change, which: sa.ColumnElement[bool], values: Mapping[str, Any]) -> int:
    """Give all these lines the values, an event each, in two statements; return how many there were."""
    table = t.utterance
    lines = sa.select(table).where(which).order_by(table.c.id).with_for_update().subquery()
    values = {**values, "reviewed_by": change.who, "disputed": False}
    before = as_json(db, {name: lines.c[name] for name in (*values, "revision")})
    after = as_json(
        db,
        {name: sa.literal(value, table.c[name].type) for name, value in values.items()}
        | {"revision": lines.c.revision + 1},
    )
    events = sa.select(*constants(change), lines.c.id, before, after)
    db.execute(sa.insert(t.event).from_select([*CONSTANT, "entity_id", "before", "after"], events))
    return follow(db, change, [*values, "revision"])


CONSTANT = ("at", "who", "entity", "action", "batch")
"""The columns that all events of a change share."""


def constants(change: Change) -> list[sa.ColumnElement[Any]]:
    """Return what is the same in all events of a change, in the order of `CONSTANT`."""
    given = (now(), change.who, ENTITY, change.action, change.batch)
    return [sa.literal(value, t.event.c[name].type) for name, value in zip(CONSTANT, given, strict=True)]


def follow(db: sa.Connection, change: Change, names: Iterable[str], undoes: int | None = None) -> int:
    """Bring lines to what the events of the change say, and let its first event stand for it; return how many."""
    table, event = t.utterance, t.event.c
    ours = event.batch == change.batch
    values = {name: read(event.after, table.c[name]) for name in names}
    db.execute(sa.update(table).where(ours, event.entity_id == table.c.id).values(values))
    first, records = db.execute(sa.select(sa.func.min(event.id), sa.func.count()).where(ours)).one()
    head = {"persona_id": change.persona_id, "records": records} | ({"undoes": undoes} if undoes else {})
    db.execute(sa.update(t.event).where(event.id == first).values(**head))
    return int(records)


def read(record: sa.Column[Any], column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return the value of a line's field in an event's JSON, of the column's type."""
    value = record[column.name]
    found: sa.ColumnElement[Any] = value.as_string()
    if isinstance(column.type, sa.Boolean):
        found = value.as_boolean()
    elif isinstance(column.type, sa.Integer):
        found = value.as_integer()
    elif isinstance(column.type, sa.Float):
        found = value.as_float()
    return found


def as_json(db: sa.Connection, values: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """Return a JSON object of these columns, as this database builds one."""
    sqlite = db.dialect.name == "sqlite"
    parts: list[Any] = []
    for name, value in values.items():
        parts.append(sa.literal(name, sa.Text))
        # SQLite keeps truth as 1 and 0.
        truth = sa.func.json(sa.case((value, "true"), else_="false")) if sqlite and name in _BOOLEAN else value
        parts.append(truth)
    made = sa.func.json_object(*parts) if sqlite else sa.func.json_build_object(*parts)
    return sa.type_coerce(made, t.event.c.before.type)
