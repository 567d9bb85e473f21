"""Which lines one works on, in which order: four queues over one filter that focus view and table share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from core.domain.text import ReviewStatus, Utterance
from core.store.utterances import Cursor, Order, UtteranceFilter
from core.translation import N_
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.state import EVERY_ROW, QUEUE, SORT, TASK, UNDONE, UTTERANCE, WAY

DOUBT: Final = "doubt"
DISPUTED: Final = "disputed"
MINE: Final = "mine"
ALL: Final = "all"

_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    DOUBT: (N_("Uncertain first"), N_("What nobody has decided about yet, the most doubtful lines first.")),
    DISPUTED: (N_("Disagreement"), N_("Extractors name different speakers or kinds, and nobody has decided yet.")),
    MINE: (N_("Mine"), N_("What you have decided about.")),
    ALL: (N_("All"), N_("Every line the filters find.")),
}


@dataclass(frozen=True, slots=True)
class Queue:
    """Lines in an order."""

    name: str
    where: UtteranceFilter
    order: Order

    def first(self, visit: Visit) -> Utterance | None:
        """Return the line to begin with."""
        return next(iter(visit.studio.store.utterances.page(self.where, limit=1, order=self.order).rows), None)

    def after(self, visit: Visit, line: Utterance) -> Utterance | None:
        """Return the line that follows, also of a line that has just left the queue; after the last comes the first.

        None when no other line is in the queue.
        """
        utterances = visit.studio.store.utterances
        rest = utterances.page(self.where, after=self._place(line), limit=1, order=self.order).rows
        found = rest[0] if rest else self.first(visit)
        return found if found and found.id != line.id else None

    def _place(self, line: Utterance) -> Cursor:
        if self.order is Order.DOUBT:
            return line.confidence, line.id
        return line.source_id, line.ordinal, line.start, line.id


def chosen_queue(visit: Visit, wanted: UtteranceFilter) -> tuple[Queue, int]:
    """Draw the queues with how much is in each; return the chosen one over that filter, and its size."""
    queues = {name: _queue(name, wanted, visit.who) for name in _TITLES}
    now = QUEUE.get() if QUEUE.get() in queues else DOUBT
    with st.container(horizontal=True, gap="xxsmall", key="queues"):
        counts = {name: visit.studio.store.utterances.count(queue.where) for name, queue in queues.items()}
        for name, (title, meaning) in _TITLES.items():
            st.button(
                f"{_(title)} :small[{number(counts[name])}]",
                key=f"queue.{name}",
                help=_(meaning),
                type="primary" if name == now else "tertiary",
                on_click=_turn_to,
                args=(name,),
            )
    return queues[now], counts[now]


def _queue(name: str, wanted: UtteranceFilter, who: str) -> Queue:
    if name == DOUBT:
        return Queue(name, replace(wanted, status=ReviewStatus.PENDING), Order.DOUBT)
    if name == DISPUTED:
        return Queue(name, replace(wanted, status=ReviewStatus.PENDING, disputed=True), Order.READING)
    order = Order.DOUBT if SORT.get() == Order.DOUBT else Order.READING
    return Queue(name, replace(wanted, reviewed_by=who) if name == MINE else wanted, order)


def _turn_to(name: str) -> None:
    QUEUE.set(name)
    begin_anew()


def begin_anew() -> None:
    """Forget the place in a queue that is no longer the one shown."""
    for slot in (UTTERANCE, TASK, UNDONE, EVERY_ROW):
        slot.clear()
    WAY.forget()


def nothing_left(queue: Queue) -> None:
    """Say that the queue is empty and what to do next."""
    done = queue.name in (DOUBT, DISPUTED)
    with st.container(border=True, horizontal_alignment="center", key="nothing-left"):
        st.markdown(
            f":material/done_all: {_('Nothing waits here: everything these filters find is decided.')}"
            if done
            else f":material/filter_list_off: {_('No line is like that. Loosen the filters.')}",
            width="content",
        )
        if done:
            st.button(_("Show all lines"), key="to-all", icon=":material/list:", on_click=_turn_to, args=(ALL,))
