"""A text of the corpus in one line: what it is, how large, when it came, and the way to take it out."""

from __future__ import annotations

import streamlit as st

from core.domain.text import Source
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, _n, moment
from pages.ui.labels import source_kind
from pages.ui.state import PASSAGE, SOURCE


def source_line(visit: Visit, source: Source) -> None:
    """Show the line; deleting asks once more and says what goes and what stays."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(source_kind(source.kind), color="green", icon=":material/menu_book:")
        st.badge(_n("{count} chapter", "{count} chapters", source.chapters), color="gray")
        st.badge(_n("{count} character", "{count} characters", source.characters), color="gray")
        st.badge(source.encoding, color="gray")
        st.caption(moment(source.imported_at), width="content")
        with st.popover(_("Delete"), icon=":material/delete:"):
            st.markdown(_("Its passages and lines go with it. Dataset versions built from it stay."))
            if st.button(_("Delete this text"), type="primary", key=f"delete.{source.id}"):
                with told_to_the_user():
                    visit.studio.store.corpus.delete(source.id, who=visit.who)
                    SOURCE.clear()
                    PASSAGE.clear()
                    say_next(_("The text was deleted."))
