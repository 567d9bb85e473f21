"""Dialogues: find the lines of the corpus, then decide about each beside its passage, or about many in a table."""

from __future__ import annotations

import streamlit as st

from core.domain.run import RunState
from pages.ui.frame import coming, empty, page
from pages.ui.i18n import _
from pages.ui.review_desk import desk
from pages.ui.run_panel import begun, stage_run, start_run
from pages.ui.settings_form import stage_form

visit = page("dialogues")
studio, persona = visit.studio, visit.persona
sources = {source.id: source.name for source in studio.store.corpus.sources(persona.id)}

if not sources:
    empty(_("There is no text to search yet."), icon="menu_book", link="corpus", label=_("Import a text"))
    coming("dialogues")
    st.stop()

speakers = studio.store.utterances.speakers(persona.id)
newest = studio.store.runs.all(persona_id=persona.id, kind=visit.name, limit=1)
first, second = st.container(), st.container()
# Who comes to review finds the lines first; before there are any, and while a run wants attention, the search.
at_rest = bool(speakers) and all(run.state is RunState.SUCCEEDED for run in newest)
search, review = (second, first) if at_rest else (first, second)

with search:
    with (
        st.expander(_("Find the dialogues"), icon=":material/forum:", expanded=not begun(visit)),
        st.form("extract", border=False),
    ):
        values = stage_form(studio, "dialogues", omit={"source_ids"})
        chosen = st.multiselect(_("Texts"), list(sources), default=list(sources), format_func=lambda one: sources[one])
        asked = st.form_submit_button(_("Start"), type="primary", icon=":material/play_arrow:")
    if asked:
        start_run(visit, {**values, "source_ids": chosen})
    stage_run(visit)
    coming("dialogues")

if speakers:
    with review:
        desk(visit, sources, [name for name, _count in speakers])
