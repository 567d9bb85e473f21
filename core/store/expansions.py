"""Lines a model put before collected quotes: synthetic for ever, and reviewed like any other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from core.domain.text import Expansion, ReviewStatus
from core.errors import ConflictError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, plain, to_row
from core.translation import N_

ExpansionCursor = tuple[str, int, str]
"""Where a page ended: quote, position among its lines, id."""

_EDITABLE = frozenset({"counterpart", "text", "status"})
_ORDER = (t.expansion.c.utterance_id, t.expansion.c.ordinal, t.expansion.c.id)
_AT_ONCE = 500
"""Quotes in one query; databases bound how many values a statement may carry."""


@dataclass(frozen=True, slots=True)
class ExpansionPage:
    """Some synthetic lines, quote by quote, and where the next page begins."""

    rows: tuple[Expansion, ...]
    next_cursor: ExpansionCursor | None


class Expansions(Rooms):
    """Synthetic lines and their review."""

    def put(self, expansions: Iterable[Expansion]) -> int:
        """Store them, in place of those of the same ids that nobody has reviewed; return how many were written."""
        given = {one.id: one for one in expansions}
        ids = list(given)
        known: dict[str, int] = {}
        with self._writing() as db:
            for first in range(0, len(ids), _AT_ONCE):
                some = t.expansion.c.id.in_(ids[first : first + _AT_ONCE])
                query = sa.select(t.expansion.c.id, t.expansion.c.revision).where(some).with_for_update()
                known |= {row.id: row.revision for row in db.execute(query)}
                db.execute(sa.delete(t.expansion).where(some, t.expansion.c.revision == 0))
            rows = [to_row(one) for one in given.values() if not known.get(one.id)]
            if rows:
                db.execute(sa.insert(t.expansion), rows)
        return len(rows)

    def page(
        self,
        persona_id: str,
        *,
        status: ReviewStatus | None = None,
        after: ExpansionCursor | None = None,
        limit: int = 50,
    ) -> ExpansionPage:
        """Return a persona's synthetic lines after the cursor, at most `limit`, quote by quote."""
        query = sa.select(t.expansion).where(_of(persona_id, status)).order_by(*_ORDER).limit(limit + 1)
        if after is not None:
            query = query.where(sa.tuple_(*_ORDER) > sa.tuple_(*after))
        with self._reading() as db:
            rows = [from_row(Expansion, row) for row in db.execute(query)]
        last = rows[limit - 1] if len(rows) > limit else None
        return ExpansionPage(tuple(rows[:limit]), (last.utterance_id, last.ordinal, last.id) if last else None)

    def count(self, persona_id: str, *, status: ReviewStatus | None = None) -> int:
        """Return how many synthetic lines a persona has."""
        query = sa.select(sa.func.count()).select_from(t.expansion).where(_of(persona_id, status))
        with self._reading() as db:
            return int(db.execute(query).scalar_one())

    def of_quotes(self, utterance_ids: Iterable[str]) -> dict[str, list[Expansion]]:
        """Return the lines that lead to these quotes, by quote and in order; quotes without any are left out."""
        wanted = list(dict.fromkeys(utterance_ids))
        found: dict[str, list[Expansion]] = {}
        with self._reading() as db:
            for first in range(0, len(wanted), _AT_ONCE):
                some = t.expansion.c.utterance_id.in_(wanted[first : first + _AT_ONCE])
                for row in db.execute(sa.select(t.expansion).where(some).order_by(*_ORDER)):
                    found.setdefault(row.utterance_id, []).append(from_row(Expansion, row))
        return found

    def edit(self, expansion_id: str, revision: int, *, who: str, **changes: Any) -> Expansion:
        """Change a line that is still at `revision` and return it; `changes` are of counterpart, text, status.

        Raises ConflictError when somebody changed it first.
        """
        if unknown := changes.keys() - _EDITABLE:
            raise TypeError(f"not editable: {sorted(unknown)}")
        query = sa.select(t.expansion).where(t.expansion.c.id == expansion_id).with_for_update()
        with self._writing() as db:
            row = db.execute(query).one_or_none()
            if row is None or row.revision != revision:
                raise ConflictError(
                    N_("Somebody changed this line while you were looking at it."),
                    remedy=N_("Look at it again; your change was not written."),
                )
            before = from_row(Expansion, row)
            after = replace(before, revision=revision + 1, **changes)
            db.execute(sa.update(t.expansion).where(t.expansion.c.id == expansion_id).values(**to_row(after)))
            changed = [*changes, "revision"]
            record_event(
                db,
                who=who,
                entity="expansion",
                entity_id=expansion_id,
                action="edit",
                before={key: plain(before)[key] for key in changed},
                after={key: plain(after)[key] for key in changed},
            )
        return after


def _of(persona_id: str, status: ReviewStatus | None) -> sa.ColumnElement[bool]:
    rule = t.expansion.c.persona_id == persona_id
    return rule if status is None else rule & (t.expansion.c.status == status)
