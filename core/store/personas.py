"""Who the digital people are."""

from __future__ import annotations

import sqlalchemy as sa

from core.domain.persona import Persona
from core.errors import NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row, to_row
from core.translation import N_


class Personas(Rooms):
    """Personas by id."""

    def put(self, persona: Persona) -> None:
        """Add the persona, or replace what was known about them."""
        row = to_row(persona)
        with self._writing() as db:
            changed = db.execute(sa.update(t.persona).where(t.persona.c.id == persona.id).values(**row))
            if not changed.rowcount:
                db.execute(sa.insert(t.persona).values(**row))

    def get(self, persona_id: str) -> Persona:
        """Return the persona; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.persona).where(t.persona.c.id == persona_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                N_("There is no persona {persona}."),
                remedy=N_("Put configs/personas/{persona}.yaml in place, or choose another persona."),
                persona=persona_id,
            )
        return from_row(Persona, row)

    def all(self) -> list[Persona]:
        """Return everybody, by name."""
        with self._reading() as db:
            return [from_row(Persona, row) for row in db.execute(sa.select(t.persona).order_by(t.persona.c.name))]
