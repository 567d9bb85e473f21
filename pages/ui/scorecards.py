"""The scorecards of a persona: import one, choose some, read them."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.domain.evaluation import Scorecard
from core.domain.training import ModelKind
from core.stages.evaluation.scorecards import import_summary
from pages.ui.errors import told_to_the_user
from pages.ui.examination_form import usual
from pages.ui.frame import Visit, empty, say_next
from pages.ui.i18n import _, moment
from pages.ui.score_charts import score_charts
from pages.ui.state import SUMMARIES


def scorecards_room(visit: Visit, cards: Mapping[str, Scorecard]) -> None:
    """Draw the import and the chosen scorecards."""
    _import(visit)
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


def _import(visit: Visit) -> None:
    store = visit.studio.store
    models = {model.id: model.name for model in store.models.all(visit.persona.id, ModelKind.TEXT)}
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
                persona_id=visit.persona.id,
                settings=usual(),
                store=store,
                model_id=measured,
                who=visit.who,
            )
            SUMMARIES.renew()
            say_next(_("{name} is imported.").format(name=card.name))
