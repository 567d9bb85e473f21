"""The clips by keyboard: Streamlit's shortcuts, and what they leave out: play, and hear it as it was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from core.translation import N_
from pages.ui.i18n import _

_KEYS: Final[Mapping[str, str]] = {
    "Space": N_("play, or stop"),
    "B": N_("change between what was recorded and what was made of it, at the same place"),
    "A": N_("accept the clip and go on"),
    "X": N_("reject the clip and go on"),
    "J  →": N_("go on without a decision"),
    "K  ←": N_("back to the clip before"),
    "E": N_("write its words"),
    "Ctrl+Enter": N_("save the words, accept and go on"),
    "T": N_("move its ends, or cut it in two"),
    "S": N_("change its sound"),
    "M": N_("join with the clip after it"),
    "Ctrl+Z": N_("undo"),
    "Ctrl+Shift+Z": N_("redo"),
}

_SCRIPT: Final = """<script>
if (!window.clipKeys) {
  window.clipKeys = true;
  const typing = (at) => at.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, [contenteditable=true]");
  const sound = (name) => document.querySelector(`.st-key-clip-${name} audio`);
  const press = (name) => document.querySelector(`.st-key-${name} button:not([disabled])`)?.click();
  const also = { ArrowRight: "clip-skip", ArrowLeft: "clip-back" };
  const now = () => [sound("made"), sound("raw")].find((one) => one && !one.paused) || sound("made");
  const change = () => {
    const [made, raw] = [sound("made"), sound("raw")];
    if (!made || !raw) return;
    const [from, to] = raw.paused ? [made, raw] : [raw, made];
    const at = from.currentTime;
    from.pause();
    to.currentTime = Math.min(at, to.duration || at);
    to.play();
  };
  const play = () => { const one = now(); if (one) one.paused ? one.play() : one.pause(); };
  window.clipSounds = { change, play };
  addEventListener("keydown", (event) => {
    if (!document.querySelector(".st-key-clip-panel") || event.ctrlKey || event.metaKey || event.altKey) return;
    const own = typing(event.target);
    if (own && event.key !== "Escape") return;
    if (event.key === "Escape" && own) own.blur();
    else if (event.target.closest("[role=tablist], [data-testid=stDataFrame], [role=listbox]")) return;
    else if (also[event.key]) press(also[event.key]);
    else if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); play(); }
    else if (event.key === "b" || event.key === "B") change();
    else if (event.key === "e" || event.key === "E") {
      event.preventDefault();
      document.querySelector(".st-key-clip-panel textarea")?.focus();
    }
  }, { capture: true });
  addEventListener("click", (event) => {
    if (event.target.closest(".clip-change")) change();
    // A button keeps the keyboard to itself, and Space would press it again.
    if (event.target.closest(".st-key-clip-panel button, .st-key-desk-head button")) {
      setTimeout(() => document.activeElement?.tagName === "BUTTON" && document.activeElement.blur(), 60);
    }
  }, { capture: true });
  addEventListener("keydown", (event) => {
    const own = typing(event.target);
    if (own && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") event.stopImmediatePropagation();
  }, { capture: true });
}
</script>"""


def listen_for_clips() -> None:
    """Make the keys work on this page."""
    with st.container(height=1, border=False, key="headless-clip-keys"):
        st.html(_SCRIPT, unsafe_allow_javascript=True)


def clip_keys_help() -> None:
    """Draw the button that shows what the keys do."""
    with st.popover("", icon=":material/keyboard:", key="review-keys", help=_("Keys"), type="tertiary"):
        st.markdown("  \n".join(f"`{keys}` {_(meaning)}" for keys, meaning in _KEYS.items()))
