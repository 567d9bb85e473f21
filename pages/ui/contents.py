"""A text's table of contents, to choose a chapter from."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.store.corpus import Chapter
from pages.ui.i18n import _

_ROW = 35
_TALL_ROW = 66
"""Rows higher than 64 pixels wrap their text."""
_WIDE_TITLE = 13
"""Characters that fit into the column of titles; longer ones take two lines."""
_HEIGHT = 640


def chosen_chapter(chapters: Sequence[Chapter], *, key: str) -> Chapter | None:
    """Show the chapters with their sizes and return the chosen one; long titles are wrapped, never cut."""
    tall = any(len(one.title) > _WIDE_TITLE for one in chapters)
    row = _TALL_ROW if tall else _ROW
    event = st.dataframe(
        {
            _("title"): [one.title or _("(before the first heading)") for one in chapters],
            _("characters"): [one.characters for one in chapters],
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            _("title"): st.column_config.TextColumn(width=200),
            _("characters"): st.column_config.NumberColumn(width=76),
        },
        row_height=row,
        key=key,
        height=min(_HEIGHT, _ROW + 3 + row * len(chapters)),
    )
    picked = event["selection"]["rows"]
    return chapters[picked[0]] if picked and picked[0] < len(chapters) else None
