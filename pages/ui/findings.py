"""What was found before something starts: what forbids it, and what is only worth knowing."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from core.domain.finding import Finding
from pages.ui.i18n import filled


def show_findings(findings: Iterable[Finding]) -> None:
    """Show each with its remedy."""
    for one in findings:
        words = f"**{filled(one.message, one.values)}** {filled(one.remedy, one.values)}"
        if one.blocking:
            st.error(words, icon=":material/block:")
        else:
            st.warning(words, icon=":material/warning:")
