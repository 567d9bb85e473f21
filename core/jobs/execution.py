"""Doing a run: from its settings to its written end, in a worker or right here."""

from __future__ import annotations

import json
import logging
import os
import platform
import signal
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from core.domain.run import Run, RunError, RunState
from core.errors import RunCancelledError, StudioError
from core.jobs.context import Durable, RunContext, at_once
from core.jobs.queue import Jobs
from core.settings import Settings, validated
from core.store import Store
from core.store.records import plain
from core.translation import N_

_log = logging.getLogger(__name__)


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

    def attempt(self, run_id: str, attempt: int, *, durable: Durable = at_once) -> RunState | None:
        """Execute that attempt and write its end; None when it may not run any more."""
        run = self._store.runs.begin(run_id, attempt, self._worker)
        if run is None:
            return None
        try:
            state, result, error = RunState.SUCCEEDED, self._work(run, durable), None
        except RunCancelledError:
            state, result, error = RunState.CANCELLED, None, None
        except StudioError as failure:
            state, result = RunState.FAILED, None
            error = RunError(failure.message, failure.remedy, {k: str(v) for k, v in failure.values.items()})
        except Exception:  # noqa: BLE001 - the border of a run: a bug must not take the worker with it, and is kept whole
            _log.exception("run %s failed by a bug", run_id)
            state, result, error = RunState.FAILED, None, _bug(traceback.format_exc())
        self._store.runs.end(run_id, state, result=result, error=error)
        return state

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

    def _work(self, run: Run, durable: Durable) -> dict[str, object]:
        job = self._jobs.job(run.kind)
        context = RunContext(
            run,
            store=self._store,
            folder=self._settings.runs / run.id,
            durable=durable,
            poll=self._settings.jobs.poll_seconds,
            grace=self._settings.jobs.stop_grace_seconds,
        )
        context.check()
        context.versions({"python": platform.python_version()})
        (context.folder / "settings.json").write_text(
            json.dumps(plain(run), ensure_ascii=False, indent=2), encoding="utf-8"
        )
        return dict(job.run(validated(job.settings, dict(run.settings), run.kind), context))


def _bug(trace: str) -> RunError:
    return RunError(
        N_("Something went wrong that should not have."),
        N_("This is a bug. The run's page shows the technical details; please report them."),
        traceback=trace,
    )
