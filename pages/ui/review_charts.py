"""How far the review is; who speaks how much, in which chapter, and to whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core.domain.text import ReviewStatus
from core.translation import N_
from pages.ui import charts
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.labels import review_status
from pages.ui.state import BOOK, CHART, CHARTED, shown

_CHARTS: Final[Mapping[str, str]] = {
    "review": N_("Review"),
    "speakers": N_("Speakers"),
    "talk": N_("Who to whom"),
}
_SPEAKERS: Final = 16
_STACKED: Final = 6
_TALKERS: Final = 12


def progress(visit: Visit) -> None:
    """Draw how many of the persona's lines are decided, and how many wait."""
    own = visit.studio.store.charts.progress(visit.persona.id).own
    total, waiting = sum(own.values()), own[ReviewStatus.PENDING]
    words = _("{name}: {done} of {total} lines decided, {waiting} to go").format(
        name=visit.persona.name, done=number(total - waiting), total=number(total), waiting=number(waiting)
    )
    with st.container(key="review-progress"):
        st.progress((total - waiting) / total if total else 0.0, text=f":small[{words}]")


def review_charts(visit: Visit, books: Mapping[str, str], names: Sequence[str]) -> None:
    """Draw the charts of one text; `names` are the speakers of all texts, the most talkative first."""
    with st.container(horizontal=True, vertical_alignment="center", key="charts-head"):
        st.segmented_control(
            _("Chart"),
            list(_CHARTS),
            default=CHART.get() if CHART.get() in _CHARTS else CHART.initial,
            format_func=lambda one: _(_CHARTS[one]),
            required=True,
            label_visibility="collapsed",
            key="chart",
            on_change=_choose_chart,
        )
        book = _chosen_book(books)
    if CHART.get() == "talk":
        _talk(visit, book)
    elif CHART.get() == "speakers":
        _speakers(visit, book, names[:_SPEAKERS])
    else:
        _review(visit, book)


def _review(visit: Visit, book: str) -> None:
    chapters = visit.studio.store.charts.progress_by_chapter(visit.persona.id, book)
    charts.stacked(
        [
            (str(one.chapter), review_status(status), getattr(one, status.value))
            for status in (ReviewStatus.ACCEPTED, ReviewStatus.REJECTED, ReviewStatus.PENDING)
            for one in chapters
        ],
        title=_("How far the review is, by chapter"),
        x_title=_("chapter"),
        key="chart-progress",
    )


def _speakers(visit: Visit, book: str, names: Sequence[str]) -> None:
    found = visit.studio.store.charts.lines_per_chapter(visit.persona.id, book, names)
    totals: Counter[str] = Counter()
    for one in found:
        totals[one.speaker] += one.lines
    said = {(one.speaker, one.chapter): one.lines for one in found}
    chapters = sorted({one.chapter for one in found})
    stacked = [name for name, _lines in totals.most_common(_STACKED)]
    charts.stacked(
        [(str(chapter), name, said.get((name, chapter), 0)) for name in stacked for chapter in chapters],
        title=_("Lines per chapter, of those who speak most"),
        x_title=_("chapter"),
        key="chart-chapters",
    )
    charts.bars(dict(totals.most_common()), title=_("Lines by speaker"), key="chart-bars")


def _talk(visit: Visit, book: str) -> None:
    exchanges = visit.studio.store.charts.who_speaks_to_whom(visit.persona.id, book, top=_TALKERS)
    charts.heat(
        [(one.speaker, one.listener, one.lines) for one in exchanges],
        title=_("Who speaks to whom"),
        x_title=_("who is spoken to"),
        y_title=_("who speaks"),
        key="chart-talk",
    )
    st.caption(_("Spoken to is who answers next, in the same chapter."))


def _choose_chart() -> None:
    CHART.set(shown("chart"))


def _chosen_book(books: Mapping[str, str]) -> str:
    """Return the text one wants to see the charts of: the one chosen here, else the one the lines are filtered by."""
    now = next((one for one in (CHARTED.get(), BOOK.get()) if one in books), next(iter(books)))
    if len(books) > 1:
        st.selectbox(
            _("Text"),
            list(books),
            index=list(books).index(now),
            format_func=books.__getitem__,
            label_visibility="collapsed",
            icon=":material/menu_book:",
            width=260,
            key="charted",
            on_change=_choose_book,
        )
    return now


def _choose_book() -> None:
    CHARTED.set(shown("charted"))
