"""Synthetic lines: what somebody might have said just before one of her quotes; asked for here, and reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from core.domain.text import Expansion, ReviewStatus
from core.errors import NotFoundError
from core.settings import stage_defaults
from core.stages.dialogues.settings import ExpansionSettings, ServedKor
from pages.ui.errors import told_to_the_user
from pages.ui.estimates import estimate_of, show_estimate
from pages.ui.extraction import outcome
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _
from pages.ui.labels import STATUS_LOOKS, review_status
from pages.ui.markup import plain
from pages.ui.run_panel import stage_run, start_run
from pages.ui.settings_form import settings_form
from pages.ui.state import Trail
from pages.ui.tables import pager, place_of

EXPANSION: Final = "expansion"
PER_PAGE: Final = 20
_PLACES: Final = Trail("expansions")
_FIRST: Final = ("base_url", "model", "quotes", "at_most")


def synthetic_lines(visit: Visit) -> None:
    """Show how to ask for lines that lead to her quotes, the runs, and the lines there are, to be decided about."""
    with st.expander(_("Lines before her quotes"), icon=":material/auto_awesome:"):
        st.caption(
            _("A language model writes what somebody might say just before each quote. Such lines stay synthetic.")
        )
        _ask(visit)
    stage_run(visit, kind=EXPANSION)
    outcome(visit, EXPANSION)
    _review(visit)


@st.fragment
def _ask(visit: Visit) -> None:
    served = stage_defaults("kor", ServedKor)
    start = served.expanding().model_dump()
    wanted = settings_form(ExpansionSettings, start, key="expansion.usual", first=_FIRST, omit={"utterance_ids"})
    if not (wanted["base_url"] and wanted["model"]):
        st.info(_("Give the address of a server and a model's name to see what asking it would come to."))
        return
    told: Mapping[str, Any] | None = None
    with told_to_the_user():
        told = estimate_of(visit, EXPANSION, wanted)
        show_estimate(told, served.endpoint_key)
    if st.button(
        _("Ask the model"), type="primary", icon=":material/send:", disabled=told is None, key="expansion.ask"
    ):
        start_run(visit, wanted, kind=EXPANSION)


def _review(visit: Visit) -> None:
    everything = visit.studio.store.expansions.count(visit.persona.id)
    if not everything:
        return
    status = st.segmented_control(
        _("Status"),
        [ReviewStatus.PENDING, ReviewStatus.ACCEPTED, ReviewStatus.REJECTED],
        default=ReviewStatus.PENDING,
        format_func=lambda one: review_status(one),
        key="expansion.status",
        label_visibility="collapsed",
    )
    chosen = ReviewStatus(status) if status else None
    total = visit.studio.store.expansions.count(visit.persona.id, status=chosen)
    page = visit.studio.store.expansions.page(
        visit.persona.id, status=chosen, after=place_of(_PLACES, str(chosen)), limit=PER_PAGE
    )
    quote = ""
    for one in page.rows:
        if one.utterance_id != quote:
            quote = one.utterance_id
            st.markdown(f"**{visit.persona.name}** {plain(_words(visit, quote))}")
        _line(visit, one)
    pager(_PLACES, next_cursor=page.next_cursor, total=total, per_page=PER_PAGE)


def _words(visit: Visit, utterance_id: str) -> str:
    try:
        return visit.studio.store.utterances.get(utterance_id).text
    except NotFoundError:
        return _("(the quote is not in the store any more)")


def _line(visit: Visit, one: Expansion) -> None:
    colour, symbol = STATUS_LOOKS[one.status]
    key = f"expansion.{one.id}.{one.revision}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.badge(review_status(one.status), color=colour, icon=symbol)
        st.badge(_("synthetic"), color="violet", icon=":material/auto_awesome:")
        text = st.text_input(
            plain(one.counterpart), one.text, key=f"{key}.text", label_visibility="collapsed", width="stretch"
        )
        written = text.strip()
        if written and written != one.text and st.button(_("Save"), icon=":material/save:", key=f"{key}.save"):
            _write(visit, one, text=written)
        if one.status is not ReviewStatus.ACCEPTED and st.button(
            _("Accept"), icon=":material/check:", key=f"{key}.accept"
        ):
            _write(visit, one, status=ReviewStatus.ACCEPTED)
        if one.status is not ReviewStatus.REJECTED and st.button(
            _("Reject"), icon=":material/close:", key=f"{key}.reject"
        ):
            _write(visit, one, status=ReviewStatus.REJECTED)


def _write(visit: Visit, one: Expansion, **changes: Any) -> None:
    with told_to_the_user():
        visit.studio.store.expansions.edit(one.id, one.revision, who=visit.who, **changes)
        say_next(_("Saved."))
