"""Expected failures become a message with its remedy; bugs stay loud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import streamlit as st

from core.errors import StudioError
from pages.ui.i18n import filled


@contextmanager
def told_to_the_user() -> Iterator[None]:
    """Show a StudioError raised inside as a message, then go on after the block."""
    try:
        yield
    except StudioError as error:
        show_failure(error.message, error.remedy, error.values)


def show_failure(message: str, remedy: str, values: Mapping[str, object]) -> None:
    """Show what happened, in bold, and below it what to do; both templates are translated first."""
    st.error(f"**{filled(message, values)}**\n\n{filled(remedy, values)}", icon=":material/error:")
