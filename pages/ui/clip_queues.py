"""Which clips one works on, in which order: queues, a search, and what they are sorted by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Recording
from core.store.clips import ClipFilter, ClipOrder
from core.translation import N_
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.state import (
    CLIP,
    CLIP_DOWN,
    CLIP_QUEUE,
    CLIP_SORT,
    CLIP_TASK,
    CLIP_WAY,
    CLIP_WORDS,
    RECORDING,
    TABLE,
    shown,
)

_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "pending": (N_("To review"), N_("What nobody has decided about yet.")),
    "objections": (N_("Objections"), N_("Undecided clips that a rule objects to.")),
    "accepted": (N_("Accepted"), N_("What goes into the next set.")),
    "rejected": (N_("Rejected"), N_("What stays out; nothing is lost.")),
    "all": (N_("All"), N_("Every clip.")),
}
_SORTS: Final[Mapping[ClipOrder, str]] = {
    ClipOrder.PLACE: N_("place in the recording"),
    ClipOrder.CONFIDENCE: N_("sureness of the words"),
    ClipOrder.LENGTH: N_("length"),
    ClipOrder.LOUDNESS: N_("loudness"),
    ClipOrder.SNR: N_("voice over noise"),
    ClipOrder.ODDNESS: N_("oddness of the voice"),
}
EVERYWHERE: Final = "*"


@dataclass(frozen=True, slots=True)
class ClipQueue:
    """Clips in an order."""

    name: str
    where: ClipFilter
    order: ClipOrder
    descending: bool

    def first(self, visit: Visit) -> Clip | None:
        """Return the clip to begin with."""
        page = visit.studio.store.clips.page(self.where, order=self.order, descending=self.descending, limit=1)
        return page.rows[0] if page.rows else None

    def after(self, visit: Visit, clip: Clip) -> Clip | None:
        """Return the clip that follows; None when no other is in the queue."""
        return visit.studio.store.clips.after(clip, self.where, order=self.order, descending=self.descending)


def chosen_clip_queue(visit: Visit, recordings: Mapping[str, Recording]) -> tuple[ClipQueue, int]:
    """Draw search, order and the queues with how much is in each; return the chosen one and its size."""
    wanted = _wanted(visit, recordings)
    filters = {name: _filter(name, wanted) for name in _TITLES}
    now = CLIP_QUEUE.get() if CLIP_QUEUE.get() in filters else CLIP_QUEUE.initial
    counts = {name: visit.studio.store.clips.count(where) for name, where in filters.items()}
    with st.container(horizontal=True, gap="xxsmall", key="queues"):
        for name, (title, meaning) in _TITLES.items():
            st.button(
                f"{_(title)} :small[{number(counts[name])}]",
                key=f"clips.{name}",
                help=_(meaning),
                type="primary" if name == now else "tertiary",
                on_click=_turn_to,
                args=(name,),
            )
    return ClipQueue(now, filters[now], _order(), CLIP_DOWN.get()), counts[now]


def begin_anew() -> None:
    """Forget the place in a queue that is no longer the one shown."""
    for slot in (CLIP, CLIP_TASK):
        slot.clear()
    CLIP_WAY.forget()
    TABLE.renew()


def _wanted(visit: Visit, recordings: Mapping[str, Recording]) -> ClipFilter:
    order = _order()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="clip-filters"):
        ids = [EVERYWHERE, *recordings]
        at = RECORDING.get() if RECORDING.get() in recordings else EVERYWHERE
        st.selectbox(
            _("Recording"),
            ids,
            index=ids.index(at),
            format_func=lambda one: _("all recordings") if one == EVERYWHERE else recordings[one].name,
            label_visibility="collapsed",
            key=f"clips.recording.{at}",
            on_change=_look_in,
            args=(f"clips.recording.{at}",),
            width=240,
        )
        words = st.text_input(
            _("Words"),
            CLIP_WORDS.get(),
            placeholder=_("words spoken"),
            icon=":material/search:",
            label_visibility="collapsed",
            key="clips.words",
            on_change=_search,
        )
        st.selectbox(
            _("Sorted by"),
            list(_SORTS),
            index=list(_SORTS).index(order),
            format_func=lambda one: _(_SORTS[one]),
            label_visibility="collapsed",
            key=f"clips.sort.{order}",
            on_change=_sort,
            args=(f"clips.sort.{order}",),
            width=210,
        )
        st.button(
            "",
            icon=":material/arrow_downward:" if CLIP_DOWN.get() else ":material/arrow_upward:",
            help=_("The largest first") if CLIP_DOWN.get() else _("The smallest first"),
            type="tertiary",
            key="clips.down",
            disabled=order is ClipOrder.PLACE,
            on_click=_turn_round,
        )
    return ClipFilter(visit.persona.id, None if at == EVERYWHERE else at, text=words.strip() or None)


def _filter(name: str, wanted: ClipFilter) -> ClipFilter:
    if name == "objections":
        return replace(wanted, status=ReviewStatus.PENDING, complained=True)
    return wanted if name == "all" else replace(wanted, status=ReviewStatus(name))


def _order() -> ClipOrder:
    return ClipOrder(CLIP_SORT.get()) if CLIP_SORT.get() in list(ClipOrder) else ClipOrder.PLACE


def _turn_to(name: str) -> None:
    CLIP_QUEUE.set(name)
    begin_anew()


def _look_in(key: str) -> None:
    picked = str(shown(key))
    RECORDING.set("" if picked == EVERYWHERE else picked)
    begin_anew()


def _search() -> None:
    CLIP_WORDS.set(str(shown("clips.words") or "").strip())
    begin_anew()


def _sort(key: str) -> None:
    order = ClipOrder(shown(key))
    CLIP_SORT.set(order.value)
    # What one looks for stands first: the least sure, the noisiest, but the oddest.
    CLIP_DOWN.set(order is ClipOrder.ODDNESS)
    begin_anew()


def _turn_round() -> None:
    CLIP_DOWN.set(not CLIP_DOWN.get())
    begin_anew()
