"""Asking for runs: submit, stop, resume, repeat. Executing them is the worker's side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dbos import DBOS, DBOSClient, EnqueueOptions
from pydantic import BaseModel

from core.domain.identity import new_id, now
from core.domain.run import Run, RunState
from core.errors import ConflictError, NotFoundError
from core.jobs.context import RunContext
from core.settings import Settings, validated
from core.store import Store
from core.store.runs import Worker
from core.translation import N_

JOBS_VERSION = "1"
"""DBOS resumes work of the same version only; ours changes with the meaning of queued work, not with each edit."""

WORKFLOW = "execute_run"


def work_id(run_id: str, attempt: int, host: str | None = None) -> str:
    """Return DBOS's name for an attempt; another one where it was handed over to a machine."""
    return f"{run_id}.{attempt}" if host is None else f"{run_id}.{attempt}@{host}"


def queue_of(host: str) -> str:
    """Return the queue of what can go on only on that machine."""
    return f"on-{host}"


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of run: what it is called, where it queues, what it takes and who does it."""

    kind: str
    title: str
    queue: str
    settings: type[BaseModel]
    run: Callable[[Any, RunContext], Mapping[str, Any]]
    inputs: Callable[[Any, str], Mapping[str, Any]] = lambda settings, persona_id: {}
    """Fingerprints of what a run with those settings, for that persona, will read."""


class Jobs:
    """The runs of one workspace, from the side that asks for them."""

    def __init__(self, settings: Settings, store: Store, table: Mapping[str, Job]) -> None:
        self._settings = settings
        self._store = store
        self.table = table

    def submit(self, kind: str, persona_id: str, settings: Mapping[str, Any], *, who: str) -> Run:
        """Queue a run and return it; SettingsError when the settings are not right."""
        run = self.draft(kind, persona_id, settings, who=who)
        self._store.runs.add(run)
        self.enqueue(run)
        return run

    def draft(self, kind: str, persona_id: str, settings: Mapping[str, Any], *, who: str) -> Run:
        """Return a run as it would be queued, settings checked and defaults filled in."""
        job = self.table[kind]
        checked = validated(job.settings, dict(settings), kind)
        return Run(
            id=new_id("run"),
            kind=kind,
            persona_id=persona_id,
            queue=job.queue,
            state=RunState.QUEUED,
            settings=checked.model_dump(mode="json"),
            inputs=job.inputs(checked, persona_id),
            created_at=now(),
            created_by=who,
        )

    def enqueue(self, run: Run) -> None:
        """Hand the run's attempt to the durable queue; doing so twice changes nothing."""
        self._enqueue(run.queue, work_id(run.id, run.attempt), run.id, run.attempt)

    def hand_over(self, run_id: str, attempt: int, host: str) -> None:
        """Queue the run's attempt for the workers of that machine, where a program of it is at work."""
        self._enqueue(queue_of(host), work_id(run_id, attempt, host), run_id, attempt)

    def _enqueue(self, queue: str, work: str, run_id: str, attempt: int) -> None:
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": queue,
            "workflow_id": work,
            "app_version": JOBS_VERSION,
        }
        self._client.enqueue(options, run_id, attempt)

    def stop(self, run_id: str) -> None:
        """Ask a run to stop; one that has not begun is cancelled at once."""
        run = self._store.runs.get(run_id)
        self._store.runs.request_stop(run_id)
        if run.state is RunState.QUEUED:
            self._store.runs.end(run_id, RunState.CANCELLED)

    def resume(self, run_id: str) -> Run:
        """Go on with a run that ended without success, in its folder; ConflictError when it is not such a run."""
        run = self._store.runs.reopen(run_id)
        if run is None:
            raise ConflictError(
                N_("Only a run that failed, was stopped or got lost can be resumed."),
                remedy=N_("Use “Run again” to repeat one that succeeded."),
            )
        self.enqueue(run)
        return run

    def again(self, run_id: str, changes: Mapping[str, Any] | None = None, *, who: str) -> Run:
        """Queue a new run like that one, with changed settings."""
        run = self._store.runs.get(run_id)
        return self.submit(run.kind, run.persona_id, {**run.settings, **(changes or {})}, who=who)

    def workers(self) -> list[Worker]:
        """Return the workers that are alive."""
        return self._store.runs.workers()

    def job(self, kind: str) -> Job:
        """Return the job; NotFoundError for a kind this version does not know."""
        if kind not in self.table:
            raise NotFoundError(
                N_("This version knows no run of the kind {kind}."),
                remedy=N_("Start the version that made it."),
                kind=kind,
            )
        return self.table[kind]

    def close(self) -> None:
        """Let go of the queue."""
        if "_client" in self.__dict__:
            self._client.destroy()

    @cached_property
    def _client(self) -> DBOSClient:
        DBOS.migrate(self._settings.jobs_url)
        return DBOSClient(system_database_url=self._settings.jobs_url)
