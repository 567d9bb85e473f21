"""A page in parts: tabs of which only the open one is drawn, and which the page's link remembers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from pages.ui.i18n import language
from pages.ui.state import Slot, shown

PART: Final = Slot("part", "", link="part")


def part_tabs(parts: Mapping[str, str], *, first: str) -> Mapping[str, TabContainer]:
    """Draw a tab for each part (name -> title); `first` is the one to begin with where the link names none."""
    now = PART.get() if PART.get() in parts else first
    PART.set(now)
    # The key names the part, so that the tabs follow when something else turns to another one.
    key = f"parts.{now}.{language()}"
    tabs = st.tabs(list(parts.values()), default=parts[now], key=key, on_change=_turn, args=(key, dict(parts)))
    return dict(zip(parts, tabs, strict=True))


def _turn(key: str, parts: Mapping[str, str]) -> None:
    PART.set(next((name for name, title in parts.items() if title == shown(key)), ""))
