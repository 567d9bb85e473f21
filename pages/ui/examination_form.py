"""Start an examination: who, in what; what is there of the benchmarks, and what stands in the way."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from core.domain.training import ModelKind
from core.settings import stage_defaults
from core.stages.evaluation.benchmarks import BENCHMARKS, BenchmarkReport
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.evaluation.subjects import GROUP_TITLES, SUBJECTS, Group
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, moment, number
from pages.ui.labels import subject_title
from pages.ui.run_panel import begun, stage_run, start_run
from pages.ui.settings_form import stage_form
from pages.ui.state import QUESTION_FILES
from pages.ui.toolchain import toolchain_line

_SERVED: Final = ""
_MOST_MISSING: Final = 5
"""Missing files that are named."""


def examination_room(visit: Visit) -> None:
    """Draw the form, the run it starts, and the examiner's environment."""
    fresh = not begun(visit)
    folded = st.expander(
        _("Examine a model"), icon=":material/quiz:", expanded=fresh, key=f"examine.{fresh}", on_change="rerun"
    )
    if folded.open:
        with folded:
            _form(visit)
    stage_run(visit, folded=False)
    toolchain_line(visit, "opencompass", "OpenCompass")


def _form(visit: Visit) -> None:
    left, right = st.columns(2)
    with left:
        wanted: dict[str, Any] = {"model_id": _model(visit)}
    with right:
        benchmarks = st.multiselect(
            _("Published benchmarks"), list(BENCHMARKS), format_func=lambda one: BENCHMARKS[one].title
        )
    for report in visit.studio.benchmarks(benchmarks, usual().data):
        _told(report)
    wanted |= {"benchmarks": benchmarks, "subjects": _subjects(benchmarks), "own": _own(visit)}
    omit = {*wanted, "max_summary_kb"}
    if wanted["model_id"] is not None:
        omit |= {"endpoint_url", "endpoint_model", "endpoint_key"}
    shown = ("name", "most", "persona_questions", "endpoint_url", "endpoint_model")
    values = stage_form(visit.studio, "evaluation", first=shown, omit=omit)
    values |= wanted
    if not (values["model_id"] or (values["endpoint_url"] and values["endpoint_model"])):
        st.caption(_("Choose a text model, or give a server's address and its model's name."))
        return
    with told_to_the_user():
        asked = visit.studio.examination(visit.persona.id, values)
        sets = number(len(asked.datasets))
        count = asked.questions
        st.caption(_n("{count} question, sets: {sets}.", "{count} questions, sets: {sets}.", count, sets=sets))
        if st.button(_("Start"), type="primary", icon=":material/play_arrow:", key="examine.start"):
            start_run(visit, values)


def _model(visit: Visit) -> str | None:
    models = {one.id: one for one in visit.studio.store.models.all(visit.persona.id, ModelKind.TEXT)}
    chosen = st.selectbox(
        _("Model"),
        [*models, _SERVED],
        format_func=lambda one: (
            f"{models[one].name} · {moment(models[one].created_at)}" if one else _("a model behind an address")
        ),
    )
    return chosen or None


def _told(report: BenchmarkReport) -> None:
    """Say what there is of a benchmark, and where to get what is missing."""
    title = report.benchmark.title
    if not report.missing:
        words = _("{title}: {subjects} subjects, {questions} questions are there.")
        told = words.format(title=title, subjects=number(len(report.subjects)), questions=number(report.questions))
        st.caption(f":material/check: {told}")
        return
    count = len(report.missing)
    words = _n("{title}: {count} file is missing.", "{title}: {count} files are missing.", count, title=title)
    with st.container(border=True):
        st.markdown(f":material/warning: **{words}**")
        st.caption(_(report.benchmark.source))
        st.code(str(report.folder), language=None)
        named = [*report.missing[:_MOST_MISSING], *(["…"] if len(report.missing) > _MOST_MISSING else [])]
        st.caption("  \n".join(f"`{one}`" for one in named))


def _subjects(benchmarks: list[str]) -> list[str]:
    """Ask for a part of C-Eval, by groups and subjects; nothing chosen is all of it."""
    if "ceval" not in benchmarks:
        return []
    left, right = st.columns(2)
    with left:
        groups = st.multiselect(
            _("Groups"), list(Group), format_func=lambda one: _(GROUP_TITLES[one]), placeholder=_("all of them")
        )
    known = {subject: group for group, subjects in SUBJECTS.items() for subject in subjects}
    with right:
        single = st.multiselect(_("Subjects"), list(known), format_func=subject_title, placeholder=_("all of them"))
    return [subject for subject, group in known.items() if group in groups or subject in single]


def _own(visit: Visit) -> list[dict[str, str]]:
    files = st.file_uploader(
        _("Sets of your own (JSON lines or CSV)"),
        type=["jsonl", "csv"],
        accept_multiple_files=True,
        key=QUESTION_FILES.key(),
        help=_("Columns question, A, B, C, D and answer (a letter), or question and answer."),
    )
    taken = []
    for file in files:
        with told_to_the_user():
            taken.append(visit.studio.receive_questions(file, file.name))
    return taken


def usual() -> EvaluationSettings:
    """Return the settings of `configs/evaluation.yaml`."""
    return stage_defaults("evaluation", EvaluationSettings)
