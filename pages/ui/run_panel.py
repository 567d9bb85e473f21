"""A run, live: state, progress, time left, chart, log, commands; and Stop, Resume, Run again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

from core.domain.run import Run, RunState
from core.services import Services
from core.translation import N_
from pages.ui import charts
from pages.ui.errors import show_failure, told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, duration, filled, moment, number
from pages.ui.labels import RUN_STATES, job_title
from pages.ui.state import RUN, watched_run

_LOG_BYTES: Final = 16_000
_CURVES: Final = {
    "base_loss": N_("base model"),
    "loss": N_("fine-tuning"),
}
"""What is drawn of a run's measurements, the first to be measured first."""


def start_run(visit: Visit, settings: Mapping[str, Any], said: str = "", *, kind: str = "") -> None:
    """Queue a run of this page's stage, watch it here, and draw the page anew; a refusal is told to the user.

    `kind` names another of the stage's kinds of run.
    """
    with told_to_the_user():
        run = visit.studio.jobs.submit(kind or visit.name, visit.persona.id, settings, who=visit.who)
        watched_run(run.kind).set(run.id)
        say_next(said or _("The run is queued."))


def stage_run(visit: Visit, *, folded: bool = True, kind: str = "") -> None:
    """Show the run this page started, else the stage's newest; one that succeeded is folded away unless told not to.

    `kind` names another of the stage's kinds of run.
    """
    watched = last_run(visit, kind or visit.name)
    if not watched:
        return
    state = visit.studio.store.runs.get(watched).state
    if state is RunState.SUCCEEDED and folded:
        show_folded(visit, watched, _("The last run succeeded"))
    else:
        run_panel(visit, watched)


def show_folded(visit: Visit, run_id: str, title: str) -> None:
    """Fold away a run that succeeded; its log and papers are drawn when somebody looks at them."""
    folded = st.expander(title, icon=":material/check_circle:", key=f"folded.{run_id}", on_change="rerun")
    if folded.open:
        with folded:
            run_panel(visit, run_id)


def last_run(visit: Visit, kind: str) -> str:
    """Return the id of the run of a kind that this page watches: the one it started, else the newest; or empty."""
    newest = visit.studio.store.runs.all(persona_id=visit.persona.id, kind=kind, limit=1)
    return watched_run(kind).get() or (newest[0].id if newest else "")


def begun(visit: Visit) -> bool:
    """Whether this page's stage was ever run; its form folds away then, and the run stands first."""
    return bool(visit.studio.store.runs.all(persona_id=visit.persona.id, kind=visit.name, limit=1))


def run_panel(visit: Visit, run_id: str) -> None:
    """Show a run and keep it fresh, once a second, until it is over."""
    with told_to_the_user():
        run = visit.studio.store.runs.get(run_id)
        live = st.fragment(_panel, run_every=None if run.state.over else 1.0, key=f"panel.{run_id}")
        with st.container(border=True, key=f"run-{run_id}"):
            live(visit, run_id, was_over=run.state.over)


def _panel(visit: Visit, run_id: str, *, was_over: bool) -> None:
    studio = visit.studio
    run = studio.store.runs.get(run_id)
    if run.state.over and not was_over:
        st.rerun()  # the whole page: what the run made belongs on it now
    _headline(studio, run)
    if not run.state.over:
        _progress(studio, run)
    if run.error:
        show_failure(run.error.message, run.error.remedy, run.error.values)
    _buttons(visit, run)
    folder = studio.settings.runs / run.id
    _metrics(folder, run)
    _probes(folder, run)
    _papers(folder, run)


