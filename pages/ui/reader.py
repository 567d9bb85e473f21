"""Passages of the book as a page to read, with the lines found in them marked, and where each stands in its file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import PurePath

import streamlit as st

from core.domain.text import Passage, PassageKind, ReviewStatus, Source, Utterance
from core.store.corpus import Chapter
from core.store.utterances import UtteranceFilter
from core.translation import N_
from pages.ui.frame import Visit
from pages.ui.i18n import filled
from pages.ui.state import UTTERANCE

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

_MARGIN = """<style>
.reader.placed > * { position: relative; padding-left: 5.6rem; }
.reader.placed > p.focus { margin-left: 0; padding-left: 5.6rem; }
.reader .place {
  position: absolute; left: 0; top: .35em; width: 4.9rem; overflow: hidden; text-overflow: ellipsis;
  font-size: .7rem; font-weight: 400; line-height: 1.5; text-indent: 0; text-align: right; opacity: .62;
  white-space: nowrap;
}
@media (max-width: 640px) {
  .reader.placed > *, .reader.placed > p.focus { padding-left: 0; }
  .reader .place { position: static; float: right; width: auto; max-width: 40%; margin-left: .6rem; }
}
</style>"""

_PART = 200
"""Passages on one page of the reader."""
_BEFORE = 40
"""Passages before a page in which a line that runs on into it may begin."""
_LINES = 3000
"""Lines fetched for one page at most; a page of a book holds a tenth."""
_UNMARKED = (ReviewStatus.REJECTED, ReviewStatus.MERGED)

_PLACES = {
    "page": N_("page {number}"),
    "line": N_("line {number}"),
    "paragraph": N_("paragraph {number}"),
}
_PLACE = re.compile(rf"({'|'.join(_PLACES)}) (\d+)$")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What of a line lies in one passage."""

    line: Utterance
    start: int
    end: int


def show_chapter(visit: Visit, source: Source, chapter: Chapter, at: Passage | None) -> None:
    """Show a chapter in a frame of its own, a page at a time where it is long; `at` is the passage to open it at."""
    count = chapter.paragraphs + (1 if chapter.title else 0)
    parts = -(-count // _PART)
    part = 1 + ((at.ordinal - chapter.first) // _PART if at else 0)
    if parts > 1:
        key = f"part.{source.id}.{chapter.number}.{at.id if at else ''}"
        part = st.pagination(parts, default=min(part, parts), key=key)
    first = chapter.first + (part - 1) * _PART
    begin = max(chapter.first, first - _BEFORE)
    store = visit.studio.store
    passages = store.corpus.passages(source.id, chapter.number, first=begin, limit=first - begin + _PART)
    found = store.utterances.page(
        UtteranceFilter(visit.persona.id, source.id, chapter=chapter.number),
        after=(source.id, begin, -1, ""),
        limit=_LINES,
    ).rows
    lines = {passage_id: list(group) for passage_id, group in groupby(found, key=lambda line: line.passage_id)}
    with st.container(height=640, key="book"):
        show_passages(
            passages,
            lines,
            persona=visit.persona.name,
            chosen=UTTERANCE.get(),
            focus=at.id if at else "",
            hidden=first - begin,
        )


def show_passages(
    passages: Sequence[Passage],
    lines: Mapping[str, Sequence[Utterance]],
    *,
    persona: str,
    chosen: str = "",
    focus: str = "",
    hidden: int = 0,
) -> None:
    """Show passages; hers are green, other people's lines underlined, the chosen line stronger, the focus framed.

    The first `hidden` passages are not shown: they are there for the lines that begin in them and run on.
    """
    stretches = _stretches(passages, lines)
    body, place = [], ""
    for passage in passages[hidden:]:
        margin = _margin(passage.place, place)
        place = passage.place
        words = _marked(passage.text, stretches.get(passage.id, ()), persona=persona, chosen=chosen)
        tag = "h4" if passage.kind is PassageKind.HEADING else "p"
        look = ' class="focus"' if passage.id == focus else ""
        body.append(f"<{tag}{look}>{margin}{words}</{tag}>")
    placed = any(passage.place for passage in passages)
    style, look = (_MARGIN, "reader placed") if placed else ("", "reader")
    st.html(f'{style}<div class="{look}">{"".join(body)}</div>')
    if chosen or focus:
        st.html(_SCROLL, unsafe_allow_javascript=True)


def marked(text: str, lines: Iterable[Utterance], *, persona: str, chosen: str = "") -> str:
    """Return the text as HTML with each line's stretch in a `mark`; nested quotations stay inside the outer one."""
    stretches = [_Stretch(line, line.start, len(text) if line.runs_on else line.end) for line in lines]
    return _marked(text, stretches, persona=persona, chosen=chosen)


def place_words(place: str) -> str:
    """Return where a passage stands in its file, in the reader's language."""
    known = _PLACE.match(place)
    return filled(_PLACES[known[1]], {"number": int(known[2])}) if known else place


def _stretches(
    passages: Sequence[Passage], lines: Mapping[str, Sequence[Utterance]]
) -> Mapping[str, Sequence[_Stretch]]:
    """Return what lies in each passage of the lines; one that runs on goes through whole passages to its end."""
    found: dict[str, list[_Stretch]] = {}
    for number, passage in enumerate(passages):
        for line in lines.get(passage.id, ()):
            through = passages[number : number + line.runs_on + 1]
            for step, one in enumerate(through):
                start = 0 if step else line.start
                end = line.end if step == line.runs_on else len(one.text)
                found.setdefault(one.id, []).append(_Stretch(line, start, end))
    return found


def _marked(text: str, stretches: Iterable[_Stretch], *, persona: str, chosen: str) -> str:
    parts, at = [], 0
    for stretch in sorted(stretches, key=lambda one: (one.start, -one.end)):
        line = stretch.line
        if stretch.start < at or (line.status in _UNMARKED and line.id != chosen):
            continue
        hers = "hers" if line.speaker == persona else "other"
        look = f"{hers} chosen" if line.id == chosen else hers
        who = escape(line.speaker or "?", quote=True)
        words = escape(text[stretch.start : stretch.end])
        parts += [escape(text[at : stretch.start]), f'<mark class="{look}" title="{who}">{words}</mark>']
        at = stretch.end
    return "".join([*parts, escape(text[at:])])


def _margin(place: str, before: str) -> str:
    """Return the note in the margin; of a place like the one before it, only what is new."""
    if not place or place == before:
        return ""
    file, mark, number = place.partition("#")
    same = mark and before.startswith(f"{file}#")
    short = mark + number if same else f"{PurePath(file).stem}{mark}{number}" if mark else place_words(place)
    return f'<span class="place" title="{escape(place_words(place), quote=True)}">{escape(short)}</span>'
