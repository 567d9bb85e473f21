"""Every question of a scorecard: what the model read, what it wrote, what that was taken for, and what was right."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.domain.evaluation import Answer, Scorecard
from core.stages.evaluation.fidelity.sheet import MEASURES
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.labels import measure_title
from pages.ui.state import ANSWERS
from pages.ui.tables import chosen_row, pager, place_of

_PER_PAGE: Final = 20
_SHOWN: Final = 160
"""Characters of a question that a row shows, from its end: examples stand before it."""


def question_browser(visit: Visit, cards: list[Scorecard]) -> None:
    """Draw the questions of one of these scorecards, a page at a time."""
    known = {card.id: card for card in cards if visit.studio.store.scorecards.tallies(card.id)}
    if not known:
        st.caption(_("The questions are known of what was examined here; of an imported summary they are not."))
        return
    first, second, third = st.columns([3, 3, 2])
    with first:
        card_id = st.selectbox(_("Scorecard"), list(known), format_func=lambda one: _(known[one].name))
    tallies = visit.studio.store.scorecards.tallies(card_id)
    with second:
        dataset = st.selectbox(
            _("Set of questions"),
            ["", *tallies],
            format_func=lambda one: (
                f"{measure_title(one)} · {tallies[one].right} / {tallies[one].asked}" if one else _("all of them")
            ),
        )
    verdicts = {"": _("all"), "right": _("right"), "wrong": _("wrong")}
    with third:
        verdict = st.selectbox(_("Answers"), list(verdicts), format_func=lambda one: verdicts[one])
    text = st.text_input(_("Search in questions and replies"), placeholder=_("some words"))
    correct = {"right": True, "wrong": False}.get(verdict)
    place = place_of(ANSWERS, repr((card_id, dataset, verdict, text)))
    page = visit.studio.store.scorecards.answers(
        card_id, dataset=dataset, correct=correct, text=text, after=place[0] if place else -1, limit=_PER_PAGE
    )
    if not page.rows:
        st.caption(_("No question is like that."))
        return
    picked = chosen_row([_row(one) for one in page.rows], key=f"answers.{card_id}.{dataset}.{verdict}.{place}")
    cursor = None if page.next_cursor is None else (page.next_cursor,)
    pager(ANSWERS, next_cursor=cursor, total=page.total, per_page=_PER_PAGE)
    _whole(page.rows[picked or 0])


def _row(one: Answer) -> dict[str, str]:
    return {
        "": "✓" if one.correct else "✗",
        _("set"): measure_title(one.dataset),
        _("number"): number(one.number + 1),
        _("question"): "…" + one.prompt[-_SHOWN:] if len(one.prompt) > _SHOWN else one.prompt,
        _("reply"): one.reply[:_SHOWN],
        _("taken for"): one.chosen,
        _("right answer"): one.wanted,
    }


def _whole(one: Answer) -> None:
    """Show a question as the model read it, beside its reply."""
    left, right = st.columns(2)
    with left:
        st.caption(_("What the model read"))
        st.code(one.prompt, language=None, wrap_lines=True, height=320)
    with right:
        st.caption(_("What it wrote"))
        st.code(one.reply or "—", language=None, wrap_lines=True, height=160)
        verdict = _("right") if one.correct else _("wrong")
        st.markdown(_told(one).format(chosen=one.chosen or "—", wanted=one.wanted or "—", verdict=verdict))


def _told(one: Answer) -> str:
    if one.dataset in MEASURES:
        return _("Decided by **{chosen}**: {verdict}. Hers, or what is accepted: {wanted}")
    return _("Taken for **{chosen}**, the right answer is **{wanted}**: {verdict}.")
