"""Which run holds which GPU of which machine; whoever starts a program on GPUs asks here first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from core.domain.identity import now
from core.domain.run import RunState
from core.store import tables as t
from core.store.database import Rooms


class Gpus(Rooms):
    """Leases of GPUs, one run a GPU."""

    def lease(
        self, host: str, gpus: Sequence[str], count: int, run_id: str, *, still_used: Callable[[str], bool]
    ) -> tuple[str, ...] | None:
        """Give the run so many of that machine's GPUs, all at once, and return them; None while others hold too many.

        A run that asks again gets the ones it holds. What a run held that is over is free, unless `still_used` says
        of its id that a program it started goes on.
        """
        with self._writing() as db:
            _one_at_a_time(db)
            taken = {gpu: holder for gpu, holder in _held(db, host).items() if gpu in gpus}
            for holder in set(taken.values()) - {run_id}:
                if not _is_open(db, holder) and not still_used(holder):
                    taken = {gpu: one for gpu, one in taken.items() if one != holder}
            chosen = [gpu for gpu in gpus if taken.get(gpu) == run_id] + [gpu for gpu in gpus if gpu not in taken]
            chosen = chosen[:count]
            if len(chosen) < count:
                return None
            db.execute(sa.delete(t.gpu_lease).where(_on(host, chosen) | (t.gpu_lease.c.run_id == run_id)))
            db.execute(
                sa.insert(t.gpu_lease),
                [{"host": host, "gpu": gpu, "run_id": run_id, "since": now()} for gpu in chosen],
            )
        return tuple(gpu for gpu in gpus if gpu in chosen)

    def release(self, run_id: str) -> None:
        """Free everything the run holds."""
        with self._writing() as db:
            db.execute(sa.delete(t.gpu_lease).where(t.gpu_lease.c.run_id == run_id))

    def held(self, host: str) -> dict[str, str]:
        """Return GPU -> run, for that machine."""
        with self._reading() as db:
            return _held(db, host)


def _held(db: sa.Connection, host: str) -> dict[str, str]:
    leases = sa.select(t.gpu_lease.c.gpu, t.gpu_lease.c.run_id).where(t.gpu_lease.c.host == host)
    return {row.gpu: row.run_id for row in db.execute(leases)}


def _is_open(db: sa.Connection, run_id: str) -> bool:
    state = db.execute(sa.select(t.run.c.state).where(t.run.c.id == run_id)).scalar()
    return state is not None and not RunState(state).over


def _on(host: str, gpus: Sequence[str]) -> sa.ColumnElement[bool]:
    return (t.gpu_lease.c.host == host) & t.gpu_lease.c.gpu.in_(gpus)


def _one_at_a_time(db: sa.Connection) -> None:
    if db.dialect.name == "postgresql":  # SQLite's writers are one at a time anyway
        db.execute(sa.text("LOCK TABLE gpu_lease IN SHARE ROW EXCLUSIVE MODE"))
