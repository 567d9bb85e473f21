"""Recordings: sound and video files as they were imported."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from core.domain.voice import Recording
from core.errors import ConflictError, NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, plain, to_row
from core.translation import N_


class Voice(Rooms):
    """Recordings of a persona."""

    def add_recording(self, recording: Recording, *, who: str = "app") -> None:
        """Store a recording; ConflictError when this persona already has that file."""
        table = t.recording.c
        same = sa.select(table.name).where(table.persona_id == recording.persona_id, table.sha256 == recording.sha256)
        with self._writing() as db:
            if (known := db.execute(same).scalar()) is not None:
                raise ConflictError(
                    N_("{name} is already there, as {known}."),
                    remedy=N_("Choose it from the list of recordings."),
                    name=recording.name,
                    known=known,
                )
            db.execute(sa.insert(t.recording).values(**to_row(recording)))
            record_event(
                db, who=who, entity="recording", entity_id=recording.id, action="import", after=plain(recording)
            )

    def recording(self, recording_id: str) -> Recording:
        """Return the recording; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.recording).where(t.recording.c.id == recording_id)).one_or_none()
        if row is None:
            raise _gone(recording_id)
        return from_row(Recording, row)

    def recordings(self, persona_id: str) -> list[Recording]:
        """Return a persona's recordings, newest first."""
        table = t.recording.c
        query = sa.select(t.recording).where(table.persona_id == persona_id).order_by(table.imported_at.desc())
        with self._reading() as db:
            return [from_row(Recording, row) for row in db.execute(query)]

    def put_subtitles(self, recording_id: str, name: str, sha256: str, *, who: str) -> Recording:
        """Put subtitles beside a recording, in place of those it has; return it as it is now."""
        before = self.recording(recording_id)
        after = replace(before, subtitles_name=name, subtitles_sha256=sha256)
        fields = ("subtitles_name", "subtitles_sha256")
        old, new = ({field: getattr(one, field) for field in fields} for one in (before, after))
        with self._writing() as db:
            db.execute(sa.update(t.recording).where(t.recording.c.id == recording_id).values(**new))
            record_event(db, who=who, entity="recording", entity_id=recording_id, action="edit", before=old, after=new)
        return after

    def delete_recording(self, recording_id: str, *, who: str) -> None:
        """Delete a recording with its clips; its files stay, for sets that were frozen of them.

        Raises ConflictError, naming them, when clips of it are in a set.
        """
        recording = self.recording(recording_id)
        member, frozen = t.clip_set_member.c, t.clip_set.c
        sets = sa.select(frozen.name).where(
            frozen.id.in_(sa.select(member.clip_set_id).where(member.recording_id == recording_id))
        )
        with self._writing() as db:
            if users := list(db.execute(sets).scalars()):
                raise ConflictError(
                    N_("{name} is in use and cannot be deleted: {users}."),
                    remedy=N_("A voice must be able to say on what it was trained; keep the recording."),
                    name=recording.name,
                    users=", ".join(users),
                )
            db.execute(sa.delete(t.recording).where(t.recording.c.id == recording_id))
            record_event(
                db,
                who=who,
                entity="recording",
                entity_id=recording_id,
                action="delete",
                before=plain(recording),
            )


def _gone(record_id: str) -> NotFoundError:
    return NotFoundError(
        N_("{record} is not in the voice dataset any more."),
        remedy=N_("Choose another one from the list."),
        record=record_id,
    )
