"""Passages of the book as a page to read, with the lines found in them marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import streamlit as st

from core.domain.text import Passage, PassageKind, ReviewStatus, Utterance

_SCROLL = """<script>
for (const wanted of document.querySelectorAll(".reader mark.chosen, .reader p.focus")) {
  let frame = wanted.parentElement;
  while (frame && !(frame.scrollHeight > frame.clientHeight + 8 && getComputedStyle(frame).overflowY === "auto")) {
    frame = frame.parentElement;
  }
  if (frame && frame.querySelector(".reader") && !frame.querySelector("h1")) {
    frame.scrollTop += wanted.getBoundingClientRect().top - frame.getBoundingClientRect().top - 48;
    break;
  }
}
</script>"""
"""Brings the chosen line into view inside the reader's own frame; the page itself stays where it is."""


def show_passages(
    passages: Sequence[Passage],
    lines: Mapping[str, Sequence[Utterance]],
    *,
    persona: str,
    chosen: str = "",
    focus: str = "",
) -> None:
    """Show passages; hers are green, other people's lines underlined, the chosen line stronger, the focus framed."""
    body = "".join(
        _paragraph(passage, lines.get(passage.id, ()), persona=persona, chosen=chosen, focused=passage.id == focus)
        for passage in passages
    )
    st.html(f'<div class="reader">{body}</div>')
    if chosen or focus:
        st.html(_SCROLL, unsafe_allow_javascript=True)


def _paragraph(passage: Passage, lines: Iterable[Utterance], *, persona: str, chosen: str, focused: bool) -> str:
    tag = "h4" if passage.kind is PassageKind.HEADING else "p"
    look = ' class="focus"' if focused else ""
    return f"<{tag}{look}>{marked(passage.text, lines, persona=persona, chosen=chosen)}</{tag}>"


def marked(text: str, lines: Iterable[Utterance], *, persona: str, chosen: str = "") -> str:
    """Return the text as HTML with each line's stretch in a `mark`; nested quotations stay inside the outer one."""
    parts, at = [], 0
    for line in sorted(lines, key=lambda one: (one.start, -one.end)):
        if line.start < at or (line.status is ReviewStatus.REJECTED and line.id != chosen):
            continue
        hers = "hers" if line.speaker == persona else "other"
        look = f"{hers} chosen" if line.id == chosen else hers
        who = escape(line.speaker or "?", quote=True)
        words = escape(text[line.start : line.end])
        parts += [escape(text[at : line.start]), f'<mark class="{look}" title="{who}">{words}</mark>']
        at = line.end
    return "".join([*parts, escape(text[at:])])
