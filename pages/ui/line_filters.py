"""The filters of the review page: whose lines, which words, and the rarer ones behind a button; all in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

import streamlit as st

from core.domain.text import ReviewStatus, UtteranceKind
from core.store.utterances import Order, UtteranceFilter
from core.translation import N_
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.labels import EXTRACTOR_NAMES, extractor, review_status, utterance_kind
from pages.ui.queues import ALL, MINE, begin_anew
from pages.ui.state import (
    BELOW,
    BOOK,
    CHAPTER,
    EXTRACTOR,
    FILTERS,
    KIND,
    QUEUE,
    SORT,
    SPEAKER,
    STATUS,
    WORDS,
    Slot,
    shown,
)

E = TypeVar("E", bound=StrEnum)

EVERYBODY: Final = "*"
_DOUBTS: Final = (50, 60, 70, 80, 90, 95)
_ORDERS: Final[Mapping[Order, str]] = {Order.READING: N_("as in the book"), Order.DOUBT: N_("the most doubtful first")}
_RARE: Final = (BOOK, CHAPTER, EXTRACTOR, BELOW, KIND, STATUS)
"""The filters behind the button."""


def chosen_filter(visit: Visit, sources: Mapping[str, str], names: Sequence[str]) -> UtteranceFilter:
    """Draw the filters and return what they ask for; `sources` are the texts' names by id, `names` the speakers."""
    for slot in (SPEAKER, WORDS, *_RARE):
        slot.keep()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters"):
        _box(
            _("Speaker"),
            SPEAKER,
            names,
            str,
            empty=_("everybody"),
            unset=EVERYBODY,
            now=_speaker(visit, names),
            label_visibility="collapsed",
            icon=":material/person:",
            width=220,
        )
        st.text_input(
            _("Words"),
            WORDS.get(),
            placeholder=_("words in the line"),
            icon=":material/search:",
            label_visibility="collapsed",
            key=_key(WORDS),
            on_change=_took,
            args=(WORDS, _key(WORDS), ""),
        )
        set_here = sum(slot.get() != slot.initial for slot in _RARE)
        title = _("Filters · {count}").format(count=set_here) if set_here else _("Filters")
        with st.popover(title, icon=":material/filter_list:", key="filters-more"):
            _rarer(sources)
        if set_here or WORDS.get() or SPEAKER.get():
            st.button(_("Clear"), icon=":material/filter_list_off:", key="filters-clear", on_click=clear_filters)
    speaker = _speaker(visit, names)
    return UtteranceFilter(
        visit.persona.id,
        source_id=BOOK.get() if BOOK.get() in sources else None,
        speaker=speaker or None,
        chapter=CHAPTER.get() if CHAPTER.get() >= 0 else None,
        kind=_member(UtteranceKind, KIND.get()),
        status=_member(ReviewStatus, STATUS.get()) if QUEUE.get() in (ALL, MINE) else None,
        text=WORDS.get().strip() or None,
        extractor=EXTRACTOR.get() or None,
        confidence_below=BELOW.get() / 100 if BELOW.get() else None,
    )


def clear_filters() -> None:
    """Put every filter back to what it is before anybody chose."""
    for slot in (SPEAKER, WORDS, *_RARE):
        slot.clear()
    FILTERS.renew()
    begin_anew()


def _rarer(sources: Mapping[str, str]) -> None:
    if len(sources) > 1:
        _box(_("Text"), BOOK, list(sources), sources.__getitem__, empty=_("all"))
    st.number_input(
        _("Chapter"),
        min_value=0,
        value=CHAPTER.get() if CHAPTER.get() >= 0 else None,
        step=1,
        placeholder=_("all"),
        key=_key(CHAPTER),
        on_change=_took,
        args=(CHAPTER, _key(CHAPTER), -1),
    )
    _box(_("Extractor"), EXTRACTOR, list(EXTRACTOR_NAMES), extractor, empty=_("all"))
    _box(_("Confidence below"), BELOW, _DOUBTS, lambda percent: number(percent / 100, "#,##0 %"), empty=_("any"))
    _box(_("Kind"), KIND, list(UtteranceKind), utterance_kind, empty=_("all"))
    if QUEUE.get() in (ALL, MINE):  # the other queues hold pending lines only
        _box(_("Status"), STATUS, list(ReviewStatus), review_status, empty=_("all"))
        _box(_("Order"), SORT, list(Order), lambda order: _(_ORDERS[order]))


def _box(
    label: str,
    slot: Slot[Any],
    options: Sequence[Any],
    shown_as: Callable[[Any], str],
    *,
    empty: str = "",
    unset: Any = None,
    now: Any = None,
    **look: Any,
) -> None:
    value = slot.get() if now is None else now
    st.selectbox(
        label,
        options,
        index=list(options).index(value) if value in options else None,
        format_func=shown_as,
        placeholder=empty,
        key=_key(slot),
        on_change=_took,
        args=(slot, _key(slot), slot.initial if unset is None else unset),
        required=not empty,
        **look,
    )


def _took(slot: Slot[Any], key: str, unset: Any) -> None:
    value = shown(key)
    slot.set(unset if value is None else value)
    begin_anew()


def _speaker(visit: Visit, names: Sequence[str]) -> str:
    """Return whose lines are asked for; empty for everybody's."""
    asked = SPEAKER.get()
    if asked == EVERYBODY:
        return ""
    return asked if asked in names else visit.persona.name if visit.persona.name in names else ""


def _member(kind: type[E], value: str) -> E | None:
    return kind(value) if value in set(kind) else None


def _key(slot: Slot[Any]) -> str:
    return f"{FILTERS.key()}.{slot.name}"
