"""What language models were asked and what they answered, so that nothing is paid for twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from core.domain.text import CallOutcome, ModelCall
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row, to_row

_AT_ONCE = 500
"""Requests in one query; databases bound how many values a statement may carry."""
_LATELY = 1000
"""How many of a model's last answers its rate is taken from."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the calls of a run came to."""

    calls: int
    failed: int
    """No answer came."""
    unreadable: int
    """An answer came, was paid for, and does not parse."""
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    """Of all calls, one after the other."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How a model answered lately, each figure the mean of a call that was answered."""

    calls: int
    """How many answers this rests on."""
    prompt_tokens: float
    completion_tokens: float
    seconds: float
    tokens_per_character: float
    """Of the answers: what a character of this language costs in the model's tokens."""


class Calls(Rooms):
    """Questions to language models, one record a question sent."""

    def add(self, call: ModelCall) -> None:
        """Keep a call; committed when this returns, so that a killed run does not ask again."""
        with self._writing() as db:
            db.execute(sa.insert(t.model_call).values(**to_row(call)))

    def answers(self, requests: Iterable[str]) -> dict[str, ModelCall]:
        """Return the good answers there are to these requests, whichever run asked; the newest of several."""
        wanted = list(dict.fromkeys(requests))
        table = t.model_call.c
        known: dict[str, ModelCall] = {}
        with self._reading() as db:
            for first in range(0, len(wanted), _AT_ONCE):
                query = (
                    sa.select(t.model_call)
                    .where(table.request.in_(wanted[first : first + _AT_ONCE]), table.outcome == CallOutcome.ANSWERED)
                    .order_by(table.id)
                )
                known |= {row.request: from_row(ModelCall, row) for row in db.execute(query)}
        return known

    def of_run(self, run_id: str) -> list[ModelCall]:
        """Return a run's calls in the order they ended."""
        query = sa.select(t.model_call).where(t.model_call.c.run_id == run_id).order_by(t.model_call.c.id)
        with self._reading() as db:
            return [from_row(ModelCall, row) for row in db.execute(query)]

    def usage(self, run_id: str) -> Usage:
        """Return what a run's calls came to; all zero when it asked nothing."""
        table = t.model_call.c
        query = sa.select(
            sa.func.count().label("calls"),
            _counted(table.outcome == CallOutcome.FAILED).label("failed"),
            _counted(table.outcome == CallOutcome.UNREADABLE).label("unreadable"),
            *(_summed(column).label(column.name) for column in (table.prompt_tokens, table.completion_tokens)),
            _summed(table.seconds).label("seconds"),
        ).where(table.run_id == run_id)
        with self._reading() as db:
            return from_row(Usage, db.execute(query).one())

    def rate(self, model: str) -> Rate | None:
        """Return how that model answered lately; None when it never did."""
        table = t.model_call.c
        lately = (
            sa.select(t.model_call)
            .where(table.model == model, table.outcome == CallOutcome.ANSWERED)
            .order_by(table.id.desc())
            .limit(_LATELY)
            .subquery()
        ).c
        mean = sa.func.avg
        query = sa.select(
            sa.func.count().label("calls"),
            *(sa.cast(mean(column), sa.Float).label(column.name) for column in (lately.prompt_tokens, lately.seconds)),
            sa.cast(mean(lately.completion_tokens), sa.Float).label("completion_tokens"),
            _summed(sa.func.length(lately.answer)).label("characters"),
        )
        with self._reading() as db:
            found = db.execute(query).one()
        if not found.calls:
            return None
        share = found.completion_tokens * found.calls / max(found.characters, 1)
        return Rate(found.calls, found.prompt_tokens, found.completion_tokens, found.seconds, share)


def _counted(rule: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return _summed(sa.case((rule, 1), else_=0))


def _summed(value: sa.ColumnElement[int] | sa.ColumnElement[float]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(value), 0)
