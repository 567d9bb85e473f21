"""Undo and redo of whatever one did on the review page, single or to many lines, and the way to what was touched."""

from __future__ import annotations

import streamlit as st

from core.store.change_stack import Undone
from core.store.events import Event
from pages.ui.decisions import careful, leave_task
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.line_history import told
from pages.ui.state import SAID, TABLE, UNDONE, UTTERANCE, VIEW


def undo_bar(visit: Visit) -> None:
    """Draw both buttons; their help says what they would take back."""
    review, who, persona = visit.studio.store.review, visit.who, visit.persona.id
    undoable, redoable = review.undoable(who, persona), review.redoable(who, persona)
    st.button(
        "",
        icon=":material/undo:",
        shortcut="Ctrl+Z",
        type="tertiary",
        key="review-undo",
        help=_("Undo: {change}").format(change=told(undoable)) if undoable else _("Nothing to undo"),
        disabled=undoable is None,
        on_click=_undo,
        args=(visit,),
    )
    st.button(
        "",
        icon=":material/redo:",
        shortcut="Ctrl+Shift+Z",
        type="tertiary",
        key="review-redo",
        help=_("Redo: {change}").format(change=told(redoable)) if redoable else _("Nothing to redo"),
        disabled=redoable is None,
        on_click=_redo,
        args=(visit,),
    )


@careful
def _undo(visit: Visit) -> None:
    review, who, persona = visit.studio.store.review, visit.who, visit.persona.id
    _show(review.undoable(who, persona), review.undo(who, persona), _("Undone: {change}"))


@careful
def _redo(visit: Visit) -> None:
    review, who, persona = visit.studio.store.review, visit.who, visit.persona.id
    _show(review.redoable(who, persona), review.redo(who, persona), _("Redone: {change}"))


def _show(event: Event | None, undone: Undone | None, said: str) -> None:
    """Say what was taken back; of a line one looks at alone, go there, for one wants to decide about it anew."""
    if event is None or undone is None:
        return
    leave_task()
    TABLE.renew()
    SAID.set(said.format(change=told(event)))
    if VIEW.get() == VIEW.initial:
        UTTERANCE.set(undone.first_id)
    else:
        UNDONE.set(undone.first_id)


def the_way_there() -> None:
    """Offer to go to the line that undo or redo has just touched, where it is not on the screen anyway."""
    if UNDONE.get():
        st.button(
            _("Go to what was touched"),
            icon=":material/arrow_forward:",
            type="tertiary",
            key="review-touched",
            on_click=_go,
            args=(UNDONE.get(),),
        )


def _go(line_id: str) -> None:
    UTTERANCE.set(line_id)
    VIEW.clear()
    UNDONE.clear()
