"""How far the review is; who speaks how much, in which chapter, and to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core.domain.text import ReviewStatus
from core.store.charts import ChapterLines
from pages.ui import charts
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.labels import review_status
from pages.ui.state import CHARTED, shown

_SPEAKERS: Final = 16
_STACKED: Final = 6
_TALKERS: Final = 10


def progress(visit: Visit) -> None:
    """Draw how many of the persona's lines are decided, and how many wait."""
    own = visit.studio.store.charts.progress(visit.persona.id).own
    total, waiting = sum(own.values()), own[ReviewStatus.PENDING]
    words = _("{name}: {done} of {total} lines decided, {waiting} to go").format(
        name=visit.persona.name, done=number(total - waiting), total=number(total), waiting=number(waiting)
    )
    st.progress((total - waiting) / total if total else 0.0, text=f":small[{words}]")


def review_charts(visit: Visit, books: Mapping[str, str], names: Sequence[str]) -> None:
    """Draw the charts of one text or of all; `names` are the speakers, the most talkative first."""
    store, persona = visit.studio.store, visit.persona.id
    book = _chosen_book(books)
    chapters = {(one.source_id, one.chapter): one for one in store.charts.progress_by_chapter(persona, book)}
    places = {place: _place(place, books, several=book is None and len(books) > 1) for place in chapters}
    charts.stacked(
        [
            (places[place], review_status(status), count)
            for status in (ReviewStatus.ACCEPTED, ReviewStatus.REJECTED, ReviewStatus.PENDING)
            for place, one in chapters.items()
            for count in [getattr(one, status.value)]
        ],
        title=_("How far the review is, by chapter"),
        x_title=_("chapter"),
        key="chart-progress",
    )
    found = store.charts.lines_per_chapter(persona, book, names[:_SPEAKERS])
    lines = {name: sum(one.lines for one in found if one.speaker == name) for name in names[:_SPEAKERS]}
    most = sorted(lines, key=lambda name: -lines[name])
    charts.stacked(
        [
            (places[place], name, count)
            for name in most[:_STACKED]
            for place, count in _filled(chapters, found, name).items()
        ],
        title=_("Lines per chapter, of those who speak most"),
        x_title=_("chapter"),
        key="chart-chapters",
    )
    left, right = st.columns(2)
    with left:
        charts.bars({name: lines[name] for name in most if lines[name]}, title=_("Lines by speaker"), key="chart-bars")
    with right:
        exchanges = store.charts.who_speaks_to_whom(persona, book, top=_TALKERS)
        charts.heat(
            [(one.speaker, one.listener, one.lines) for one in exchanges],
            title=_("Who speaks to whom"),
            x_title=_("who is spoken to"),
            y_title=_("who speaks"),
            key="chart-talk",
        )
        st.caption(_("Spoken to is who answers next, in the same chapter."))


def _chosen_book(books: Mapping[str, str]) -> str | None:
    """Return the text one wants to see the charts of, None for all; nothing is asked where there is only one."""
    if len(books) < 2:
        return None
    st.selectbox(
        _("Text"),
        list(books),
        index=list(books).index(CHARTED.get()) if CHARTED.get() in books else None,
        format_func=books.__getitem__,
        placeholder=_("all"),
        key="charted",
        on_change=_choose_book,
    )
    return CHARTED.get() if CHARTED.get() in books else None


def _choose_book() -> None:
    CHARTED.set(shown("charted") or "")


def _place(place: tuple[str, int], books: Mapping[str, str], *, several: bool) -> str:
    book, chapter = place
    return f"{books.get(book, book)} {chapter}" if several else str(chapter)


def _filled(
    chapters: Mapping[tuple[str, int], object], found: Sequence[ChapterLines], name: str
) -> dict[tuple[str, int], int]:
    """Return how much somebody says in each chapter, nothing where nothing."""
    said = {(one.source_id, one.chapter): one.lines for one in found if one.speaker == name}
    return {place: said.get(place, 0) for place in chapters}
