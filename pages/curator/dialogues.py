"""Dialogues: find the lines of the corpus, then decide about each beside its passage, or about many in a table."""

from __future__ import annotations

import streamlit as st

from core.domain.run import RunState
from pages.ui.expansions import synthetic_lines
from pages.ui.extraction import MODEL, find_dialogues
from pages.ui.frame import coming, empty, page
from pages.ui.i18n import _
from pages.ui.rated_replies import rated_replies
from pages.ui.review_desk import desk
from pages.ui.run_panel import last_run

visit = page("dialogues")
studio, persona = visit.studio, visit.persona
sources = {source.id: source.name for source in studio.store.corpus.sources(persona.id)}

if not sources:
    empty(_("There is no text to search yet."), icon="menu_book", link="corpus", label=_("Import a text"))
    coming("dialogues")
    st.stop()

speakers = studio.store.utterances.speakers(persona.id)
runs = [studio.store.runs.get(run) for kind in (visit.name, MODEL) if (run := last_run(visit, kind))]
first, second = st.container(), st.container()
# Who comes to review finds the lines first; before there are any, and while a run wants attention, the search.
at_rest = bool(speakers) and all(run.state is RunState.SUCCEEDED for run in runs)
search, review = (second, first) if at_rest else (first, second)

with search:
    find_dialogues(visit, sources)
    if speakers:
        synthetic_lines(visit)
    coming("dialogues")

if speakers:
    with review:
        rated_replies(visit)
        desk(visit, sources, [name for name, _count in speakers])
