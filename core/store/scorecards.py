"""Scorecards and their scores."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from core.domain.evaluation import Score, Scorecard
from core.errors import NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, to_row
from core.translation import N_


class Scorecards(Rooms):
    """What evaluations said."""

    def add(self, card: Scorecard, *, who: str = "app") -> None:
        """Store a scorecard with all its scores, or nothing."""
        row = to_row(card)
        del row["scores"]
        scores = [to_row(one, scorecard_id=card.id, ordinal=n) for n, one in enumerate(card.scores)]
        with self._writing() as db:
            db.execute(sa.insert(t.scorecard).values(**row))
            if scores:
                db.execute(sa.insert(t.score), scores)
            record_event(db, who=who, entity="scorecard", entity_id=card.id, action="import")

    def get(self, scorecard_id: str) -> Scorecard:
        """Return the scorecard; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.scorecard).where(t.scorecard.c.id == scorecard_id)).one_or_none()
            if row is None:
                raise NotFoundError(
                    N_("There is no scorecard {scorecard}."),
                    remedy=N_("Choose another one, or import a summary."),
                    scorecard=scorecard_id,
                )
            return self._whole(db, row)

    def all(self, persona_id: str) -> list[Scorecard]:
        """Return a persona's scorecards, newest first."""
        table = t.scorecard.c
        query = sa.select(t.scorecard).where(table.persona_id == persona_id).order_by(table.created_at.desc())
        with self._reading() as db:
            return [self._whole(db, row) for row in db.execute(query).all()]

    @staticmethod
    def _whole(db: sa.Connection, row: sa.Row[*tuple[Any, ...]]) -> Scorecard:
        scores = sa.select(t.score).where(t.score.c.scorecard_id == row.id).order_by(t.score.c.ordinal)
        own = {field.name: row._mapping[field.name] for field in fields(Scorecard) if field.name != "scores"}
        return Scorecard(**own, scores=tuple(from_row(Score, one) for one in db.execute(scores)))
