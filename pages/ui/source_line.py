"""A text of the corpus in one line: what it is and how large; its kind to correct, its files, the way out."""

from __future__ import annotations

from pathlib import PurePath

import streamlit as st

from core.domain.text import Source, SourceKind
from core.store.corpus import source_text
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, _n, moment, number, size_of
from pages.ui.labels import source_kind
from pages.ui.markup import plain
from pages.ui.state import PASSAGE, SOURCE, UTTERANCE


def source_line(visit: Visit, source: Source) -> None:
    """Show the line, and beside it what can be done with the text."""
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(source_kind(source.kind), icon=":material/menu_book:", help=_("Correct the kind")):
            _correct(visit, source)
        st.badge(f"{source.format.upper()} · {source.encoding}", color="gray")
        st.badge(size_of(source.size), color="gray")
        st.badge(_n("{count} chapter", "{count} chapters", source.chapters), color="gray")
        st.badge(_n("{count} character", "{count} characters", source.characters), color="gray")
        st.caption(moment(source.imported_at), width="content")
        with st.popover(_("Download"), icon=":material/download:"):
            _downloads(visit, source)
        if st.button(_("Delete"), icon=":material/delete:", key=f"delete.{source.id}"):
            st.dialog(_("Delete this text"), icon=":material/delete:")(_confirm)(visit, source)


def chosen_source(sources: list[Source]) -> Source:
    """Return the text the address names, else the newest; with several, offer the choice."""
    linked = PASSAGE.get().rpartition(".")[0] or SOURCE.get()
    names = {source.id: source for source in sources}
    source = names.get(linked, sources[0])
    if len(sources) > 1:
        picked = st.selectbox(
            _("Text to read"), list(names), index=list(names).index(source.id), format_func=lambda one: names[one].name
        )
        if picked and picked != source.id:
            PASSAGE.clear()
            UTTERANCE.clear()
            SOURCE.set(picked)
            st.rerun()
    return source


def _correct(visit: Visit, source: Source) -> None:
    st.caption(_("The kind decides how lines are found in it: find its dialogues anew after a change."))
    wanted = st.segmented_control(
        _("Kind of text"),
        list(SourceKind),
        default=source.kind,
        format_func=source_kind,
        required=True,
        key=f"kind.{source.id}.{source.kind}",
    )
    if wanted and wanted != source.kind:
        with told_to_the_user():
            visit.studio.store.corpus.set_kind(source.id, SourceKind(wanted), who=visit.who)
            SOURCE.set(source.id)
            say_next(_("The kind was corrected: {kind}").format(kind=source_kind(SourceKind(wanted))))


def _downloads(visit: Visit, source: Source) -> None:
    files = visit.studio.store.files
    st.download_button(
        _("The file as imported"),
        lambda: files.read(source.sha256),
        file_name=source.name,
        mime="application/octet-stream",
        icon=":material/draft:",
        on_click="ignore",
        key=f"original.{source.id}",
        width="stretch",
    )
    st.download_button(
        _("The text read from it (UTF-8)"),
        lambda: source_text(source, files).encode("utf-8"),
        file_name=f"{PurePath(source.name).stem}.txt",
        mime="text/plain",
        icon=":material/article:",
        on_click="ignore",
        key=f"text.{source.id}",
        width="stretch",
    )


def _confirm(visit: Visit, source: Source) -> None:
    with told_to_the_user():
        use = visit.studio.store.corpus.use(source.id)
        st.markdown(f"**{plain(source.name)}**")
        gone = [_n("{count} chapter", "{count} chapters", source.chapters)]
        if use.lines:
            gone.append(_n("{count} line found in it", "{count} lines found in it", use.lines))
        if use.reviewed:
            gone.append(_("{count} of them decided by people").format(count=number(use.reviewed)))
        st.markdown(_("With it go: {things}.").format(things=_(", ").join(gone)))
        if use.versions:
            st.markdown(
                _n(
                    "{count} dataset version was built from it. It stays, but no longer leads back to this text.",
                    "{count} dataset versions were built from it. They stay, but no longer lead back to this text.",
                    use.versions,
                )
            )
        if st.button(_("Delete for good"), type="primary", icon=":material/delete:", key=f"confirm.{source.id}"):
            visit.studio.store.corpus.delete(source.id, who=visit.who)
            SOURCE.clear()
            PASSAGE.clear()
            UTTERANCE.clear()
            say_next(_("The text was deleted."))
