"""Runs: everything that runs or ran for this persona; open one to see its progress, log, commands and result."""

from __future__ import annotations

import streamlit as st

from core.domain.run import RunState
from pages.ui.frame import empty, page
from pages.ui.i18n import _, duration, moment
from pages.ui.labels import job_title, run_state
from pages.ui.run_comparison import run_comparison
from pages.ui.run_panel import run_panel
from pages.ui.state import AGAINST, RUN
from pages.ui.tables import chosen_row

visit = page("runs")
studio, persona = visit.studio, visit.persona

workers = studio.jobs.workers()
with st.container(horizontal=True, vertical_alignment="bottom"):
    kind = st.selectbox(
        _("Stage"),
        list(studio.jobs.table),
        index=None,
        format_func=lambda one: job_title(studio, one),
        placeholder=_("all"),
        width=220,
    )
    state = st.selectbox(_("State"), list(RunState), index=None, format_func=run_state, placeholder=_("all"), width=220)
    if st.button(_("Refresh"), icon=":material/refresh:"):
        st.rerun()

if workers:
    names = ", ".join(f"{worker.name} ({worker.host})" for worker in workers)
    st.caption(_("Workers alive: {names}").format(names=names))
else:
    st.warning(
        _("No worker is running. Start one with `python -m core worker`, or use `make run`."),
        icon=":material/power_off:",
    )

states = [state] if state else None
runs = studio.store.runs.all(persona_id=persona.id, kind=kind, states=states, limit=200)
if not runs:
    empty(_("There is no run like that yet."), icon="play_circle")

row = chosen_row(
    [
        {
            _("stage"): job_title(studio, run.kind),
            _("state"): run_state(run.state),
            _("begun"): moment(run.started_at or run.created_at),
            _("took"): duration((run.finished_at - run.started_at).total_seconds())
            if run.started_at and run.finished_at
            else "",
            _("run"): run.id,
        }
        for run in runs
    ],
    key=f"runs.{kind}.{state}",
    height=min(420, 40 + 36 * len(runs)),
)
if row is not None and runs[row].id != RUN.get():
    RUN.set(runs[row].id)
    AGAINST.clear()

if RUN.get():
    run_panel(visit, RUN.get())
    run_comparison(visit, RUN.get())
elif runs:
    st.caption(_("Choose a run to see its log, commands and result."))
