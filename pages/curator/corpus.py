"""Corpus: upload texts, see their chapters, read a passage with the lines found in it."""

from __future__ import annotations

import streamlit as st

from pages.ui.contents import chosen_chapter
from pages.ui.errors import told_to_the_user
from pages.ui.frame import coming, empty, page
from pages.ui.i18n import _
from pages.ui.import_form import import_form, import_report
from pages.ui.reader import show_chapter
from pages.ui.run_panel import stage_run
from pages.ui.source_line import chosen_source, source_line
from pages.ui.state import PASSAGE

visit = page("corpus")
studio, persona = visit.studio, visit.persona
sources = studio.store.corpus.sources(persona.id)

import_form(visit, unfolded=not sources)
stage_run(visit)
import_report(visit)

if not sources:
    empty(_("There is no text yet. Import one above."), icon="menu_book")
    coming("corpus")
    st.stop()

source = chosen_source(sources)
source_line(visit, source)

contents, book = st.columns([2, 3], gap="medium")
chapters = studio.store.corpus.chapters(source.id)
with contents:
    chosen = chosen_chapter(chapters, key=f"chapters.{source.id}")

with book, told_to_the_user():
    linked = PASSAGE.get() if chosen is None else ""
    at = studio.store.corpus.passage(linked) if linked else None
    chapter = chosen or next((one for one in chapters if at and one.number == at.chapter), chapters[0])
    show_chapter(visit, source, chapter, at)
    st.caption(
        _("{name}'s lines are green, other people's are underlined; hover to see who speaks.").format(name=persona.name)
    )

coming("corpus")
