"""What people preferred when two were put before them without their names."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from core.domain.training import Vote
from core.errors import NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, to_row
from core.translation import N_

ENTITY = "vote"
FIRST, SECOND, BOTH = "first", "second", "both"
"""Which reply of a vote a curator should look at."""


@dataclass(frozen=True, slots=True)
class VotePage:
    """Some votes, newest first, and where the next page begins."""

    rows: tuple[Vote, ...]
    next_cursor: tuple[str] | None


class Votes(Rooms):
    """One vote, one record; whom somebody preferred is never changed afterwards."""

    def add(self, vote: Vote) -> None:
        """Store a vote."""
        with self._writing() as db:
            db.execute(sa.insert(t.vote).values(**to_row(vote)))

    def add_to_arena(self, vote: Vote) -> None:
        """Store a vote between two replies to the same words, given in the arena or in the chat.

        `first` and `second` are ids of chat choices. A vote whose id is there already stands as it was given first.
        TypeError where a reply is missing, or for a vote on a run.
        """
        if vote.run_id is not None or vote.first_reply is None or vote.second_reply is None:
            raise TypeError("the arena compares two replies, which no run made")
        try:
            self.add(vote)
        except sa.exc.IntegrityError:
            with self._reading() as db:
                if db.execute(sa.select(t.vote.c.id).where(t.vote.c.id == vote.id)).scalar() is None:
                    raise

    def get(self, vote_id: str) -> Vote:
        """Return the vote; NotFoundError when there is none of that id."""
        with self._reading() as db:
            return _vote(db, vote_id)

    def of_run(self, run_id: str) -> list[Vote]:
        """Return the votes on what a run made, oldest first."""
        query = sa.select(t.vote).where(t.vote.c.run_id == run_id).order_by(t.vote.c.voted_at, t.vote.c.id)
        with self._reading() as db:
            return [from_row(Vote, row) for row in db.execute(query)]

    def in_arena(
        self, persona_id: str, *, after: str | None = None, flagged: bool = False, limit: int | None = 20
    ) -> VotePage:
        """Return votes between replies, newest first, after the vote of that id; `flagged`: those for the curator."""
        table = t.vote.c
        query = _arena(persona_id).order_by(table.voted_at.desc(), table.id.desc())
        if flagged:
            query = query.where(table.flagged.is_not(None))
        if limit is not None:
            query = query.limit(limit + 1)
        with self._reading() as db:
            if after is not None:
                last = _vote(db, after)
                query = query.where(sa.tuple_(table.voted_at, table.id) < sa.tuple_(last.voted_at, last.id))
            rows = tuple(from_row(Vote, row) for row in db.execute(query))
        if limit is None or len(rows) <= limit:
            return VotePage(rows, None)
        return VotePage(rows[:limit], (rows[limit - 1].id,))

    def count_in_arena(self, persona_id: str) -> int:
        """Return how many votes between replies there are."""
        with self._reading() as db:
            return int(db.execute(sa.select(sa.func.count()).select_from(_arena(persona_id).subquery())).scalar_one())

    def flag(self, vote_id: str, reply: str, reason: str, *, who: str) -> Vote:
        """Put the `first` or `second` reply of a vote before the curator and return the vote; an event says who did."""
        if reply not in (FIRST, SECOND):
            raise TypeError(f"no reply of a vote: {reply}")
        with self._writing() as db:
            before = _vote(db, vote_id)
            flagged = reply if before.flagged in (None, reply) else BOTH
            reasons = [*(before.reason or "").splitlines(), *reason.strip().splitlines()]
            after = replace(before, flagged=flagged, reason="\n".join(dict.fromkeys(reasons)))
            _marked(db, before, after, who, "flag")
        return after

    def settle(self, vote_id: str, *, who: str) -> None:
        """Take a vote's replies off the curator's list; the event keeps why they were on it."""
        with self._writing() as db:
            before = _vote(db, vote_id)
            if before.flagged is not None:
                _marked(db, before, replace(before, flagged=None, reason=None), who, "settle")


def _arena(persona_id: str) -> sa.Select[tuple[object, ...]]:
    table = t.vote.c
    return sa.select(t.vote).where(
        table.persona_id == persona_id, table.run_id.is_(None), table.first_reply.is_not(None)
    )


def _vote(db: sa.Connection, vote_id: str) -> Vote:
    row = db.execute(sa.select(t.vote).where(t.vote.c.id == vote_id)).one_or_none()
    if row is None:
        raise NotFoundError(N_("There is no such vote."), remedy=N_("Choose one of the list."))
    return from_row(Vote, row)


def _marked(db: sa.Connection, before: Vote, after: Vote, who: str, action: str) -> None:
    marks = {"flagged": after.flagged, "reason": after.reason}
    db.execute(sa.update(t.vote).where(t.vote.c.id == after.id).values(**marks))
    record_event(
        db,
        who=who,
        entity=ENTITY,
        entity_id=after.id,
        action=action,
        before={"flagged": before.flagged, "reason": before.reason},
        after=marks,
    )
