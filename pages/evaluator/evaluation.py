"""Evaluation: examine a model with OpenCompass, read its scores, go down to every question; import summaries."""

from __future__ import annotations

import streamlit as st

from core.domain.training import ModelKind
from core.stages.evaluation.scorecards import import_summary
from pages.ui.errors import told_to_the_user
from pages.ui.examination_form import examination_room, usual
from pages.ui.frame import coming, empty, page, say_next
from pages.ui.i18n import _, moment
from pages.ui.part_tabs import part_tabs
from pages.ui.question_browser import question_browser
from pages.ui.score_charts import score_charts
from pages.ui.state import SUMMARIES

visit = page("evaluation")
studio, persona = visit.studio, visit.persona
cards = {card.id: card for card in studio.store.scorecards.all(persona.id)}


def import_form() -> None:
    """Draw the form that takes in a summary."""
    models = {model.id: model.name for model in studio.store.models.all(persona.id, ModelKind.TEXT)}
    adding = st.expander(_("Import a scorecard"), icon=":material/upload_file:")
    with adding, st.form("import", border=False):
        summary = st.file_uploader(
            _("An OpenCompass summary (summary_….csv, .txt or .md)"), type=["csv", "txt", "md"], key=SUMMARIES.key()
        )
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
                settings=usual(),
                store=studio.store,
                model_id=measured,
                who=visit.who,
            )
            SUMMARIES.renew()
            say_next(_("{name} is imported.").format(name=card.name))


def scores() -> None:
    """Draw the chosen scorecards."""
    import_form()
    if not cards:
        empty(_("There is no scorecard yet. Examine a model, or import a summary above."), icon="monitoring")
        return
    chosen = st.multiselect(
        _("Scorecards"),
        list(cards),
        default=list(cards)[:1],
        format_func=lambda one: f"{cards[one].name} · {moment(cards[one].created_at)}",
    )
    if chosen:
        score_charts(visit, [cards[one] for one in chosen])
    else:
        st.caption(_("Choose at least one scorecard."))


tabs = part_tabs(
    {"scores": _("Scores"), "examine": _("Examine"), "questions": _("Questions")},
    first="scores",
)
if tabs["scores"].open:
    with tabs["scores"]:
        scores()
if tabs["examine"].open:
    with tabs["examine"]:
        examination_room(visit)
if tabs["questions"].open:
    with tabs["questions"]:
        question_browser(visit, list(cards.values()))

coming("evaluation")
