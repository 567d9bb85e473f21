"""A run as a stage sees it, without a worker."""

from __future__ import annotations

from pathlib import Path

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.jobs.context import RunContext
from core.store import Store


def begun(store: Store, kind: str, *, run_id: str = "run-0000000001", persona_id: str = "a-qing") -> RunContext:
    """Return the context of a run that has just begun; the same id again is the next attempt of the same run."""
    record = Run(
        id=run_id,
        kind=kind,
        persona_id=persona_id,
        queue="cpu",
        state=RunState.RUNNING,
        settings={},
        inputs={},
        created_at=now(),
        created_by="test",
    )
    if run_id not in {run.id for run in store.runs.all()}:
        store.runs.add(record)
    return RunContext(record, store=store, folder=Path(store.workspace) / "runs" / run_id)
