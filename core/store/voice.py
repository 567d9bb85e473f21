"""Recordings and the clips cut from them."""

from __future__ import annotations

import sqlalchemy as sa

from core.domain.voice import Clip, Recording
from core.errors import ConflictError, NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, plain, to_row
from core.translation import N_


class Voice(Rooms):
    """Recordings and clips of a persona."""

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

    def add_clip(self, clip: Clip, *, who: str = "app") -> None:
        """Store a clip."""
        with self._writing() as db:
            db.execute(sa.insert(t.clip).values(**to_row(clip)))
            record_event(db, who=who, entity="clip", entity_id=clip.id, action="cut", after=plain(clip))

    def clip(self, clip_id: str) -> Clip:
        """Return the clip; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.clip).where(t.clip.c.id == clip_id)).one_or_none()
        if row is None:
            raise _gone(clip_id)
        return from_row(Clip, row)

    def clips(self, persona_id: str) -> list[Clip]:
        """Return a persona's clips, newest first."""
        query = (
            sa.select(t.clip)
            .join(t.recording, t.recording.c.id == t.clip.c.recording_id)
            .where(t.recording.c.persona_id == persona_id)
            .order_by(t.clip.c.created_at.desc())
        )
        with self._reading() as db:
            return [from_row(Clip, row) for row in db.execute(query)]

    def clip_of(self, persona_id: str, utterance_id: str) -> Clip | None:
        """Return the newest clip that speaks that line of the book, if there is one."""
        clips = [clip for clip in self.clips(persona_id) if clip.utterance_id == utterance_id]
        return clips[0] if clips else None

    def delete_clip(self, clip_id: str, *, who: str) -> None:
        """Delete a clip's record; its recording and rendered file stay."""
        before = plain(self.clip(clip_id))
        with self._writing() as db:
            db.execute(sa.delete(t.clip).where(t.clip.c.id == clip_id))
            record_event(db, who=who, entity="clip", entity_id=clip_id, action="delete", before=before)


def _gone(record_id: str) -> NotFoundError:
    return NotFoundError(
        N_("{record} is not in the voice dataset any more."),
        remedy=N_("Choose another one from the list."),
        record=record_id,
    )
