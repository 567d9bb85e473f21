"""Evaluation: import what OpenCompass measured, read it by group and subject, compare scorecards."""

from __future__ import annotations

import streamlit as st

from core.domain.training import ModelKind
from core.settings import stage_defaults
from core.stages.evaluation.scorecards import import_summary
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.evaluation.subjects import GROUP_TITLES, Group
from core.stages.evaluation.tables import group_bars, missing_of, other_bars, side_by_side, subject_bars
from pages.ui import charts
from pages.ui.errors import told_to_the_user
from pages.ui.frame import coming, empty, page, say_next
from pages.ui.i18n import _, _n, moment
from pages.ui.labels import titled
from pages.ui.state import SUMMARIES

visit = page("evaluation")
studio, persona = visit.studio, visit.persona
cards = {card.id: card for card in studio.store.scorecards.all(persona.id)}
models = {model.id: model.name for model in studio.store.models.all(persona.id, ModelKind.TEXT)}

adding = st.expander(_("Import a scorecard"), icon=":material/upload_file:", expanded=not cards)
with adding, st.form("import", border=False):
    summary = st.file_uploader(_("An OpenCompass summary (summary_….csv)"), type=["csv"], key=SUMMARIES.key())
    measured = st.selectbox(
        _("Whose scores are these?"),
        list(models),
        index=None,
        format_func=lambda one: models[one],
        placeholder=_("a model that is not in this list"),
    )
    asked = st.form_submit_button(_("Import"), type="primary", icon=":material/upload:")

if asked and not summary:
    st.warning(_("Choose a file first."), icon=":material/upload_file:")
elif asked and summary:
    with told_to_the_user():
        card = import_summary(
            summary,
            summary.name,
            persona_id=persona.id,
            settings=stage_defaults("evaluation", EvaluationSettings),
            store=studio.store,
            model_id=measured,
            who=visit.who,
        )
        SUMMARIES.renew()
        say_next(_("{name} is imported.").format(name=card.name))

if not cards:
    empty(_("There is no scorecard yet. Import one above."), icon="monitoring")
    coming("evaluation")
    st.stop()

chosen = st.multiselect(
    _("Scorecards"),
    list(cards),
    default=list(cards)[:1],
    format_func=lambda one: f"{cards[one].name} · {moment(cards[one].created_at)}",
)
compared = [cards[one] for one in chosen]
if not compared:
    st.caption(_("Choose at least one scorecard."))
    st.stop()

groups, subjects, others = st.tabs([_("Groups"), _("Subjects"), _("Other benchmarks")])

with groups:
    series = side_by_side(compared, group_bars)
    if any(series.values()):
        charts.compared(titled(series), title=_("C-Eval by group, per cent"), key="groups")
    else:
        st.caption(_("No C-Eval group was measured here."))

with subjects:
    group = st.segmented_control(
        _("Group"),
        list(Group),
        default=Group.STEM,
        required=True,
        format_func=lambda one: _(GROUP_TITLES[one]),
        label_visibility="collapsed",
    )
    series = side_by_side(compared, lambda card: subject_bars(card, group))
    if any(series.values()):
        charts.compared(titled(series), title=_("C-Eval by subject, per cent"), key="subjects")
    else:
        st.caption(_("No subject of this group was measured here."))

with others:
    series = side_by_side(compared, other_bars)
    if any(series.values()):
        charts.compared(series, title=_("Everything else, per cent"), key="others")
    else:
        st.caption(_("Nothing but C-Eval was measured here."))

missing = [score.dataset for card in compared for score in missing_of(card)]
if missing:
    st.caption(
        _n("{count} dataset without a score:", "{count} datasets without a score:", len(missing))
        + " "
        + ", ".join(sorted(set(missing)))
    )

coming("evaluation")
