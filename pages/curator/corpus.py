"""Corpus: upload texts, see their chapters, read a passage with the lines found in it."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from core.domain.text import SourceKind
from core.store.utterances import UtteranceFilter
from pages.ui.errors import told_to_the_user
from pages.ui.frame import coming, empty, page
from pages.ui.i18n import _, _n, number
from pages.ui.labels import source_kind
from pages.ui.reader import show_passages
from pages.ui.run_panel import stage_run, start_run
from pages.ui.source_line import source_line
from pages.ui.state import PASSAGE, SOURCE, UPLOADS, UTTERANCE
from pages.ui.tables import chosen_row

visit = page("corpus")
studio, persona = visit.studio, visit.persona
sources = studio.store.corpus.sources(persona.id)

with (
    st.expander(_("Import texts"), icon=":material/upload_file:", expanded=not sources),
    st.form("import", border=False),
):
    uploads = st.file_uploader(
        _("Text files (.txt, or a .zip of them), at most {limit} MB each").format(
            limit=number(studio.settings.uploads.max_text_mb)
        ),
        type=["txt", "zip"],
        accept_multiple_files=True,
        key=UPLOADS.key(),
        help=_("UTF-8, GB18030 and Big5 are recognised. The file is kept as it is."),
    )
    kind = st.selectbox(
        _("Kind of text"),
        [None, *SourceKind],
        format_func=lambda one: source_kind(one) if one else _("recognise it"),
    )
    asked = st.form_submit_button(_("Import"), type="primary", icon=":material/upload:")

if asked and not uploads:
    st.warning(_("Choose one or more files first."), icon=":material/upload_file:")
elif asked:
    with told_to_the_user():
        received = [text for upload in uploads for text in studio.receive_texts(upload, upload.name)]
        UPLOADS.renew()
        said = _n("{count} text received", "{count} texts received", len(received))
        start_run(visit, {"uploads": received, "kind": kind}, said)

stage_run(visit)

if not sources:
    empty(_("There is no text yet. Import one above."), icon="menu_book")
    coming("corpus")
    st.stop()

linked = PASSAGE.get().rpartition(".")[0] or SOURCE.get()
names = {source.id: source for source in sources}
source = names.get(linked, sources[0])
if len(sources) > 1:
    picked = st.selectbox(
        _("Text"),
        list(names),
        index=list(names).index(source.id),
        format_func=lambda one: names[one].name,
    )
    if picked != source.id:
        PASSAGE.clear()
        UTTERANCE.clear()
        SOURCE.set(picked)
        st.rerun()

source_line(visit, source)

contents, book = st.columns([2, 3], gap="medium")
chapters = studio.store.corpus.chapters(source.id)
with contents:
    row = chosen_row(
        [
            {
                _("chapter"): one.number,
                _("title"): one.title or _("(before the first heading)"),
                _("paragraphs"): one.paragraphs,
                _("characters"): one.characters,
            }
            for one in chapters
        ],
        key=f"chapters.{source.id}",
        height=min(620, 40 + 36 * len(chapters)),
    )

with book, told_to_the_user():
    at = studio.store.corpus.passage(PASSAGE.get()) if PASSAGE.get() and row is None else None
    chapter = at.chapter if at else chapters[row or 0].number
    found = studio.store.utterances.page(UtteranceFilter(persona.id, source.id, chapter=chapter), limit=2000).rows
    lines = {passage_id: list(group) for passage_id, group in groupby(found, key=lambda line: line.passage_id)}
    with st.container(height=640):
        show_passages(
            studio.store.corpus.passages(source.id, chapter),
            lines,
            persona=persona.name,
            chosen=UTTERANCE.get(),
            focus=at.id if at else "",
        )
    st.caption(
        _("{name}'s lines are green, other people's are underlined; hover to see who speaks.").format(name=persona.name)
    )

coming("corpus")
