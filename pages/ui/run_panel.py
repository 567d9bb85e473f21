"""A run, live: state, progress, time left, chart, log, commands; and Stop, Resume, Run again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.services import Services
from pages.ui.errors import show_failure, told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, duration, filled, moment, number
from pages.ui.labels import RUN_STATES, job_title
from pages.ui.run_curves import run_curves
from pages.ui.settings_form import settings_form, undrawn
from pages.ui.state import AGAINST, RUN, watched_run
from pages.ui.training_result import probes, training_result

_LOG_BYTES: Final = 16_000
_YOUNG: Final = 90
"""Seconds from its start during which a run is watched closely."""
_CONFIGURATION: Final = "xtuner_config.py"
"""What a trainer was given, in the run's folder; it tells how to run it by hand."""


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
    """Show a run and keep it fresh until it is over."""
    with told_to_the_user():
        pace = _pace(visit.studio.store.runs.get(run_id))
        live = st.fragment(_panel, run_every=pace, key=f"panel.{run_id}")
        with st.container(border=True, key=f"run-{run_id}"):
            live(visit, run_id, pace)


def _pace(run: Run) -> float | None:
    """Return how many seconds the panel stands as it is; None where nothing happens any more.

    Drawing curves each second takes a third of a processor core, which a long training on that machine would miss.
    """
    if run.state.over:
        return None
    young = run.started_at is None or (now() - run.started_at).total_seconds() < _YOUNG
    return 1.0 if young else 4.0


def _panel(visit: Visit, run_id: str, pace: float | None) -> None:
    studio = visit.studio
    run = studio.store.runs.get(run_id)
    if _pace(run) != pace:
        st.rerun()  # the whole page: what a run that is over made belongs on it now
    _headline(studio, run)
    if not run.state.over:
        _progress(studio, run)
    if run.error:
        show_failure(run.error.message, run.error.remedy, run.error.values)
    _buttons(visit, run)
    folder = studio.settings.runs / run.id
    run_curves(studio, run)
    probes(folder, run)
    if run.state is RunState.SUCCEEDED:
        training_result(run)
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
            _again(visit, run, {})
        if run.kind in jobs.table and st.button(
            _("Run again with changes"), icon=":material/tune:", key=f"changed.{run.id}"
        ):
            _ask_changes(visit, run)


def _again(visit: Visit, run: Run, changes: Mapping[str, Any]) -> None:
    """Queue a run like that one, and watch it instead."""
    fresh = visit.studio.jobs.again(run.id, changes, who=visit.who)
    watched_run(run.kind).set(fresh.id)
    if RUN.get():
        RUN.set(fresh.id)
        AGAINST.clear()
    st.rerun()


def _ask_changes(visit: Visit, run: Run) -> None:
    """Open a dialog with the run's settings; what is started there is a new run."""
    st.dialog(_("Run again with changes"), width="large", icon=":material/tune:")(_changes)(visit, run)


def _changes(visit: Visit, run: Run) -> None:
    st.caption(_("A new run with these settings; the old one stays as it is."))
    with told_to_the_user(), st.form(f"changes.{run.id}", border=False):
        model = visit.studio.jobs.table[run.kind].settings
        values = settings_form(model, run.settings, key=f"changes.{run.id}", omit=undrawn(model))
        if st.form_submit_button(_("Start"), type="primary", icon=":material/play_arrow:"):
            _again(visit, run, values)


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
    configuration = folder / _CONFIGURATION
    if configuration.exists():
        _file(configuration, run)
    with st.expander(_("Settings and manifest"), icon=":material/receipt_long:"):
        st.json(_manifest(run), expanded=1)


def _file(file: Path, run: Run) -> None:
    folded = st.expander(
        _("Configuration"), icon=":material/description:", key=f"configuration.{run.id}", on_change="rerun"
    )
    if folded.open:
        text = file.read_text(encoding="utf-8")
        folded.download_button(
            _("Download"), text, file.name, mime="text/x-python", icon=":material/download:", on_click="ignore"
        )
        folded.code(text, language="python", height=320)


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
