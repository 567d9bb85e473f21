"""The arena by keyboard: one key for each answer, and one for the next two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from core.translation import N_
from pages.ui.i18n import _

_KEYS: Final[Mapping[str, str]] = {
    "←": N_("the first is more like her"),
    "→": N_("the second is more like her"),
    "↓": N_("no difference"),
    "Esc  P": N_("pass over, without a vote"),
    "N": N_("the next two answer"),
}

_SCRIPT: Final = """<script>
if (!window.arenaKeys) {
  window.arenaKeys = true;
  const keys = {
    ArrowLeft: "arena-first", ArrowRight: "arena-second", ArrowDown: "arena-none",
    Escape: "arena-pass", p: "arena-pass", n: "arena-next",
  };
  addEventListener("keydown", (event) => {
    const name = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!name || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, textarea, [contenteditable=true], [role=listbox], [role=dialog], audio")) return;
    if (event.target.closest("[role=tablist], [data-testid=stDataFrame], [data-testid=stPopoverBody]")) return;
    const button = document.querySelector(`.st-key-${name} button:not([disabled])`);
    if (!button) return;
    event.preventDefault();
    button.click();
  }, { capture: true });
}
</script>"""


def listen_for_votes() -> None:
    """Make the keys work on this page."""
    with st.container(height=1, border=False, key="headless-arena-keys"):
        st.html(_SCRIPT, unsafe_allow_javascript=True)


def arena_keys_help() -> None:
    """Draw the button that shows what the keys do."""
    with st.popover("", icon=":material/keyboard:", key="review-keys", help=_("Keys"), type="tertiary"):
        st.markdown("  \n".join(f"`{keys}` {_(meaning)}" for keys, meaning in _KEYS.items()))
