"""The review page's workplace: queues and filters over three views of the same lines.

It is one fragment: a decision draws it anew and leaves the rest of the page alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core.translation import N_
from pages.ui.bulk_table import table
from pages.ui.decisions import tell
from pages.ui.focus_view import focus
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.keyboard import keys_help, listen
from pages.ui.line_filters import chosen_filter
from pages.ui.queues import chosen_queue
from pages.ui.review_charts import progress, review_charts
from pages.ui.state import QUEUE, UTTERANCE, VIEW, shown
from pages.ui.undo_bar import the_way_there, undo_bar

_VIEWS: Final[Mapping[str, str]] = {
    "focus": N_("One by one"),
    "table": N_("Table"),
    "charts": N_("Charts"),
}


@st.fragment
def desk(visit: Visit, books: Mapping[str, str], names: Sequence[str]) -> None:
    """Draw the workplace; `books` are the texts' names by id, `names` the speakers, the most talkative first."""
    for slot in (VIEW, QUEUE, UTTERANCE):
        slot.keep()
    tell()
    listen()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="desk-head"):
        _views()
        progress(visit)
        the_way_there()
        undo_bar(visit)
        keys_help()
    if VIEW.get() == "charts":
        review_charts(visit, books, names)
        return
    wanted = chosen_filter(visit, books, names)
    queue, count = chosen_queue(visit, wanted)
    if VIEW.get() == "table":
        table(visit, queue, names, count)
    else:
        focus(visit, queue, names, books)


def _views() -> None:
    # The key names the view, so that the switch follows when something else turns to another one.
    key = f"view.{VIEW.get()}"
    st.segmented_control(
        _("View"),
        list(_VIEWS),
        default=VIEW.get() if VIEW.get() in _VIEWS else VIEW.initial,
        format_func=lambda one: _(_VIEWS[one]),
        required=True,
        label_visibility="collapsed",
        key=key,
        on_change=_look,
        args=(key,),
    )


def _look(key: str) -> None:
    VIEW.set(shown(key))
