"""Two people on one line: both versions side by side, and the choice between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from core.domain.text import Utterance
from core.translation import N_
from pages.ui.decisions import begin_task, careful, decide, go_on, leave_task
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.labels import review_status, utterance_kind
from pages.ui.markup import plain
from pages.ui.queues import Queue
from pages.ui.state import TYPED, VIEW

_FIELDS: Final[Mapping[str, str]] = {
    "speaker": N_("Speaker"),
    "kind": N_("Kind"),
    "status": N_("Status"),
    "text": N_("Words"),
}


def choose_version(visit: Visit, queue: Queue, line: Utterance, mine: Mapping[str, Any]) -> None:
    """Show the line as somebody else has left it beside what one wanted to write, and ask which is to stand."""
    newest = next(iter(visit.studio.store.events.of("utterance", line.id, limit=1)), None)
    with st.container(border=True, key="review-conflict"):
        st.markdown(f":orange[:material/group:] **{_('Somebody changed this line while you were looking at it.')}**")
        wanted = {field: mine.get(field, getattr(line, field)) for field in _FIELDS}
        alike = [field for field in _FIELDS if wanted[field] == getattr(line, field)]
        theirs_column, mine_column = st.columns(2)
        theirs_column.caption(_("Theirs, by {who}").format(who=newest.who) if newest else _("Theirs"))
        mine_column.caption(_("Yours, not written yet"))
        for field, title in _FIELDS.items():
            if field not in alike:
                for column, value in ((theirs_column, getattr(line, field)), (mine_column, wanted[field])):
                    column.markdown(f":small[:gray[{_(title)}]]  \n:orange[**{plain(_said(field, value))}**]")
        if alike:
            both = " · ".join(plain(_said(field, wanted[field])) for field in alike)
            st.markdown(f":small[:gray[{_('The same in both:')}]]  \n{both}")
        with st.container(horizontal=True, gap="xsmall"):
            st.button(
                _("Keep theirs"),
                icon=":material/check:",
                key="conflict-theirs",
                on_click=_keep,
                args=(visit, queue, line),
            )
            st.button(
                _("Write mine over it"),
                icon=":material/edit_note:",
                key="conflict-mine",
                on_click=decide,
                args=(visit, queue, line, dict(mine)),
            )
            st.button(
                _("Edit theirs"),
                icon=":material/edit:",
                key="conflict-edit",
                help=_("Your words stay beside the form, to copy from."),
                on_click=_edit,
                args=(line, dict(mine)),
            )


@careful
def _keep(visit: Visit, queue: Queue, line: Utterance) -> None:
    go_on(visit, queue, line)


def _edit(line: Utterance, mine: Mapping[str, Any]) -> None:
    leave_task()
    VIEW.clear()  # the form stands in the view of one line
    begin_task("edit", line)
    TYPED.set(str(mine.get("text", "")))


def _said(field: str, value: Any) -> str:
    if field == "kind":
        return utterance_kind(value)
    if field == "status":
        return review_status(value)
    return str(value or "—")
