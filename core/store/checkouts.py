"""Where people have put the programs that nobody can fetch for them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from core.domain.checkout import CheckoutPlace
from core.domain.identity import now
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import to_row


class Checkouts(Rooms):
    """One place for each tool."""

    def get(self, tool: str) -> CheckoutPlace | None:
        """Return where the tool is, if somebody has said."""
        with self._reading() as db:
            row = db.execute(sa.select(t.checkout).where(t.checkout.c.tool == tool)).one_or_none()
        return (
            CheckoutPlace(row.tool, Path(row.folder), Path(row.python), row.changed_by, row.changed_at) if row else None
        )

    def put(self, tool: str, folder: Path, python: Path, *, who: str) -> CheckoutPlace:
        """Say where the tool is from now on; what is started later goes there."""
        place = CheckoutPlace(tool, folder, python, who, now())
        before = self.get(tool)
        row = {**to_row(place), "folder": str(folder), "python": str(python)}
        with self._writing() as db:
            db.execute(sa.delete(t.checkout).where(t.checkout.c.tool == tool))
            db.execute(sa.insert(t.checkout).values(**row))
            old = {"folder": str(before.folder), "python": str(before.python)} if before else None
            new = {"folder": str(folder), "python": str(python)}
            record_event(db, who=who, entity="checkout", entity_id=tool, action="place", before=old, after=new)
        return place
