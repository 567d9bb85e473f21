"""Dialogues: find the lines of the corpus, then read and review each beside its passage."""

from __future__ import annotations

import streamlit as st

from core.domain.text import ReviewStatus, UtteranceKind
from core.store.utterances import UtteranceFilter
from pages.ui import charts
from pages.ui.errors import told_to_the_user
from pages.ui.frame import coming, empty, page
from pages.ui.i18n import _
from pages.ui.labels import review_status, utterance_kind
from pages.ui.review import decide, show_in_place
from pages.ui.run_panel import begun, stage_run, start_run
from pages.ui.settings_form import stage_form
from pages.ui.state import LINES, UTTERANCE
from pages.ui.tables import chosen_row, pager, place_of

visit = page("dialogues")
studio, persona = visit.studio, visit.persona
sources = {source.id: source.name for source in studio.store.corpus.sources(persona.id)}

if not sources:
    empty(_("There is no text to search yet."), icon="menu_book", link="corpus", label=_("Import a text"))
    coming("dialogues")
    st.stop()

speakers = studio.store.utterances.speakers(persona.id)
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

if not speakers:
    coming("dialogues")
    st.stop()

read, count = st.tabs([_("Lines"), _("Speakers")], on_change="rerun")

if count.open:
    with count:
        charts.bars(dict(speakers[:20]), title=_("Lines by speaker"), key="speakers")

with read:
    who, where, what, state, words = st.columns([2, 1, 1, 1, 2])
    names = [name for name, _count in speakers]
    speaker = who.selectbox(
        _("Speaker"),
        names,
        index=names.index(persona.name) if persona.name in names else None,
        placeholder=_("everybody"),
        key="lines.speaker",
    )
    chapter = where.number_input(_("Chapter"), min_value=0, value=None, step=1, placeholder=_("all"))
    kind = what.selectbox(_("Kind"), list(UtteranceKind), index=None, format_func=utterance_kind, placeholder=_("all"))
    status = state.selectbox(
        _("Status"), list(ReviewStatus), index=None, format_func=review_status, placeholder=_("all")
    )
    text = words.text_input(_("Words"), placeholder=_("somewhere in the line"), icon=":material/search:")

    wanted = UtteranceFilter(
        persona.id, speaker=speaker, chapter=chapter, kind=kind, status=status, text=text.strip() or None
    )
    lines = studio.store.utterances.page(wanted, after=place_of(LINES, repr(wanted)), limit=50)
    listed, beside = st.columns([3, 2], gap="medium")

    with listed:
        row = chosen_row(
            [
                {
                    _("chapter"): line.chapter,
                    _("speaker"): line.speaker or "—",
                    _("status"): review_status(line.status),
                    _("words"): line.text,
                }
                for line in lines.rows
            ],
            key=f"lines.{LINES.number()}.{hash(wanted)}",
            height=520,
        )
        pager(LINES, next_cursor=lines.next_cursor, total=studio.store.utterances.count(wanted), per_page=50)

    with beside, told_to_the_user():
        if row is not None:
            UTTERANCE.set(lines.rows[row].id)
        if not lines.rows and not UTTERANCE.get():
            st.caption(_("No line is like that. Loosen the filters."))
            st.stop()
        line = studio.store.utterances.get(UTTERANCE.get() or lines.rows[0].id)
        show_in_place(visit, line, studio.store.corpus.passage(line.passage_id))
        decide(visit, line, names)

coming("dialogues")
