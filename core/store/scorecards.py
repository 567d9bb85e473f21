"""Scorecards and their scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

import sqlalchemy as sa

from core.domain.evaluation import Answer, Paired, Score, Scorecard, Tally
from core.errors import NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, to_row
from core.translation import N_

_AT_ONCE = 500
"""Answers written by one statement."""


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """Some answers, and where the next page begins."""

    rows: tuple[Answer, ...]
    next_cursor: int | None
    total: int
    """Of all pages."""


class Scorecards(Rooms):
    """What evaluations said."""

    def add(self, card: Scorecard, answers: Iterable[Answer] = (), *, who: str = "app") -> None:
        """Store a scorecard with all its scores and answers, or nothing."""
        row = to_row(card)
        del row["scores"]
        scores = [to_row(one, scorecard_id=card.id, ordinal=n) for n, one in enumerate(card.scores)]
        with self._writing() as db:
            db.execute(sa.insert(t.scorecard).values(**row))
            if scores:
                db.execute(sa.insert(t.score), scores)
            rows = (to_row(one, scorecard_id=card.id, ordinal=n) for n, one in enumerate(answers))
            while some := list(islice(rows, _AT_ONCE)):
                db.execute(sa.insert(t.answer), some)
            record_event(db, who=who, entity="scorecard", entity_id=card.id, action="add")

    def rename(self, scorecard_id: str, name: str, *, who: str) -> None:
        """Give a scorecard another name; NotFoundError when there is none of that id."""
        before = self.get(scorecard_id).name
        with self._writing() as db:
            db.execute(sa.update(t.scorecard).where(t.scorecard.c.id == scorecard_id).values(name=name))
            changed = {"before": {"name": before}, "after": {"name": name}}
            record_event(db, who=who, entity="scorecard", entity_id=scorecard_id, action="rename", **changed)

    def remove(self, scorecard_id: str, *, who: str) -> None:
        """Remove a scorecard with its scores and answers; NotFoundError when there is none of that id."""
        card = self.get(scorecard_id)
        with self._writing() as db:
            for table in (t.answer, t.score):
                db.execute(sa.delete(table).where(table.c.scorecard_id == scorecard_id))
            db.execute(sa.delete(t.scorecard).where(t.scorecard.c.id == scorecard_id))
            before = {"name": card.name, "sha256": card.sha256}
            record_event(db, who=who, entity="scorecard", entity_id=scorecard_id, action="remove", before=before)

    def tallies(self, scorecard_id: str) -> dict[str, Tally]:
        """Return dataset -> how many of its questions were answered rightly; empty where no answers are known."""
        table = t.answer.c
        right = sa.func.sum(sa.case((table.correct, 1), else_=0))
        query = (
            sa.select(table.dataset, right, sa.func.count())
            .where(table.scorecard_id == scorecard_id)
            .group_by(table.dataset)
        )
        with self._reading() as db:
            return {name: Tally(int(good), int(asked)) for name, good, asked in db.execute(query)}

    def answers(
        self,
        scorecard_id: str,
        *,
        dataset: str = "",
        correct: bool | None = None,
        text: str = "",
        after: int = -1,
        limit: int = 50,
    ) -> AnswerPage:
        """Return a page of the answers, in the order they were asked; `after` is the last page's cursor.

        `dataset` and `correct` choose; `text` stands in the prompt or in the reply.
        """
        table = t.answer.c
        rules = [table.scorecard_id == scorecard_id]
        if dataset:
            rules.append(table.dataset == dataset)
        if correct is not None:
            rules.append(table.correct == correct)
        if text:
            rules.append(table.prompt.contains(text, autoescape=True) | table.reply.contains(text, autoescape=True))
        query = sa.select(t.answer).where(*rules, table.ordinal > after).order_by(table.ordinal).limit(limit + 1)
        with self._reading() as db:
            rows = db.execute(query).all()
            total = db.execute(sa.select(sa.func.count()).select_from(t.answer).where(*rules)).scalar_one()
        cursor = rows[limit - 1].ordinal if len(rows) > limit else None
        return AnswerPage(tuple(from_row(Answer, row) for row in rows[:limit]), cursor, total)

    def pairs(self, one: str, other: str) -> dict[str, Paired]:
        """Return dataset -> how two scorecards answered the questions that were put to both in the same words."""
        a, b = t.answer.alias("a"), t.answer.alias("b")
        same = (a.c.dataset == b.c.dataset) & (a.c.number == b.c.number) & (a.c.prompt == b.c.prompt)

        def count(first: bool, second: bool) -> sa.ColumnElement[int]:
            return sa.func.sum(sa.case(((a.c.correct == first) & (b.c.correct == second), 1), else_=0))

        query = (
            sa.select(a.c.dataset, count(True, True), count(True, False), count(False, True), count(False, False))
            .join_from(a, b, same)
            .where(a.c.scorecard_id == one, b.c.scorecard_id == other)
            .group_by(a.c.dataset)
        )
        with self._reading() as db:
            return {row[0]: Paired(*(int(amount) for amount in row[1:])) for row in db.execute(query)}

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
