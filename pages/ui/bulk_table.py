"""The lines as a table, a page at a time: many are decided about at once, or single cells corrected in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from core.domain.text import ReviewStatus, Utterance, UtteranceKind
from core.errors import NotFoundError
from pages.ui.bulk_actions import actions
from pages.ui.conflict_choice import choose_version
from pages.ui.decisions import careful, waiting_changes, write
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.labels import review_status, utterance_kind
from pages.ui.queues import Queue, nothing_left
from pages.ui.state import CELLS, LINES, TABLE, UTTERANCE, shown
from pages.ui.tables import pager, place_of

PER_PAGE: Final = 50
_HEIGHT: Final = 560
_NOBODY: Final = "—"


def table(visit: Visit, queue: Queue, names: Sequence[str], total: int) -> None:
    """Show a page of the queue's `total` lines; rows are chosen for an action, or cells are written in."""
    _conflict(visit, queue)
    page = visit.studio.store.utterances.page(
        queue.where, after=place_of(LINES, repr(queue)), limit=PER_PAGE, order=queue.order
    )
    if not page.rows:
        nothing_left(queue)
        return
    bar = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="bulk-bar")
    # The key names the rows: other rows begin without a selection and without what was typed into these.
    key = f"{TABLE.key()}.{hash(tuple((row.id, row.revision) for row in page.rows))}"
    if CELLS.get():
        _editor(visit, page.rows, names, key)
        picked: Sequence[Utterance] = ()
    else:
        picked = _chooser(page.rows, key)
    with bar:
        actions(visit, queue, picked, names, total)
    pager(LINES, next_cursor=page.next_cursor, total=total, per_page=PER_PAGE)


def _chooser(rows: Sequence[Utterance], key: str) -> Sequence[Utterance]:
    event = st.dataframe(
        _columns(rows),
        hide_index=True,
        height=_HEIGHT,
        column_config=_config(()),
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
    )
    return [rows[one] for one in event["selection"]["rows"] if one < len(rows)]


def _editor(visit: Visit, rows: Sequence[Utterance], names: Sequence[str], key: str) -> None:
    st.data_editor(
        _columns(rows),
        hide_index=True,
        height=_HEIGHT,
        column_config=_config(sorted({*names, *(row.speaker for row in rows if row.speaker)})),
        disabled=["chapter", "confidence"],
        key=key,
        on_change=_write_cells,
        args=(visit, rows, key),
    )


def _columns(rows: Sequence[Utterance]) -> Mapping[str, Sequence[Any]]:
    return {
        "text": [row.text for row in rows],
        "speaker": [row.speaker or _NOBODY for row in rows],
        "kind": [utterance_kind(row.kind) for row in rows],
        "status": [review_status(row.status) for row in rows],
        "confidence": [round(row.confidence, 2) for row in rows],
        "chapter": [row.chapter for row in rows],
    }


def _config(names: Sequence[str]) -> Mapping[str, Any]:
    return {
        "text": st.column_config.TextColumn(_("Words"), width="large"),
        "speaker": st.column_config.SelectboxColumn(_("Speaker"), options=[_NOBODY, *names], width="small")
        if names
        else st.column_config.TextColumn(_("Speaker"), width="small"),
        "kind": st.column_config.SelectboxColumn(
            _("Kind"), options=[utterance_kind(one) for one in UtteranceKind], required=True, width="small"
        ),
        "status": st.column_config.SelectboxColumn(
            _("Status"), options=[review_status(one) for one in _decisions()], required=True, width="small"
        ),
        "confidence": st.column_config.ProgressColumn(_("Confidence"), format="percent", width="small"),
        "chapter": st.column_config.NumberColumn(_("Chapter"), width="small"),
    }


@careful
def _write_cells(visit: Visit, rows: Sequence[Utterance], key: str) -> None:
    edited = (shown(key) or {}).get("edited_rows", {})
    for place, cells in edited.items():
        row = rows[int(place)]
        if changes := {name: _meant(name, value) for name, value in cells.items() if value is not None}:
            write(visit, row.id, row.revision, changes)
    TABLE.renew()


def _meant(column: str, value: Any) -> Any:
    if column == "kind":
        return next(one for one in UtteranceKind if utterance_kind(one) == value)
    if column == "status":
        return next(one for one in ReviewStatus if review_status(one) == value)
    if column == "speaker":
        return None if value == _NOBODY else value
    return str(value).strip()


def _decisions() -> list[ReviewStatus]:
    return [one for one in ReviewStatus if one is not ReviewStatus.MERGED]


def _conflict(visit: Visit, queue: Queue) -> None:
    mine = waiting_changes(UTTERANCE.get())
    if mine is None:
        return
    try:
        line = visit.studio.store.utterances.get(UTTERANCE.get())
    except NotFoundError:
        return
    choose_version(visit, queue, line, mine)
