"""A run as a stage sees it, without a worker."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.jobs.context import RunContext
from core.store import Store


class BrokenOffError(Exception):
    """Stands for the end of the process."""


@dataclass
class Memory:
    """What a durable queue remembers of a run's steps, and the step at which the process ends, if any."""

    break_at: str = ""
    after: bool = False
    """Whether it ends once that step is remembered, or before it is done."""
    done: dict[str, Any] = field(default_factory=dict)

    def __call__(self, name: str, step: Callable[[], Any]) -> Any:
        if name == self.break_at and not self.after:
            raise BrokenOffError(name)
        if name not in self.done:
            self.done[name] = json.loads(json.dumps(step()))  # plain values only
        if name == self.break_at:
            raise BrokenOffError(name)
        return self.done[name]


def remembering(store: Store, kind: str, memory: Memory) -> RunContext:
    """Return the context of a run whose steps are remembered from one attempt to the next."""
    begun_anew = begun(store, kind)
    return RunContext(begun_anew.run, store=store, folder=begun_anew.folder, durable=memory)


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
