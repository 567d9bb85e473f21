"""Clip sets: frozen, each clip as it was, so that a voice can always say on what it was trained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from core.domain.run import Run
from core.domain.voice import ClipSet, SetClip
from core.errors import ConflictError, NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, to_row
from core.translation import N_

_TRAINS = "voice_training"
"""The kind of run that reads sets."""


@dataclass(frozen=True, slots=True)
class SetDifference:
    """What another set has that this one has not, and the other way round; a clip is known by its id."""

    added: tuple[SetClip, ...]
    removed: tuple[SetClip, ...]
    changed: tuple[tuple[SetClip, SetClip], ...]
    """As they were and as they are: other words, other bounds, other sound."""
    same: int


class ClipSets(Rooms):
    """Sets and the clips in them."""

    def add(self, clip_set: ClipSet, clips: Iterable[SetClip], *, who: str = "app") -> None:
        """Store a set with all its clips, or nothing."""
        rows = [to_row(clip, clip_set_id=clip_set.id) for clip in clips]
        with self._writing() as db:
            db.execute(sa.insert(t.clip_set).values(**to_row(clip_set)))
            if rows:
                db.execute(sa.insert(t.clip_set_member), rows)
            made = {"name": clip_set.name, "fingerprint": clip_set.fingerprint, "clips": clip_set.clips}
            record_event(db, who=who, entity="clip_set", entity_id=clip_set.id, action="freeze", after=made)

    def get(self, clip_set_id: str) -> ClipSet:
        """Return the set; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.clip_set).where(t.clip_set.c.id == clip_set_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                N_("There is no clip set {name}."),
                remedy=N_("Choose one of the voice dataset's list, or freeze one."),
                name=clip_set_id,
            )
        return from_row(ClipSet, row)

    def sets(self, persona_id: str) -> list[ClipSet]:
        """Return a persona's sets, newest first."""
        table = t.clip_set.c
        query = sa.select(t.clip_set).where(table.persona_id == persona_id).order_by(table.created_at.desc())
        with self._reading() as db:
            return [from_row(ClipSet, row) for row in db.execute(query)]

    def clips(self, clip_set_id: str, *, after: int = -1, limit: int | None = None) -> list[SetClip]:
        """Return the clips with ordinals above `after`, in order."""
        table = t.clip_set_member.c
        query = sa.select(t.clip_set_member).where(table.clip_set_id == clip_set_id, table.ordinal > after)
        with self._reading() as db:
            return [from_row(SetClip, row) for row in db.execute(query.order_by(table.ordinal).limit(limit))]

    def free_name(self, persona_id: str) -> str:
        """Return the next number no set of the persona is called by."""
        taken = {one.name for one in self.sets(persona_id)}
        number = len(taken) + 1
        while f"c{number}" in taken:
            number += 1
        return f"c{number}"

    def difference(self, old_id: str, new_id: str) -> SetDifference:
        """Return what became of the clips of the old set in the new one."""
        old, new = ({clip.clip_id: clip for clip in self.clips(one)} for one in (old_id, new_id))
        both = [(old[name], new[name]) for name in old if name in new]
        changed = tuple((was, now) for was, now in both if _seen_by_a_trainer(was) != _seen_by_a_trainer(now))
        return SetDifference(
            added=tuple(clip for name, clip in new.items() if name not in old),
            removed=tuple(clip for name, clip in old.items() if name not in new),
            changed=changed,
            same=len(both) - len(changed),
        )

    def usage(self, clip_set_id: str) -> list[Run]:
        """Return the voice trainings that read this set, newest first."""
        with self._reading() as db:
            return _usage(db, clip_set_id)

    def delete(self, clip_set_id: str, *, who: str) -> None:
        """Delete a set for good; ConflictError, naming them, when trainings used it."""
        clip_set = self.get(clip_set_id)
        with self._writing() as db:
            if used := _usage(db, clip_set_id):
                raise ConflictError(
                    N_("{version} is in use and cannot be deleted: {users}."),
                    remedy=N_("What was trained must be able to say on what; keep the version."),
                    version=clip_set.name,
                    users=", ".join(run.id for run in used),
                )
            db.execute(sa.delete(t.clip_set).where(t.clip_set.c.id == clip_set_id))
            record_event(
                db,
                who=who,
                entity="clip_set",
                entity_id=clip_set_id,
                action="delete",
                before={"name": clip_set.name, "note": clip_set.note, "fingerprint": clip_set.fingerprint},
            )


def _seen_by_a_trainer(clip: SetClip) -> tuple[str, ...]:
    return clip.sha256, clip.text, clip.speaker, clip.language


def _usage(db: sa.Connection, clip_set_id: str) -> list[Run]:
    run = t.run.c
    # A run that asked for the newest set has pinned it among its inputs.
    named = [run.settings["clip_set_id"].as_string(), run.inputs["clip_set"].as_string()]
    query = sa.select(t.run).where(run.kind == _TRAINS, sa.or_(*(one == clip_set_id for one in named)))
    return [from_row(Run, row) for row in db.execute(query.order_by(run.created_at.desc()))]
