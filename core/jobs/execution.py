"""Doing a run: from its settings to its written end, in a worker or right here."""

from __future__ import annotations

import logging
import platform
import traceback

from core.domain.run import Run, RunError, RunState
from core.errors import RunCancelledError, StudioError
from core.jobs.context import Durable, RunContext, at_once
from core.jobs.queue import Jobs
from core.settings import Settings, validated
from core.store import Store
from core.store.records import plain
from core.translation import N_

_log = logging.getLogger(__name__)


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
        """Do a run in this process from beginning to end and return it as it ended."""
        run = self._jobs.draft(kind, persona_id, settings, who=who)
        self._store.runs.add(run)
        self.attempt(run.id, run.attempt)
        return self._store.runs.get(run.id)

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
        (context.folder / "settings.json").write_text(_json(plain(run)), encoding="utf-8")
        return dict(job.run(validated(job.settings, dict(run.settings), run.kind), context))


def _bug(trace: str) -> RunError:
    return RunError(
        N_("Something went wrong that should not have."),
        N_("This is a bug. The run's page shows the technical details; please report them."),
        traceback=trace,
    )


def _json(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=2)
