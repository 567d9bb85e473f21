"""What is done with a registered model, the same for text models and voices: use it, name it, go to its run."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.domain.training import Model
from core.store.models import LONGEST_NAME, LONGEST_NOTE
from pages.ui.decisions import careful
from pages.ui.frame import Visit, entries, script
from pages.ui.i18n import _
from pages.ui.state import SAID, shown


@dataclass(frozen=True, slots=True)
class Using:
    """The words of a model's use."""

    offer: str
    """On the button that takes it into use."""
    icon: str
    used: str
    """Said once it is in use."""
    left: str
    """Said once it is not any more."""


def using(visit: Visit, model: Model, words: Using) -> None:
    """Draw the button that takes the model into use by the chat, or out of it; told on the next drawing, by `tell`."""
    if model.in_use:
        label, icon, key, verb, said = _("Stop using"), ":material/voice_over_off:", "leave", _leave, words.left
    else:
        label, icon, key, verb, said = words.offer, words.icon, "use", _use, words.used
    st.button(label, icon=icon, key=f"{key}.{model.id}", on_click=verb, args=(visit, model.id, said))


def run_link(model: Model) -> None:
    """Draw the link to the run that trained the model, where one did."""
    if model.run_id:
        st.page_link(
            script(entries()["runs"]),
            label=f":small[{_('the run')}]",
            icon=":material/play_circle:",
            help=_("The run that trained it"),
            query_params={"run": model.run_id},
        )


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
def _use(visit: Visit, model_id: str, said: str) -> None:
    visit.studio.store.models.use(model_id, who=visit.who)
    SAID.set(said)


@careful
def _leave(visit: Visit, model_id: str, said: str) -> None:
    visit.studio.store.models.leave(model_id, who=visit.who)
    SAID.set(said)


@careful
def _write(visit: Visit, model: Model, name: str, note: str) -> None:
    visit.studio.store.models.rename(model.id, shown(name) or "", who=visit.who)
    visit.studio.store.models.annotate(model.id, shown(note) or "", who=visit.who)
    SAID.set(_("Saved."))
