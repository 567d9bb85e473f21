"""Tables that page in SQL: the browser gets one page of rows, and says which row was chosen."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.ui.i18n import _, number
from pages.ui.state import Trail


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """Return the rows as CSV, to be downloaded."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def chosen_row(rows: Sequence[Mapping[str, Any]], *, key: str, height: int | None = None) -> int | None:
    """Show the rows (column title -> value) and return the index of the chosen one."""
    if not rows:
        return None
    event = st.dataframe(
        {title: [row.get(title) for row in rows] for title in rows[0]},
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        height=height or "auto",
    )
    picked = event["selection"]["rows"]
    return picked[0] if picked and picked[0] < len(rows) else None


def place_of(trail: Trail, where: str) -> Any:
    """Return the cursor this page begins after, or None for the first page."""
    place = trail.here(where)
    return tuple(json.loads(place)) if place else None


def pager(trail: Trail, *, next_cursor: Sequence[Any] | None, total: int, per_page: int) -> None:
    """Show where we are, and buttons to the page before and the page after."""
    pages = max(1, -(-total // per_page))
    with st.container(horizontal=True, vertical_alignment="center"):
        # Callbacks, because a rerun from here would draw the whole page twice.
        st.button(
            _("Earlier"),
            icon=":material/chevron_left:",
            key=f"{trail.name}.back",
            disabled=trail.number() == 1,
            on_click=trail.back,
        )
        st.caption(
            _("page {page} of {pages} · {total} rows").format(
                page=number(trail.number()), pages=number(pages), total=number(total)
            ),
            width="content",
        )
        st.button(
            _("Later"),
            icon=":material/chevron_right:",
            key=f"{trail.name}.on",
            disabled=next_cursor is None,
            on_click=trail.forward,
            args=(json.dumps(next_cursor, ensure_ascii=False),),
        )
