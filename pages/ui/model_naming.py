"""A model's name and note, written in a popover; the same for text models and voices."""

from __future__ import annotations

import streamlit as st

from core.domain.training import Model
from core.store.models import LONGEST_NAME, LONGEST_NOTE
from pages.ui.decisions import careful
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.state import SAID, shown


def naming(visit: Visit, model: Model) -> None:
    """Draw the popover; what is saved there is told on the next drawing, by `tell`."""
    with (
        st.popover(_("Name and note"), icon=":material/edit:", type="tertiary", key=f"naming-{model.id}"),
        st.form(f"naming.{model.id}", border=False),
    ):
        keys = (f"name.{model.id}.{model.name}", f"note.{model.id}.{model.note}")
        st.text_input(_("Name"), model.name, max_chars=LONGEST_NAME, key=keys[0])
        st.text_area(_("Note"), model.note, max_chars=LONGEST_NOTE, key=keys[1])
        st.form_submit_button(_("Save"), icon=":material/save:", on_click=_write, args=(visit, model, *keys))


@careful
def _write(visit: Visit, model: Model, name: str, note: str) -> None:
    visit.studio.store.models.rename(model.id, shown(name) or "", who=visit.who)
    visit.studio.store.models.annotate(model.id, shown(note) or "", who=visit.who)
    SAID.set(_("Saved."))
