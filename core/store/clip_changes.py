"""How a change to clips is written and taken back: records and events together, in one transaction.

Clips are few (thousands), and their effects and measures are JSON, so that each is written on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import sqlalchemy as sa

from core.domain.identity import new_id
from core.domain.voice import Clip
from core.errors import ConflictError
from core.store import tables as t
from core.store.change_stack import Undoing, of_change
from core.store.events import Event, record_event
from core.store.records import from_json, from_row, plain, to_row
from core.translation import N_

ENTITY = "clip"
_MARKS = ("revision", "reviewed_by")
_FIELDS = tuple(one.name for one in fields(Clip))

Step = tuple[Clip | None, Clip | None]
"""A clip before and after a change; None before it was created and after it was removed."""


@dataclass(frozen=True, slots=True)
class Change:
    """Who does what to whose clips."""

    who: str
    persona_id: str
    action: str


def locked(db: sa.Connection, which: sa.ColumnElement[bool]) -> list[Clip]:
    """Return these clips; until the transaction ends nobody else changes them."""
    # Everybody locks in the order of the ids, so that two of them never wait for each other.
    query = sa.select(t.clip).where(which).order_by(t.clip.c.id).with_for_update()
    return [from_row(Clip, row) for row in db.execute(query)]


def seen(db: sa.Connection, clip_id: str, revision: int) -> Clip:
    """Return the clip, locked; ConflictError when it is not at the revision that somebody saw."""
    found = locked(db, t.clip.c.id == clip_id)
    if not found or found[0].revision != revision:
        raise stale()
    return found[0]


def stale() -> ConflictError:
    """Return what the second of two editors is told."""
    return ConflictError(
        N_("Somebody changed this clip while you were at it."),
        remedy=N_("Look at it again; your change was not written."),
    )


def write(db: sa.Connection, change: Change, steps: Sequence[Step], undoes: Sequence[int] = ()) -> None:
    """Write clips and an event each; the first event stands for all. `undoes` are the events that the steps reverse."""
    batch = new_id("batch") if len(steps) > 1 else None
    for number, (before, after) in enumerate(steps):
        one = after or before
        if one is None:
            raise ValueError("a step from nothing to nothing")
        head = {"persona_id": change.persona_id, "records": len(steps)} if number == 0 else {}
        _put(db, before, after)
        names = _changed(before, after)
        record_event(
            db,
            who=change.who,
            entity=ENTITY,
            entity_id=one.id,
            action=change.action,
            before=_held(before, names),
            after=_held(after, names),
            batch=batch,
            undoes=undoes[number] if undoes else None,
            **head,
        )


def _put(db: sa.Connection, before: Clip | None, after: Clip | None) -> None:
    if after is None:
        db.execute(sa.delete(t.clip).where(t.clip.c.id == (before.id if before else "")))
    elif before is None:
        db.execute(sa.insert(t.clip).values(**to_row(after)))
    else:
        old = to_row(before)
        changed = {name: value for name, value in to_row(after).items() if value != old[name]}
        db.execute(sa.update(t.clip).where(t.clip.c.id == after.id).values(**changed))


def _changed(before: Clip | None, after: Clip | None) -> Sequence[str]:
    if before is None or after is None:
        return _FIELDS
    return [name for name in _FIELDS if name in _MARKS or getattr(before, name) != getattr(after, name)]


def _held(clip: Clip | None, names: Iterable[str]) -> dict[str, Any] | None:
    if clip is None:
        return None
    whole = plain(clip)
    return {name: whole[name] for name in names}


class ClipUndoing(Undoing):
    """Taking changes of clips back."""

    entity = ENTITY
    table = t.clip

    def _alive(self, db: sa.Connection, head: Event) -> bool:
        event = t.event.c
        cut_from = sa.func.coalesce(event.before["recording_id"].as_string(), event.after["recording_id"].as_string())
        clip = sa.select(t.clip.c.id).where(t.clip.c.id == event.entity_id).exists()
        recording = sa.select(t.recording.c.id).where(t.recording.c.id == cut_from).exists()
        query = sa.select(event.id).where(of_change(head), clip | recording).limit(1)
        return db.execute(query).first() is not None

    def _turn_back(self, db: sa.Connection, head: Event, who: str, persona_id: str, action: str) -> int:
        query = sa.select(t.event).where(of_change(head)).order_by(t.event.c.id)
        events = [from_row(Event, row) for row in db.execute(query)]
        here = {one.id: one for one in locked(db, t.clip.c.id.in_([event.entity_id for event in events]))}
        turned = [(event.id, step) for event in events if (step := _back(here.get(event.entity_id), event))]
        steps = [step for _event, step in turned]
        write(db, Change(who, persona_id, action), steps, [event for event, _step in turned])
        return len(steps)


def _back(clip: Clip | None, event: Event) -> Step | None:
    """Return the step that takes back what an event did to a clip that is here now; None when nothing is left to do."""
    if event.before is None:
        return (clip, None) if clip else None
    if clip is None:
        if event.after is not None:
            return None  # removed since, with its recording
        whole = from_json(Clip, event.before)
        return (None, replace(whole, revision=whole.revision + 1))
    kept = plain(clip)
    before = from_json(Clip, {**kept, **event.before})
    return (clip, replace(before, revision=clip.revision + 1))
