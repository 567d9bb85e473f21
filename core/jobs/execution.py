"""Doing a run: from its settings to its written end, in a worker or right here."""

from __future__ import annotations

import json
import logging
import os
import platform
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psutil

from core.domain.run import Run, RunError, RunState
from core.errors import DiskFullError, RunCancelledError, StudioError
from core.full_disk import full_disk
from core.jobs.context import Durable, RunContext, at_once
from core.jobs.door import Process, processes_in
from core.jobs.machine import Machine
from core.jobs.queue import Jobs
from core.jobs.whole import write_whole
from core.settings import Settings, validated
from core.store import Store
from core.store.records import plain
from core.translation import N_

_log = logging.getLogger(__name__)


T = TypeVar("T")

_LOOK_FOR_ROOM = 1.0
_INLINE = "pid "


def inline_worker() -> str:
    """Return the name under which this process does runs without being a worker."""
    return f"{_INLINE}{os.getpid()} on {socket.gethostname()}"[:64]


def is_gone(worker: str) -> bool:
    """Whether a run was done by a process of this machine that was no worker and lives no more."""
    pid, _on, host = worker.removeprefix(_INLINE).partition(" on ")
    ours = worker.startswith(_INLINE) and host == socket.gethostname()[: len(host)]
    return ours and not psutil.pid_exists(int(pid))


class Execution:
    """Executes runs of one workspace in this process."""

    def __init__(self, settings: Settings, store: Store, jobs: Jobs, *, worker: str) -> None:
        self._settings = settings
        self._store = store
        self._jobs = jobs
        self._worker = worker
        self.machine = Machine(settings.jobs)

    def attempt(self, run_id: str, attempt: int, *, durable: Durable = at_once) -> RunState | None:
        """Execute that attempt and write its end; None when it may not run any more."""
        run = _once_there_is_room(lambda: self._store.runs.begin(run_id, attempt, self._worker))
        if run is None:
            return None
        try:
            state, result, error = RunState.SUCCEEDED, self._work(run, durable), None
        except RunCancelledError:
            self._end_programs(run)
            state, result, error = RunState.CANCELLED, None, None
        except Exception as failure:  # noqa: BLE001 - the border of a run: a bug must not take the worker with it, and is kept whole
            state, result, error = RunState.FAILED, None, _explained(failure)
        _once_there_is_room(lambda: self._store.runs.end(run_id, state, result=result, error=error))
        if not any(one.alive() for one in self._programs(run_id)):
            _once_there_is_room(lambda: self._store.gpus.release(run_id))
        return state

    def elsewhere(self, run_id: str) -> str | None:
        """Return the other machine on which a program of the run may still be at work; it has to go on there."""
        return next((host for one in self._programs(run_id) if (host := one.elsewhere())), None)

    def here(self, kind: str, persona_id: str, settings: dict[str, object], *, who: str) -> Run:
        """Do a run in this process from beginning to end and return it as it ended; Ctrl-C stops it."""
        run = self._jobs.draft(kind, persona_id, settings, who=who)
        self._store.runs.add(run)
        with self._stopped_by_interrupt(run.id):
            self.attempt(run.id, run.attempt)
        return self._store.runs.get(run.id)

    @contextmanager
    def _stopped_by_interrupt(self, run_id: str) -> Iterator[None]:
        """Let the first Ctrl-C ask the run to stop, so that its programs end with it; a second one is Python's."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def stop(*_: object) -> None:
            signal.signal(signal.SIGINT, before)
            self._store.runs.request_stop(run_id)

        signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _programs(self, run_id: str) -> list[Process]:
        return processes_in(self._settings.runs / run_id, self.machine.name)

    def _end_programs(self, run: Run) -> None:
        """End what a killed worker left running; a program that is followed was ended by who followed it."""
        for program in self._programs(run.id):
            program.stop(grace=self._settings.jobs.stop_grace_seconds)

    def _work(self, run: Run, durable: Durable) -> dict[str, object]:
        job = self._jobs.job(run.kind)
        context = RunContext(
            run,
            store=self._store,
            folder=self._settings.runs / run.id,
            durable=durable,
            poll=self._settings.jobs.poll_seconds,
            grace=self._settings.jobs.stop_grace_seconds,
            machine=self.machine,
        )
        context.check()
        context.versions({"python": platform.python_version()})
        write_whole(context.folder / "settings.json", json.dumps(plain(run), ensure_ascii=False, indent=2))
        return dict(job.run(validated(job.settings, dict(run.settings), run.kind), context))


def _once_there_is_room(write: Callable[[], T]) -> T:
    """Write what must not be lost; while the disk is full, wait and try again."""
    waited = False
    while True:
        try:
            return write()
        except DiskFullError as full:
            if not waited:
                _log.warning("%s Waiting until something can be written again.", full)
            waited = True
            time.sleep(_LOOK_FOR_ROOM)


def _explained(failure: Exception) -> RunError:
    expected = failure if isinstance(failure, StudioError) else full_disk(failure)
    if expected is None:
        _log.error("a run failed by a bug", exc_info=failure)
        return _bug("".join(traceback.format_exception(failure)))
    return RunError(expected.message, expected.remedy, {k: str(v) for k, v in expected.values.items()})


def _bug(trace: str) -> RunError:
    return RunError(
        N_("Something went wrong that should not have."),
        N_("This is a bug. The run's page shows the technical details; please report them."),
        traceback=trace,
    )
