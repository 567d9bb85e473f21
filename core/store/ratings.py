"""What people think of replies, and what a curator should look at because of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.domain.chat import Message, Rating, Speaker, Verdict
from core.domain.identity import new_id, now
from core.errors import InvalidInputError, NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, plain, to_row
from core.translation import N_

ENTITY = "rating"
LONGEST_REASON = 2000

RatingCursor = tuple[str, str]
"""When the last rating of a page was given, and its id."""


@dataclass(frozen=True, slots=True)
class RatedReply:
    """A rating with the reply it is about."""

    rating: Rating
    reply: Message
    said: Message | None
    """What the reply answers; None for a greeting."""


@dataclass(frozen=True, slots=True)
class RatedPage:
    """Some rated replies, newest rating first, and where the next page begins."""

    rows: tuple[RatedReply, ...]
    next_cursor: RatingCursor | None


@dataclass(frozen=True, slots=True)
class RatingCounts:
    """How replies were rated."""

    up: int = 0
    down: int = 0
    waiting: int = 0
    """Rated down, and no curator looked at it yet."""


class Ratings(Rooms):
    """One rating for each person and reply; every change is an event."""

    def rate(self, message_id: str, value: Verdict, reason: str = "", *, who: str) -> Rating:
        """Store what somebody thinks of a reply, in place of what he thought before, and return it.

        Another value or reason puts it before the curator again; the same changes nothing. NotFoundError when the
        message is gone, InvalidInputError for the visitor's own and for a long reason.
        """
        reason = _checked(reason)
        with self._writing() as db:
            speaker, persona_id = _whose(db, message_id)
            if speaker != Speaker.PERSONA:
                raise InvalidInputError(N_("Only replies are rated."), remedy=N_("Rate what she said."))
            before = _of(db, message_id, who)
            if before is not None and (before.value, before.reason) == (value, reason):
                return before
            after = Rating(before.id if before else new_id("rating"), message_id, value, reason, who, now())
            if before is None:
                db.execute(sa.insert(t.rating).values(**to_row(after, persona_id=persona_id)))
            else:
                db.execute(sa.update(t.rating).where(t.rating.c.id == after.id).values(**to_row(after)))
            _told(db, "rate", who, before, after)
        return after

    def withdraw(self, message_id: str, *, who: str) -> None:
        """Forget what somebody thought of a reply; the event keeps it. Nothing happens where he rated nothing."""
        with self._writing() as db:
            before = _of(db, message_id, who)
            if before is not None:
                db.execute(sa.delete(t.rating).where(t.rating.c.id == before.id))
                _told(db, "withdraw", who, before, None)

    def settle(self, rating_id: str, *, who: str) -> None:
        """Take a rating off the curator's list; it stays what it is. NotFoundError when it was withdrawn."""
        with self._writing() as db:
            query = sa.select(t.rating).where(t.rating.c.id == rating_id).with_for_update()
            row = db.execute(query).one_or_none()
            if row is None:
                raise NotFoundError(N_("There is no such rating."), remedy=N_("Choose one of the list."))
            before = from_row(Rating, row)
            if before.settled_at is None:
                after = replace(before, settled_by=who, settled_at=now())
                db.execute(sa.update(t.rating).where(t.rating.c.id == rating_id).values(**to_row(after)))
                _told(db, "settle", who, before, after)

    def of_messages(self, message_ids: Iterable[str], *, who: str | None = None) -> Mapping[str, Sequence[Rating]]:
        """Return message id -> its ratings, everybody's or one person's, oldest first; only messages that have some."""
        table = t.rating.c
        query = sa.select(t.rating).where(table.message_id.in_([*message_ids])).order_by(table.rated_at, table.id)
        if who is not None:
            query = query.where(table.who == who)
        found: dict[str, list[Rating]] = {}
        with self._reading() as db:
            for row in db.execute(query):
                found.setdefault(row.message_id, []).append(from_row(Rating, row))
        return found

    def for_curator(self, persona_id: str, *, after: RatingCursor | None = None, limit: int = 20) -> RatedPage:
        """Return a persona's replies that were rated down and that no curator settled, the newest rating first."""
        table = t.rating.c
        query = (
            sa.select(t.rating)
            .where(table.persona_id == persona_id, table.value == Verdict.DOWN, table.settled_at.is_(None))
            .order_by(table.rated_at.desc(), table.id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            moment, last = datetime.fromisoformat(after[0]), after[1]
            query = query.where(sa.tuple_(table.rated_at, table.id) < sa.tuple_(moment, last))
        with self._reading() as db:
            ratings = [from_row(Rating, row) for row in db.execute(query)]
            replies = _messages(db, {one.message_id for one in ratings})
            said = _messages(db, {one.parent_id for one in replies.values() if one.parent_id})
        rows = tuple(
            RatedReply(one, reply := replies[one.message_id], said.get(reply.parent_id or ""))
            for one in ratings[:limit]
            if one.message_id in replies  # a conversation may go between the queries
        )
        end = ratings[limit - 1] if len(ratings) > limit else None
        return RatedPage(rows, (end.rated_at.isoformat(), end.id) if end else None)

    def counts(self, persona_id: str) -> RatingCounts:
        """Return how many ratings of a persona's replies there are."""
        table = t.rating.c
        waiting = sa.func.count().filter(table.settled_at.is_(None))
        query = sa.select(table.value, sa.func.count(), waiting).where(table.persona_id == persona_id)
        with self._reading() as db:
            found = {row[0]: (row[1], row[2]) for row in db.execute(query.group_by(table.value))}
        down, open_ones = found.get(Verdict.DOWN, (0, 0))
        return RatingCounts(found.get(Verdict.UP, (0, 0))[0], down, open_ones)


def _checked(reason: str) -> str:
    reason = reason.strip()
    if len(reason) > LONGEST_REASON:
        raise InvalidInputError(
            N_("A reason has at most {most} characters."), remedy=N_("Make it shorter."), most=LONGEST_REASON
        )
    return reason


def _whose(db: sa.Connection, message_id: str) -> tuple[str, str]:
    """Return who said a message, and to which persona it belongs; until the transaction ends nobody else rates it."""
    table = t.message.c
    query = (
        sa.select(table.speaker, t.conversation.c.persona_id)
        .join(t.conversation, t.conversation.c.id == table.conversation_id)
        .where(table.id == message_id)
        .with_for_update(of=t.message, key_share=True)
    )
    row = db.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(N_("There is no message {id}."), remedy=N_("Open the chat again."), id=message_id)
    return row[0], row[1]


def _of(db: sa.Connection, message_id: str, who: str) -> Rating | None:
    table = t.rating.c
    query = sa.select(t.rating).where(table.message_id == message_id, table.who == who).with_for_update()
    row = db.execute(query).one_or_none()
    return None if row is None else from_row(Rating, row)


def _messages(db: sa.Connection, message_ids: Iterable[str]) -> dict[str, Message]:
    query = sa.select(t.message).where(t.message.c.id.in_([*message_ids]))
    return {row.id: from_row(Message, row) for row in db.execute(query)}


def _told(db: sa.Connection, action: str, who: str, before: Rating | None, after: Rating | None) -> None:
    told: dict[str, Any] = {"before": plain(before) if before else None, "after": plain(after) if after else None}
    rating = after or before
    if rating is not None:
        record_event(db, who=who, entity=ENTITY, entity_id=rating.id, action=action, **told)
