"""What can be done to many lines at once; every button says to how many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.domain.text import ReviewStatus, Utterance, UtteranceKind
from pages.ui.decisions import careful
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, number
from pages.ui.labels import utterance_kind
from pages.ui.line_history import told
from pages.ui.queues import Queue
from pages.ui.state import CELLS, EVERY_ROW, SAID, TABLE, UTTERANCE, VIEW, shown


def actions(visit: Visit, queue: Queue, picked: Sequence[Utterance], names: Sequence[str], total: int) -> None:
    """Draw the bar over the table: what is chosen, what to do with it, and the switch to writing into cells."""
    every = EVERY_ROW.get()
    if CELLS.get():
        last = visit.studio.store.review.undoable(visit.who, visit.persona.id)
        st.caption(
            _("Saved: {change}").format(change=told(last))
            if last
            else _("What you write into a cell is saved when you leave it."),
            width="stretch",
        )
    else:
        _selection(picked, total, every=every)
        if count := total if every else len(picked):
            _decisions(visit, queue, picked, names, count, every=every)
    st.toggle(
        _("Edit cells"),
        CELLS.get(),
        key="bulk-cells",
        help=_("Correct words, speaker, kind and status in place. Switch it off to choose rows."),
        on_change=_switch,
    )


def _selection(picked: Sequence[Utterance], total: int, *, every: bool) -> None:
    if every:
        st.markdown(_n("**the only line** chosen", "**all {count} lines** chosen", total), width="content")
        st.button(_("None"), type="tertiary", key="bulk-no-row", on_click=_choose_none)
        return
    if picked:
        st.markdown(_n("**{count} line** chosen", "**{count} lines** chosen", len(picked)), width="content")
    else:
        st.caption(_("Tick rows, with Shift a whole stretch."), width="content")
    if len(picked) < total:
        st.button(
            _("Choose all {count}").format(count=number(total)),
            type="tertiary",
            icon=":material/select_all:",
            help=_("Choose every line that the filters find, on this page and the others."),
            key="bulk-every-row",
            on_click=EVERY_ROW.set,
            args=(True,),
        )


def _decisions(
    visit: Visit, queue: Queue, picked: Sequence[Utterance], names: Sequence[str], count: int, *, every: bool
) -> None:
    for name, title, icon, shortcut, status in (
        ("accept", _("Accept {count}"), ":material/check:", "A", ReviewStatus.ACCEPTED),
        ("reject", _("Reject {count}"), ":material/close:", "X", ReviewStatus.REJECTED),
    ):
        st.button(
            title.format(count=number(count)),
            icon=icon,
            type="primary" if name == "accept" else "secondary",
            shortcut=shortcut,
            key=f"bulk-{name}",
            on_click=_change,
            args=(visit, queue, picked, every, {"status": status}),
        )
    with st.popover(_("Speaker"), icon=":material/person:", key="bulk-speaker"):
        speaker = st.selectbox(_("Who says them?"), names, index=None, accept_new_options=True, key="bulk-speaker-name")
        st.button(
            _n("Give {count} line to them", "Give {count} lines to them", count),
            type="primary",
            disabled=not speaker,
            key="bulk-give",
            on_click=_change,
            args=(visit, queue, picked, every, {"speaker": speaker}),
        )
    with st.popover(_("Kind"), icon=":material/category:", key="bulk-kind"):
        for kind in UtteranceKind:
            st.button(
                _("Make {count} of them: {kind}").format(count=number(count), kind=utterance_kind(kind)),
                type="tertiary",
                key=f"bulk-kind-{kind}",
                on_click=_change,
                args=(visit, queue, picked, every, {"kind": kind}),
            )
    if len(picked) == 1 and not every:
        st.button(
            _("Look at it"),
            icon=":material/visibility:",
            type="tertiary",
            key="bulk-look",
            on_click=_look,
            args=(picked[0],),
        )


@careful
def _change(visit: Visit, queue: Queue, picked: Sequence[Utterance], every: bool, changes: dict[str, Any]) -> None:
    review = visit.studio.store.review
    if every:
        batch = review.edit_all(queue.where, who=visit.who, **changes)
    else:
        batch = review.edit_these({line.id: line.revision for line in picked}, who=visit.who, **changes)
    _choose_none()
    said = _n("{count} line changed", "{count} lines changed", batch.lines)
    if batch.stale:
        left = _n("{count} left: somebody changed it", "{count} left: somebody changed them", batch.stale)
        said = f"{said} · {left}"
    SAID.set(said)


def _choose_none() -> None:
    EVERY_ROW.clear()
    TABLE.renew()


def _look(line: Utterance) -> None:
    UTTERANCE.set(line.id)
    VIEW.clear()


def _switch() -> None:
    CELLS.set(bool(shown("bulk-cells")))
    _choose_none()
