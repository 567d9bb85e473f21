"""The review page by keyboard: Streamlit's own shortcuts, and what they leave out.

Streamlit keeps letters typed into a field from its shortcuts, but not Ctrl+Z, which belongs to the field; it has no `?`
and no second key for a button; and a box that was just used keeps the keyboard to itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from core.translation import N_
from pages.ui.i18n import _

KEYS: Final[Mapping[str, str]] = {
    "A": N_("accept the line and go on"),
    "1 … 9": N_("this one says it: accept with that speaker"),
    "X": N_("reject the line and go on"),
    "J  →": N_("go on without a decision"),
    "K  ←": N_("back to the line before"),
    "E": N_("edit words, speaker, kind"),
    "Ctrl+Enter": N_("save and accept what one edits, or split here"),
    "S": N_("split the line in two"),
    "M": N_("join with the line after it"),
    "Ctrl+Z": N_("undo"),
    "Ctrl+Shift+Z": N_("redo"),
    "Esc": N_("close a form and write nothing"),
    "?": N_("show these keys"),
}

_SCRIPT: Final = """<script>
if (!window.reviewKeys) {
  window.reviewKeys = true;
  const typing = (at) => at.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, [contenteditable=true]");
  const press = (name) => document.querySelector(`.st-key-${name} button:not([disabled])`)?.click();
  const also = { ArrowRight: "review-skip", ArrowLeft: "review-back", "?": "review-keys" };
  addEventListener("keydown", (event) => {
    const own = typing(event.target);
    if (own && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") event.stopImmediatePropagation();
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!own && plain && also[event.key] && !event.target.closest("[role=tablist], [data-testid=stDataFrame]")) {
      press(also[event.key]);
    }
  }, { capture: true });
  const release = () => setTimeout(() => document.activeElement?.blur(), 60);
  addEventListener("click", (event) => {
    if (event.target.closest("[role=option], label:has(input[type=checkbox]), label:has(input[type=radio])")) release();
  }, { capture: true });
}
</script>"""

_INTO_THE_FIELD: Final = """<script>
(function look(left) {
  const field = document.querySelector(".st-key-review-task textarea");
  if (field) field.focus();
  else if (left) requestAnimationFrame(() => look(left - 1));
})(60);
</script>"""


def listen() -> None:
    """Make the keys work on this page."""
    with st.container(height=1, border=False, key="headless-keys"):
        st.html(_SCRIPT, unsafe_allow_javascript=True)


def put_cursor_into_the_form() -> None:
    """Let one type at once into the form that has just opened."""
    st.html(_INTO_THE_FIELD, unsafe_allow_javascript=True)


def keys_help() -> None:
    """Draw the button that shows what the keys do."""
    with st.popover("", icon=":material/keyboard:", key="review-keys", help=_("Keys (?)"), type="tertiary"):
        st.markdown("  \n".join(f"`{keys}` {_(meaning)}" for keys, meaning in KEYS.items()))
