"""What people preferred when two were put before them without their names."""

from __future__ import annotations

import sqlalchemy as sa

from core.domain.training import Vote
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row, to_row


class Votes(Rooms):
    """One vote, one record; nobody's vote is changed afterwards."""

    def add(self, vote: Vote) -> None:
        """Store a vote."""
        with self._writing() as db:
            db.execute(sa.insert(t.vote).values(**to_row(vote)))

    def of_run(self, run_id: str) -> list[Vote]:
        """Return the votes on what a run made, oldest first."""
        query = sa.select(t.vote).where(t.vote.c.run_id == run_id).order_by(t.vote.c.voted_at, t.vote.c.id)
        with self._reading() as db:
            return [from_row(Vote, row) for row in db.execute(query)]
