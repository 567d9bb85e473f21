"""The worker: takes runs from the durable queue, does them, and takes up again what a killed worker left."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dbos import DBOS, DBOSClient, StepOptions

from core.domain.identity import now
from core.domain.run import RunState
from core.errors import ConflictError
from core.full_disk import full_disk
from core.jobs.door import only_one
from core.jobs.execution import Execution, is_gone
from core.jobs.machine import Machine
from core.jobs.queue import JOBS_VERSION, WORKFLOW, Jobs, queue_of, work_id
from core.jobs.workspace import refuse_another_workspace
from core.settings import Settings
from core.store import Store
from core.store.runs import Worker
from core.translation import N_

T = TypeVar("T")

_log = logging.getLogger(__name__)

_HEARTBEAT = 2.0
_LOOK_FOR_WAITING = 15
"""Heartbeats between two looks for runs that were asked for while the queue could not be written."""

_ANY_NUMBER = 1_000
"""Of runs whose programs are at work on this machine already, so that they take no room."""

_OPEN = ("PENDING", "ENQUEUED", "DELAYED")
"""DBOS's words for work that somebody will still do."""


def work(settings: Settings, store: Store, jobs: Jobs, *, until: threading.Event) -> None:
    """Execute runs until `until` is set.

    Raises ConflictError when a worker of this name already does, and when the workspace is not the one whose
    records the store holds.
    """
    name = settings.jobs.worker
    refuse_another_workspace(settings.workspace, store)
    with only_one(settings.workspace / f"worker-{name}.lock") as alone:
        if not alone:
            raise ConflictError(
                N_("A worker named {name} is already at work on this workspace."),
                remedy=N_("Let it work, or start this one with DAIYU_JOBS__WORKER set to another name."),
                name=name,
            )
        execution = Execution(settings, store, jobs, worker=name)
        _launch(settings, execution, jobs)
        _take_stock(settings, store)
        _stay_alive(store, jobs, execution.machine, name, until)
        store.runs.retire(name)


def _launch(settings: Settings, execution: Execution, jobs: Jobs) -> None:
    machine = execution.machine
    database = DBOS(
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
        elsewhere = execution.elsewhere(run_id)
        if elsewhere is not None:
            jobs.hand_over(run_id, attempt, elsewhere)
            return None
        return execution.attempt(run_id, attempt, durable=_durable)

    slots = {**machine.slots, queue_of(machine.name): _ANY_NUMBER}
    DBOS.listen_queues(list(slots))
    DBOS.launch()
    _take_own_number(database, slots)
    for queue in slots:
        # The number in the database is of all workers; each has its own, and takes nothing before it is set.
        DBOS.register_queue(
            queue,
            worker_concurrency=0,
            polling_interval_sec=settings.jobs.poll_seconds,
            on_conflict="always_update",
        )


def _take_own_number(launched: DBOS, slots: Mapping[str, int]) -> None:
    """Let this worker's queues run as many at once as this machine can.

    DBOS has one number for all workers in its database, so it is replaced where a worker reads it.
    """
    database = launched._sys_db
    shared = database.get_queue

    def get_queue(name: str, **options: Any) -> Any:
        queue = shared(name, **options)
        if queue is not None and name in slots:
            queue._worker_concurrency = slots[name]
        return queue

    database.get_queue = get_queue  # type: ignore[method-assign]


def _durable(name: str, step: Callable[[], T]) -> T:
    return DBOS.run_step(StepOptions(name=name), step)


def _take_stock(settings: Settings, store: Store) -> None:
    """Name what nothing can take up again."""
    client = DBOSClient(system_database_url=settings.jobs_url)
    for run in store.runs.all(states=[RunState.RUNNING], limit=10_000):
        known = client.list_workflows(workflow_ids=[work_id(run.id, run.attempt)])
        known += client.list_workflows(workflow_id_prefix=work_id(run.id, run.attempt, host=""))
        left_by_us = run.worker == settings.jobs.worker and not any(one.status in _OPEN for one in known)
        if left_by_us or is_gone(run.worker or ""):
            store.runs.end(run.id, RunState.LOST)
    client.destroy()


def _queue_what_waits(store: Store, jobs: Jobs) -> None:
    """Queue what was asked for while the queue was out of reach."""
    for run in store.runs.all(states=[RunState.QUEUED], limit=10_000):
        jobs.enqueue(run)


def _stay_alive(store: Store, jobs: Jobs, machine: Machine, name: str, until: threading.Event) -> None:
    started = now()
    beats = 0
    while not until.is_set():
        try:
            store.runs.heartbeat(Worker(name, os.getpid(), machine.name, started, now(), machine.slots))
            if beats % _LOOK_FOR_WAITING == 0:
                _queue_what_waits(store, jobs)
        except Exception as error:  # whoever cannot say that it lives, lives
            full = full_disk(error)
            if full is None:
                raise
            _log.warning("%s", full)
        beats += 1
        until.wait(_HEARTBEAT)
    _log.info("worker %s ends; programs it started go on and are followed again at the next start", name)
