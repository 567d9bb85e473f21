"""A run outside any worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.domain.identity import new_id, now
from core.domain.run import Run, RunState
from core.jobs.context import RunContext
from core.store import Store


@pytest.fixture
def context_of(store: Store) -> Callable[[str, dict[str, Any]], RunContext]:
    """Make the context of a fresh run of that kind."""

    def made(kind: str, settings: dict[str, Any]) -> RunContext:
        run = Run(new_id("run"), kind, "a-qing", "cpu", RunState.RUNNING, settings, {}, now(), "me")
        store.runs.add(run)
        return RunContext(run, store=store, folder=store.workspace / "runs" / run.id)

    return made
