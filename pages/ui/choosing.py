"""Choosing one of several records, remembered in the page's link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import streamlit as st

from pages.ui.state import Slot

R = TypeVar("R")


def chosen_record(label: str, records: Mapping[str, R], slot: Slot[str], shown_as: Callable[[R], str]) -> R:
    """Draw a box with the records (id -> record, at least one) and return the chosen one; its id goes to the link."""
    ids = list(records)
    shown = slot.get() if slot.get() in records else ids[0]
    picked = st.selectbox(label, ids, index=ids.index(shown), format_func=lambda one: shown_as(records[one]))
    if picked != shown:  # drawn anew, for the box is another one as soon as it begins elsewhere
        slot.set(picked)
        st.rerun()
    return records[picked]
