"""The few lines of CSS that the theme can't say; colours mix with what is behind them, so light and dark both work."""

from __future__ import annotations

from typing import Final

import streamlit as st

_CSS: Final = """
<style>
.reader { max-width: 42rem; line-height: 1.95; font-size: 1.02rem; overflow-wrap: anywhere; }
.reader p { text-indent: 2em; margin: 0 0 .55rem; }
.reader h4 { text-align: center; margin: .6rem 0 1rem; padding: 0; }
.reader p.focus { border-left: 3px solid #5B8C70; padding-left: .8rem; margin-left: -.95rem; }
.reader mark { color: inherit; padding: .1em 0; border-radius: 2px; background: transparent; }
.reader mark.other {
  text-decoration: underline dotted color-mix(in srgb, currentColor 45%, transparent); text-underline-offset: .3em;
}
.reader mark.hers { background: color-mix(in srgb, #5B8C70 22%, transparent); }
.reader mark.chosen { background: color-mix(in srgb, #C8963E 38%, transparent); text-decoration: none; }
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-speech"]),
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-headless"]) { position: absolute; height: 0; overflow: hidden; }
[data-testid="stChatMessage"]:has([aria-label="Chat message from user"]) {
  background: color-mix(in srgb, #B5A27A 13%, transparent);
}
[class*="st-key-footer-"] { min-height: 0; margin-top: -.6rem; }
.st-key-portrait img { border-radius: 50%; }
.stage-count { font-size: 1.5rem; line-height: 1.2; font-weight: 600; }
.stage-count small { font-size: .82rem; font-weight: 400; opacity: .72; }
.block-container, [data-testid="stMainBlockContainer"] { max-width: 78rem; }
.st-key-queues { border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
.st-key-queues button { padding: .2rem .7rem; border-radius: 0; border-bottom: 2px solid transparent; }
.st-key-queues button[kind="primary"] {
  background: transparent; border-width: 0 0 2px; border-color: #5B8C70; color: inherit; font-weight: 600;
}
.st-key-review-headline strong { font-size: 1.25rem; }
.st-key-wave-way kbd, .st-key-review-task kbd, .st-key-review-undo kbd, .st-key-review-redo kbd { display: none; }
.st-key-scene .reader mark::before {
  content: attr(title); font-size: .68rem; opacity: .6; margin-right: .3em; vertical-align: .25em; white-space: nowrap;
}
.words { line-height: 1.75; margin: 0; overflow-wrap: anywhere; }
.words ins { background: color-mix(in srgb, #5B8C70 30%, transparent); text-decoration: none; border-radius: 2px; }
.words del { background: color-mix(in srgb, #B4574A 18%, transparent); opacity: .75; border-radius: 2px; }
.tokens { line-height: 2.1; max-height: 24rem; overflow-y: auto; overflow-wrap: anywhere; }
.tokens span { padding: .15em .08em; border-radius: 2px; white-space: pre-wrap; }
.tokens span + span { margin-left: 1px; }
.tokens .read { background: color-mix(in srgb, currentColor 7%, transparent); }
.tokens .learnt { background: color-mix(in srgb, #5B8C70 34%, transparent); }
.tokens .cut { opacity: .5; text-decoration: line-through; }
.shares {
  display: flex; gap: 2px; height: 1.1rem; margin: .2rem 0 .35rem; border-radius: 2px;
  background: color-mix(in srgb, currentColor 7%, transparent);
}
.shares span { min-width: 2px; border-radius: 2px; }
.shares-legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .82rem; opacity: .85; }
.shares-legend i { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .4em; }
.clip-change {
  font: inherit; color: inherit; cursor: pointer; padding: .25rem .75rem; border-radius: 4px;
  background: color-mix(in srgb, #5B8C70 20%, transparent);
  border: 1px solid color-mix(in srgb, currentColor 25%, transparent);
}
@media (max-width: 1400px) {
  [data-testid="stMainBlockContainer"] { padding-left: 2.5rem; padding-right: 2.5rem; }
}
@media (hover: none) { .stButton kbd { display: none; } }
@media (max-width: 640px) {
  .stButton kbd, .st-key-review-keys { display: none; }
  .st-key-queues { flex-wrap: nowrap; overflow-x: auto; scrollbar-width: none; }
  .st-key-queues button { white-space: nowrap; }
  .st-key-review-progress { order: 1; flex: 1 0 100%; }
  .st-key-scene { height: 42vh !important; }
  .st-key-review-decide, .st-key-cluster-decide, .st-key-clip-decide {
    position: fixed; inset: auto 0 0; z-index: 99; padding: .6rem 1rem; justify-content: center;
    background: var(--st-background-color, Canvas);
    border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent);
  }
  [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; }
  h1 { font-size: 1.6rem !important; }
}
</style>
"""


def dress_the_page() -> None:
    """Add the house's CSS to the page."""
    st.html(_CSS)
