"""Runs and the workers that execute them. A state is written by whoever knows it, never guessed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.domain.identity import now
from core.domain.run import OPEN, Progress, Run, RunError, RunState
from core.errors import NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row, plain, to_row
from core.translation import N_


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that executes runs."""

    name: str
    pid: int
    host: str
    started_at: datetime
    seen_at: datetime
    queues: Mapping[str, int] = field(default_factory=dict)
    """Queue -> how many runs of it at once, of the queues it takes runs from."""


class Runs(Rooms):
    """Runs, their progress and their ends."""

    def add(self, run: Run) -> None:
        """Store a new run."""
        with self._writing() as db:
            db.execute(sa.insert(t.run).values(**to_row(run)))

    def get(self, run_id: str) -> Run:
        """Return the run; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.run).where(t.run.c.id == run_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                N_("There is no run {run}."), remedy=N_("Choose one from the list of runs."), run=run_id
            )
        return from_row(Run, row)

    def all(
        self,
        *,
        persona_id: str | None = None,
        kind: str | None = None,
        states: Collection[RunState] | None = None,
        limit: int = 50,
    ) -> list[Run]:
        """Return runs, newest first."""
        query = sa.select(t.run).order_by(t.run.c.created_at.desc()).limit(limit)
        if persona_id is not None:
            query = query.where(t.run.c.persona_id == persona_id)
        if kind is not None:
            query = query.where(t.run.c.kind == kind)
        if states is not None:
            query = query.where(t.run.c.state.in_(list(states)))
        with self._reading() as db:
            return [from_row(Run, row) for row in db.execute(query)]

    def begin(self, run_id: str, attempt: int, worker: str) -> Run | None:
        """Mark the run as running by that worker and return it; None when this attempt may not run (any more)."""
        table = t.run.c
        may_run = sa.and_(
            table.id == run_id,
            table.attempt == attempt,
            table.state.in_(OPEN),
        )
        started = sa.func.coalesce(table.started_at, sa.literal(now(), t.Moment))
        with self._writing() as db:
            changed = db.execute(
                sa.update(t.run).where(may_run).values(state=RunState.RUNNING, worker=worker, started_at=started)
            )
            row = db.execute(sa.select(t.run).where(table.id == run_id)).one() if changed.rowcount else None
        return from_row(Run, row) if row is not None else None

    def end(
        self,
        run_id: str,
        state: RunState,
        *,
        result: Mapping[str, Any] | None = None,
        error: RunError | None = None,
    ) -> bool:
        """Write how the run ended; False when it had already ended, which then stands."""
        values: dict[str, Any] = {"state": state, "finished_at": now(), "error": plain(error) if error else None}
        if result is not None:
            values["result"] = dict(result)
        if state is RunState.SUCCEEDED:
            values["progress"] = plain(Progress(fraction=1.0))
        open_states = t.run.c.state.in_(OPEN)
        with self._writing() as db:
            changed = db.execute(sa.update(t.run).where(t.run.c.id == run_id, open_states).values(**values))
        return bool(changed.rowcount)

    def reopen(self, run_id: str) -> Run | None:
        """Queue a run that ended without success once more, as its next attempt; None when it is not such a run."""
        table = t.run.c
        ended = table.state.in_([RunState.FAILED, RunState.CANCELLED, RunState.LOST])
        with self._writing() as db:
            changed = db.execute(
                sa.update(t.run)
                .where(table.id == run_id, ended)
                .values(
                    state=RunState.QUEUED,
                    attempt=table.attempt + 1,
                    stop_requested=False,
                    finished_at=None,
                    error=None,
                    worker=None,
                )
            )
        return self.get(run_id) if changed.rowcount else None

    def request_stop(self, run_id: str) -> None:
        """Ask a run to stop; whoever executes it sees the wish within a second."""
        with self._writing() as db:
            db.execute(sa.update(t.run).where(t.run.c.id == run_id).values(stop_requested=True))

    def stop_requested(self, run_id: str) -> bool:
        """Whether somebody asked the run to stop."""
        with self._reading() as db:
            return bool(db.execute(sa.select(t.run.c.stop_requested).where(t.run.c.id == run_id)).scalar())

    def progress(self, run_id: str, progress: Progress) -> None:
        """Write how far the run is."""
        with self._writing() as db:
            db.execute(sa.update(t.run).where(t.run.c.id == run_id).values(progress=plain(progress)))

    def note(
        self, run_id: str, *, command: Mapping[str, Any] | None = None, versions: Mapping[str, str] | None = None
    ) -> None:
        """Add a command that was started, or versions of the environment, to the run."""
        with self._writing() as db:
            row = db.execute(sa.select(t.run.c.commands, t.run.c.versions).where(t.run.c.id == run_id)).one()
            values: dict[str, Any] = {"versions": {**row.versions, **(versions or {})}}
            if command is not None:
                values["commands"] = [*row.commands, dict(command)]
            db.execute(sa.update(t.run).where(t.run.c.id == run_id).values(**values))

    def heartbeat(self, worker: Worker) -> None:
        """Say that a worker is alive."""
        row = to_row(worker)
        with self._writing() as db:
            changed = db.execute(sa.update(t.worker).where(t.worker.c.name == worker.name).values(**row))
            if not changed.rowcount:
                db.execute(sa.insert(t.worker).values(**row))

    def retire(self, name: str) -> None:
        """Say that a worker ended."""
        with self._writing() as db:
            db.execute(sa.delete(t.worker).where(t.worker.c.name == name))

    def workspace(self, candidate: str) -> str:
        """Return the id of the folder that belongs to these records; the first to ask names it."""
        with suppress(sa.exc.IntegrityError), self._writing() as db:  # the database lets one be first
            db.execute(sa.insert(t.workspace).values(only=1, id=candidate))
        with self._reading() as db:
            return str(db.execute(sa.select(t.workspace.c.id)).scalar_one())

    def workers(self, *, silent_for: timedelta = timedelta(seconds=15)) -> list[Worker]:
        """Return the workers that gave a sign of life not longer ago than that."""
        query = sa.select(t.worker).where(t.worker.c.seen_at > now() - silent_for).order_by(t.worker.c.name)
        with self._reading() as db:
            return [from_row(Worker, row) for row in db.execute(query)]
