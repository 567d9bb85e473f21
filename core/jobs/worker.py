"""The worker: takes runs from the durable queue, does them, and takes up again what a killed worker left."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

from dbos import DBOS, DBOSClient, StepOptions

from core.domain.identity import now
from core.domain.run import RunState
from core.errors import ConflictError
from core.jobs.door import only_one
from core.jobs.execution import Execution, is_gone
from core.jobs.queue import JOBS_VERSION, WORKFLOW, Jobs
from core.settings import Settings
from core.store import Store
from core.store.runs import Worker
from core.translation import N_

T = TypeVar("T")

_log = logging.getLogger(__name__)

_HEARTBEAT = 2.0
_OPEN = ("PENDING", "ENQUEUED", "DELAYED")
"""DBOS's words for work that somebody will still do."""


def work(settings: Settings, store: Store, jobs: Jobs, *, until: threading.Event) -> None:
    """Execute runs until `until` is set; ConflictError when a worker of this name already does."""
    name = settings.jobs.worker
    with only_one(settings.workspace / f"worker-{name}.lock") as alone:
        if not alone:
            raise ConflictError(
                N_("A worker named {name} is already at work on this workspace."),
                remedy=N_("Let it work, or start this one with DAIYU_JOBS__WORKER set to another name."),
                name=name,
            )
        _launch(settings, Execution(settings, store, jobs, worker=name))
        _take_stock(settings, store, jobs, name)
        _stay_alive(store, name, until)
        store.runs.retire(name)


def _launch(settings: Settings, execution: Execution) -> None:
    DBOS(
        config={
            "name": "chat-daiyu",
            "system_database_url": settings.jobs_url,
            "application_version": JOBS_VERSION,
            "executor_id": settings.jobs.worker,
            "console_log_level": "WARNING",
        }
    )

    @DBOS.workflow(name=WORKFLOW)
    def execute_run(run_id: str, attempt: int) -> str | None:
        return execution.attempt(run_id, attempt, durable=_durable)

    DBOS.launch()
    for queue, at_once in settings.jobs.queues.model_dump().items():
        DBOS.register_queue(
            queue,
            worker_concurrency=at_once,
            polling_interval_sec=settings.jobs.poll_seconds,
            on_conflict="always_update",
        )


def _durable(name: str, step: Callable[[], T]) -> T:
    return DBOS.run_step(StepOptions(name=name), step)


def _take_stock(settings: Settings, store: Store, jobs: Jobs, name: str) -> None:
    """Queue what was asked for while the queue was out of reach, and name what nothing can take up again."""
    client = DBOSClient(system_database_url=settings.jobs_url)
    for run in store.runs.all(states=[RunState.QUEUED], limit=10_000):
        jobs.enqueue(run)
    for run in store.runs.all(states=[RunState.RUNNING], limit=10_000):
        known = client.list_workflows(workflow_ids=[f"{run.id}.{run.attempt}"])
        left_by_us = run.worker == name and not any(one.status in _OPEN for one in known)
        if left_by_us or is_gone(run.worker or ""):
            store.runs.end(run.id, RunState.LOST)
    client.destroy()


def _stay_alive(store: Store, name: str, until: threading.Event) -> None:
    started = now()
    while not until.is_set():
        store.runs.heartbeat(Worker(name, os.getpid(), socket.gethostname(), started, now()))
        until.wait(_HEARTBEAT)
    _log.info("worker %s ends; programs it started go on and are followed again at the next start", name)