def _headline(studio: Services, run: Run) -> None:
    word, colour, symbol = RUN_STATES[run.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{job_title(studio, run.kind)}**", width="content")
        st.badge(_(word), color=colour, icon=symbol)
        if run.attempt > 1:
            st.badge(_("attempt {number}").format(number=run.attempt), color="gray")
        st.caption(f"{moment(run.created_at)} · `{run.id}`", width="content")
        if run.started_at and run.finished_at:
            st.caption(_("took {time}").format(time=duration((run.finished_at - run.started_at).total_seconds())))


def _progress(studio: Services, run: Run) -> None:
    at = run.progress
    words = [filled(at.message, at.values) if at.message else _("Waiting for a worker")]
    if at.fraction is not None:
        words.append(number(at.fraction, "#,##0 %"))
    if at.seconds_left is not None:
        words.append(_("about {time} left").format(time=duration(at.seconds_left)))
    if run.stop_requested:
        words.append(_("stopping"))
    st.progress(min(max(at.fraction or 0.0, 0.0), 1.0), text=" · ".join(words))
    if not studio.jobs.workers():
        st.warning(
            _("No worker is running, so nothing happens. Start one with `python -m core worker`, or use `make run`."),
            icon=":material/power_off:",
        )


def _buttons(visit: Visit, run: Run) -> None:
    jobs = visit.studio.jobs
    with st.container(horizontal=True), told_to_the_user():
        if not run.state.over:
            if st.button(_("Stop"), icon=":material/stop:", key=f"stop.{run.id}", disabled=run.stop_requested):
                jobs.stop(run.id)
                st.rerun()
            return
        unfinished = run.state is not RunState.SUCCEEDED
        if unfinished and st.button(_("Resume"), icon=":material/play_arrow:", key=f"resume.{run.id}"):
            jobs.resume(run.id)
            st.rerun()
        if st.button(_("Run again"), icon=":material/replay:", key=f"again.{run.id}"):
            fresh = jobs.again(run.id, who=visit.who)
            watched_run(run.kind).set(fresh.id)
            if RUN.get():
                RUN.set(fresh.id)
            st.rerun()


def _metrics(folder: Path, run: Run) -> None:
    rows = metric_rows(folder)
    known = {name: _(title) for name, title in _CURVES.items() if any(name in row for row in rows)}
    if known:
        charts.curves(rows, known, title=_("Loss"), x_title=_("step"), key=f"metrics.{run.id}")


def _probes(folder: Path, run: Run) -> None:
    file = folder / "probes.json"
    questions = run.settings.get("questions")
    if not (questions and file.exists()):
        return
    with st.expander(_("What she answers as the training goes on"), icon=":material/psychology_alt:"):
        rounds = json.loads(file.read_text(encoding="utf-8"))
        columns = {_("step"): [one["step"] for one in rounds]}
        columns |= {text: [one["answers"][number] for one in rounds] for number, text in enumerate(questions)}
        st.dataframe(columns, hide_index=True)


def _papers(folder: Path, run: Run) -> None:
    log = last_lines(folder / "run.log")
    with st.expander(_("Log"), icon=":material/notes:", expanded=not run.state.over and bool(log)):
        st.code(log or _("Nothing was written yet."), language=None, height=240 if log else "content", wrap_lines=True)
    if run.error and run.error.traceback:
        with st.expander(_("Technical details"), icon=":material/bug_report:"):
            st.code(run.error.traceback, language="python", wrap_lines=True)
    if run.commands:
        with st.expander(_("Commands"), icon=":material/terminal:"):
            for command in run.commands:
                st.code(_spelled(command), language="bash", wrap_lines=True)
    with st.expander(_("Settings and manifest"), icon=":material/receipt_long:"):
        st.json(_manifest(run), expanded=1)


def metric_rows(folder: Path) -> list[Mapping[str, float]]:
    """Read a run's `metrics.jsonl`; a line still being written is left for the next look."""
    path = folder / "metrics.jsonl"
    if not path.exists():
        return []
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines() if line]


def last_lines(path: Path, count: int = 40) -> str:
    """Read the end of a log, at most `count` lines; progress bars show only their last state."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    lines = [line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").rstrip().split("\n")]
    return "\n".join(lines[-count:])


def _spelled(command: Mapping[str, Any]) -> str:
    spelled = " ".join(f"{name}={value}" for name, value in dict(command.get("env", {})).items())
    return f"{spelled} {' '.join(command.get('argv', ()))}".strip()


def _manifest(run: Run) -> dict[str, Any]:
    return {
        "settings": dict(run.settings),
        "inputs": dict(run.inputs),
        "versions": dict(run.versions),
        "result": dict(run.result),
        "worker": run.worker,
        "started by": run.created_by,
        "queue": run.queue,
    }
