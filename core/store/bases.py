"""The base models that were brought into the workspace."""

from __future__ import annotations

import sqlalchemy as sa

from core.domain.training import Base
from core.errors import NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, plain, to_row
from core.translation import N_


class Bases(Rooms):
    """Base models; they belong to the workspace, not to a persona."""

    def put(self, base: Base, *, who: str = "app") -> None:
        """Register a base model, in place of one of the same id."""
        with self._writing() as db:
            db.execute(sa.delete(t.base).where(t.base.c.id == base.id))
            db.execute(sa.insert(t.base).values(**to_row(base)))
            record_event(db, who=who, entity="base", entity_id=base.id, action="register", after=plain(base))

    def get(self, base_id: str) -> Base:
        """Return the base model; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.base).where(t.base.c.id == base_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                N_("There is no base model {base}."),
                remedy=N_("Choose another one, or bring it in on the fine-tuning page."),
                base=base_id,
            )
        return from_row(Base, row)

    def all(self) -> list[Base]:
        """Return every base model, newest first."""
        with self._reading() as db:
            return [from_row(Base, row) for row in db.execute(sa.select(t.base).order_by(t.base.c.created_at.desc()))]

    def folder_of(self, name: str) -> str:
        """Return where the base model of that id lies, relative to the workspace; a name of none is a folder itself."""
        with self._reading() as db:
            known = db.execute(sa.select(t.base.c.folder).where(t.base.c.id == name)).scalar()
        return known or name

    def delete(self, base_id: str, *, who: str) -> None:
        """Forget a base model; its folder is the caller's."""
        base = self.get(base_id)
        with self._writing() as db:
            db.execute(sa.delete(t.base).where(t.base.c.id == base_id))
            record_event(db, who=who, entity="base", entity_id=base_id, action="delete", before=plain(base))
