"""Doubtful lines: suggestions with a reason each, a queue until somebody rejects the line or dismisses the doubt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import sqlalchemy as sa

from core.domain.cleaning import Suspicion, content_of
from core.domain.text import Expansion, ReviewStatus, Utterance
from core.store import tables as t
from core.store.changes import Change, begun, locked, stale, write
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row

ENTITY = "suspicion"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A line that waits in the queue, as it is now, and why."""

    ordinal: int
    suspicion: Suspicion
    line: Utterance | Expansion


@dataclass(frozen=True, slots=True)
class DoubtPage:
    """Some doubtful lines in their order, and where the next page begins."""

    rows: tuple[Doubt, ...]
    next_cursor: int | None


class Suspicions(Rooms):
    """The queue of doubtful lines. Only pending lines that still say what they said are in it."""

    def replace(self, persona_id: str, found: Iterable[Suspicion]) -> int:
        """Put what the rules found in place of what they found last; return how many are new to a curator's eye.

        What somebody dismissed stays dismissed, for the same words and the same rule.
        """
        table, dismissed = t.suspicion, t.dismissal.c
        with self._writing() as db:
            query = sa.select(dismissed.rule, dismissed.content).where(dismissed.persona_id == persona_id)
            known = {(row.rule, row.content) for row in db.execute(query)}
            rows = [
                {
                    "record_id": one.record_id,
                    "rule": one.rule,
                    "synthetic": one.synthetic,
                    "persona_id": persona_id,
                    "ordinal": ordinal,
                    "reason": one.reason,
                    "values": dict(one.values),
                    "text": one.text,
                    "content": content,
                }
                for ordinal, one in enumerate(found)
                if (one.rule, content := content_of(one.text)) not in known
            ]
            db.execute(sa.delete(table).where(table.c.persona_id == persona_id))
            if rows:
                db.execute(sa.insert(table), rows)
        return len(rows)

    def page(
        self,
        persona_id: str,
        *,
        rule: str | None = None,
        synthetic: bool = False,
        after: int | None = None,
        limit: int = 20,
    ) -> DoubtPage:
        """Return doubtful lines, or doubtful synthetic ones, after the cursor, at most `limit`."""
        table = t.suspicion.c
        query = _waiting(persona_id, synthetic=synthetic).order_by(table.ordinal).limit(limit + 1)
        if rule is not None:
            query = query.where(table.rule == rule)
        if after is not None:
            query = query.where(table.ordinal > after)
        lines = t.expansion if synthetic else t.utterance
        with self._reading() as db:
            asked = [from_row(Suspicion, row) for row in db.execute(query)]
            places = [row.ordinal for row in db.execute(query)]
            ids = [one.record_id for one in asked]
            kind: type[Utterance] | type[Expansion] = Expansion if synthetic else Utterance
            found = {row.id: from_row(kind, row) for row in db.execute(sa.select(lines).where(lines.c.id.in_(ids)))}
        rows = [Doubt(place, one, found[one.record_id]) for place, one in zip(places, asked, strict=True)]
        return DoubtPage(tuple(rows[:limit]), rows[limit - 1].ordinal if len(rows) > limit else None)

    def counts(self, persona_id: str, *, synthetic: bool = False) -> dict[str, int]:
        """Return how many lines wait under each rule."""
        waiting = _waiting(persona_id, synthetic=synthetic).subquery()
        query = sa.select(waiting.c.rule, sa.func.count()).group_by(waiting.c.rule).order_by(waiting.c.rule)
        with self._reading() as db:
            return {str(row[0]): int(row[1]) for row in db.execute(query)}

    def reject(self, revisions: Mapping[str, int], *, who: str) -> int:
        """Reject these lines (id -> the revision somebody saw) for the reasons they are in the queue; return how many.

        One change of the review, which its undo takes back; an event of each line says the reason. Lines that are at
        another revision by now stay as they are; ConflictError when that is all of them.
        """
        table = t.utterance.c
        with self._writing() as db:
            fresh = sa.tuple_(table.id, table.revision).in_(list(revisions.items()))
            lines = locked(db, fresh & (table.status == ReviewStatus.PENDING))
            if not lines:
                raise stale()
            change = begun(db, lines[0].source_id, who, "edit")
            write(db, change, [(line, _rejected(line, who)) for line in lines])
            _say_why(db, change, [line.id for line in lines])
        return len(lines)

    def dismiss(self, record_id: str, rule: str, *, who: str) -> None:
        """Say that a line is all right; the rule does not bring these words up again."""
        self._dismiss(record_id, rule, who, again=False)

    def bring_back(self, record_id: str, rule: str, *, who: str) -> None:
        """Take a dismissal back: the words are in doubt again."""
        self._dismiss(record_id, rule, who, again=True)

    def _dismiss(self, record_id: str, rule: str, who: str, *, again: bool) -> None:
        table, dismissed = t.suspicion.c, t.dismissal.c
        with self._writing() as db:
            asked = sa.select(t.suspicion).where(table.record_id == record_id, table.rule == rule)
            row = db.execute(asked).one_or_none()
            if row is None:
                return
            ours = (
                (dismissed.persona_id == row.persona_id) & (dismissed.rule == rule) & (dismissed.content == row.content)
            )
            db.execute(sa.delete(t.dismissal).where(ours))
            if not again:
                values = {"persona_id": row.persona_id, "rule": rule, "content": row.content}
                db.execute(sa.insert(t.dismissal).values(**values))
            record_event(
                db,
                who=who,
                entity=ENTITY,
                entity_id=record_id,
                action="bring back" if again else "dismiss",
                before={"rule": rule, "dismissed": again},
                after={"rule": rule, "dismissed": not again},
            )


def _rejected(line: Utterance, who: str) -> Utterance:
    status = ReviewStatus.REJECTED
    return replace(line, status=status, revision=line.revision + 1, reviewed_by=who, disputed=False)


def _waiting(persona_id: str, *, synthetic: bool) -> sa.Select[tuple[object, ...]]:
    """Return the query for the suspicions in the queue."""
    table, dismissed = t.suspicion.c, t.dismissal.c
    line = (t.expansion if synthetic else t.utterance).c
    gone = sa.exists().where(
        dismissed.persona_id == persona_id, dismissed.rule == table.rule, dismissed.content == table.content
    )
    return (
        sa.select(t.suspicion)
        .join(line.id.table, line.id == table.record_id)
        .where(table.persona_id == persona_id, table.synthetic == synthetic, ~gone)
        .where(line.status == ReviewStatus.PENDING, line.text == table.text)
    )


def _say_why(db: sa.Connection, change: Change, ids: list[str]) -> None:
    table = t.suspicion.c
    query = sa.select(t.suspicion).where(table.record_id.in_(ids)).order_by(table.ordinal)
    for row in db.execute(query).all():
        record_event(
            db,
            who=change.who,
            entity=ENTITY,
            entity_id=row.record_id,
            action="reject",
            after={"rule": row.rule, "reason": row.reason, "values": row.values},
        )
