"""What differs between two versions, row by row: added, removed, changed, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import streamlit as st

from core.domain.text import DatasetVersion, Sample, Turn
from core.store import Store
from core.store.differences import Cause, Difference, DifferentRow, RowChange
from core.store.events import Event
from core.translation import N_
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, moment, number
from pages.ui.labels import Colour, split_name
from pages.ui.line_history import told as change_told
from pages.ui.markup import plain
from pages.ui.samples import told
from pages.ui.settings_form import label_of
from pages.ui.state import Slot, Trail, shown
from pages.ui.tables import pager, place_of
from pages.ui.word_differences import changed_words, words

BEFORE: Final = Slot("version.before", "", link="before")
"""The version the chosen one is compared with; empty for the one before it."""
CHANGE: Final = Slot("version.change", "", link="change")
"""The kind of row shown; empty for all."""
PLACES: Final = Trail("differences")
PER_PAGE: Final = 5
_EVENTS: Final = 8

_CHANGES: Final[Mapping[RowChange, tuple[str, Colour, str]]] = {
    RowChange.ADDED: (N_("added"), "green", ":material/add:"),
    RowChange.REMOVED: (N_("removed"), "red", ":material/remove:"),
    RowChange.CHANGED: (N_("changed"), "blue", ":material/edit:"),
}
"""Kind of change -> its word, its colour, its symbol."""
_CAUSES: Final[Mapping[Cause, str]] = {
    Cause.REVIEW: N_("a line was reviewed"),
    Cause.DUPLICATES: N_("near-duplicates were decided"),
    Cause.EXTRACTION: N_("a line was read anew"),
    Cause.SIDE: N_("it is on the other side"),
    Cause.SETTINGS: N_("other settings"),
    Cause.OTHER: N_("its neighbourhood changed"),
}


@st.fragment
def differences(visit: Visit, version: DatasetVersion, versions: Mapping[str, DatasetVersion]) -> None:
    """Show how a version differs from another of the persona's (id -> version, newest first)."""
    others = [one for one in versions.values() if one.id != version.id]
    if not others:
        st.caption(_("There is no other version to compare it with yet."))
        return
    before = _chosen_before(version, others, versions)
    found = _difference(visit.studio.store, before.id, version.id)
    _settings(found)
    chosen = _chosen_change(found)
    rows = [row for row in found.rows if chosen is None or row.change is chosen]
    place = place_of(PLACES, f"{before.id}.{version.id}.{chosen}")
    first = place[0] if place else 0
    for row in visit.studio.store.datasets.different_rows(found, rows[first : first + PER_PAGE]):
        _row(row)
    if not rows:
        st.caption(_("No row differs: a trainer sees the same in both."))
        return
    following = (first + PER_PAGE,) if first + PER_PAGE < len(rows) else None
    pager(PLACES, next_cursor=following, total=len(rows), per_page=PER_PAGE)


@lru_cache(maxsize=8)
def _difference(store: Store, before: str, after: str) -> Difference:
    """Versions never change, so what differs between two is found once."""
    return store.datasets.difference(store.datasets.get(before), store.datasets.get(after))


def _chosen_before(
    version: DatasetVersion, others: Sequence[DatasetVersion], versions: Mapping[str, DatasetVersion]
) -> DatasetVersion:
    earlier = [one for one in others if one.created_at < version.created_at]
    now = versions.get(BEFORE.get())
    if now is None or now.id == version.id:
        now = earlier[0] if earlier else others[0]
    ids = [one.id for one in others]
    key = f"before.{version.id}.{now.id}"
    st.selectbox(
        _("Compared with"),
        ids,
        index=ids.index(now.id),
        format_func=lambda one: f"{versions[one].name} · {moment(versions[one].created_at)}",
        width=360,
        key=key,
        on_change=_compare_with,
        args=(key,),
    )
    return now


def _compare_with(key: str) -> None:
    BEFORE.set(shown(key))


def _chosen_change(found: Difference) -> RowChange | None:
    now = next((one for one in RowChange if one == CHANGE.get()), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="difference-head"):
        st.segmented_control(
            _("Rows"),
            ["", *RowChange],
            default=now or "",
            required=True,
            format_func=lambda one: (
                f"{_(_CHANGES[one][0])} {number(found.count(one))}" if one else f"{_('all')} {number(len(found.rows))}"
            ),
            label_visibility="collapsed",
            key=f"change.{now}",
            on_change=_choose_change,
            args=(f"change.{now}",),
        )
        st.caption(_n("{count} row is the same", "{count} rows are the same", found.unchanged), width="content")
    return now


def _choose_change(key: str) -> None:
    CHANGE.set(str(shown(key) or ""))


def _settings(found: Difference) -> None:
    if not found.settings:
        return
    st.markdown(
        "  \n".join(
            f":gray[{_('system prompt') if name == 'system prompt' else label_of(name)}]　"
            f"{plain(_value(old))} → {plain(_value(new))}"
            for name, old, new in found.settings
        )
    )


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        value = ", ".join(str(one) for one in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    said = "—" if value in (None, "") else str(value)
    return said if len(said) <= 80 else f"{said[:80]}…"


def _row(row: DifferentRow) -> None:
    word, colour, symbol = _CHANGES[row.change]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.badge(_(word), color=colour, icon=symbol)
            sample = row.after or row.before
            if sample is not None:
                st.caption(_("chapter {number}").format(number=number(sample.chapter)), width="content")
            for cause in row.causes:
                st.badge(_(_CAUSES[cause]), color="gray")
        _words(row.before, row.after)
        if row.events:
            _events(row.events)


def _words(before: Sample | None, after: Sample | None) -> None:
    if before is None or after is None:
        sample = before or after
        if sample is not None:
            st.markdown("\n\n".join(told(turn) for turn in sample.turns))
        return
    if before.split is not after.split:
        st.markdown(f"{split_name(before.split)} → {split_name(after.split)}")
    old, new = _text(before.turns), _text(after.turns)
    st.html(words(new) if old == new else changed_words(old, new, folded=True))


def _text(turns: Sequence[Turn]) -> str:
    return "\n".join(f"{turn.speaker}　{turn.text}" for turn in turns)


def _events(events: Sequence[Event]) -> None:
    lines = [f":small[:gray[{moment(one.at)} · {plain(one.who)}]] {change_told(one)}" for one in events[-_EVENTS:]]
    st.markdown("  \n".join(lines))
