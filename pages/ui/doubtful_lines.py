"""Doubtful lines with the reason for each: the suggestion to leave one out is accepted, or dismissed for good."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core.domain.text import Expansion, ReviewStatus, Utterance
from core.lifecycle import stage
from core.store.suspicions import Doubt
from core.translation import N_
from pages.ui.decisions import careful
from pages.ui.frame import Visit, script
from pages.ui.i18n import _, _n, filled, number
from pages.ui.markup import plain
from pages.ui.state import SAID, Slot, Trail, shown
from pages.ui.tables import pager, place_of

RULE: Final = Slot("cleaning.rule", "", link="rule")
"""The rule whose lines are shown; empty for all."""
DISMISSED: Final = Slot("cleaning.dismissed", "")
"""The doubt last dismissed, as JSON: its record and rule."""
PLACES: Final = Trail("doubts")
PER_PAGE: Final = 8
_RULES: Final[Mapping[str, str]] = {
    "too_short": N_("too short"),
    "exclamation": N_("only an exclamation"),
    "stage_direction": N_("stage direction"),
    "narration": N_("narration"),
    "not_in_cast": N_("not in the cast"),
    "other_language": N_("another language"),
    "garbled": N_("garbled"),
    "repeated": N_("repetition"),
    "unbalanced": N_("lonely quotation mark"),
    "anachronism": N_("not of her time"),
}
"""Rule -> its name."""


def doubtful_lines(visit: Visit, books: Mapping[str, str], *, synthetic: bool) -> None:
    """Show a page of the queue; `books` are the texts' names by id, `synthetic` asks for what a model wrote."""
    suspicions = visit.studio.store.suspicions
    counts = suspicions.counts(visit.persona.id, synthetic=synthetic)
    rule = RULE.get() if RULE.get() in counts else ""
    page = suspicions.page(
        visit.persona.id,
        rule=rule or None,
        synthetic=synthetic,
        after=_after(f"{synthetic}.{rule}"),
        limit=PER_PAGE,
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="doubts-head"):
        _rules(counts, rule)
        st.space("stretch")
        _take_back(visit)
        if page.rows:
            st.button(
                _n("Leave out this {count}", "Leave out these {count}", len(page.rows)),
                icon=":material/playlist_remove:",
                key="doubts-reject-all",
                on_click=_reject,
                args=(visit, page.rows),
            )
    if not page.rows:
        with st.container(border=True, horizontal_alignment="center", key="nothing-left"):
            st.markdown(f":material/done_all: {_('No line is in doubt.')}", width="content")
        return
    for one in page.rows:
        _doubt(visit, one, books)
    total = counts[rule] if rule else sum(counts.values())
    pager(
        PLACES,
        next_cursor=(page.next_cursor,) if page.next_cursor is not None else None,
        total=total,
        per_page=PER_PAGE,
    )


def _after(where: str) -> int | None:
    place = place_of(PLACES, where)
    return place[0] if place else None


def _rules(counts: Mapping[str, int], rule: str) -> None:
    everything = {"": sum(counts.values()), **counts}
    st.selectbox(
        _("Reason"),
        list(everything),
        index=list(everything).index(rule),
        format_func=lambda one: f"{rule_name(one) if one else _('All reasons')} · {number(everything[one])}",
        width=280,
        key=f"doubts-rule.{rule}",
        on_change=_choose_rule,
        args=(f"doubts-rule.{rule}",),
    )


def _doubt(visit: Visit, one: Doubt, books: Mapping[str, str]) -> None:
    line, why = one.line, one.suspicion
    with st.container(border=True, gap="xsmall", key=f"doubt-{one.ordinal}"):
        st.markdown(plain(line.text))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(plain(filled(why.reason, why.values)), color="orange", icon=":material/help:")
            _origin(line, books)
            st.space("stretch")
            st.button(
                _("Leave out"),
                icon=":material/close:",
                key=f"doubt-reject-{one.ordinal}",
                on_click=_reject,
                args=(visit, (one,)),
            )
            st.button(
                _("It is all right"),
                icon=":material/check:",
                type="tertiary",
                key=f"doubt-dismiss-{one.ordinal}",
                on_click=_dismiss,
                args=(visit, one),
            )


def _origin(line: Utterance | Expansion, books: Mapping[str, str]) -> None:
    if isinstance(line, Expansion):
        st.badge(_("synthetic"), color="violet", icon=":material/auto_awesome:")
        return
    where = [plain(line.speaker or "—"), _("chapter {number}").format(number=number(line.chapter))]
    book = [plain(books.get(line.source_id, ""))] if len(books) > 1 else []
    st.page_link(
        script(stage("corpus")),
        label=f":small[{' · '.join([*where, *book])}]",
        query_params={"passage": line.passage_id, "line": line.id},
    )


def rule_name(rule: str) -> str:
    """Return the translated name of a rule; its own where this version does not know it."""
    return _(_RULES.get(rule, rule))


def _take_back(visit: Visit) -> None:
    if DISMISSED.get():
        st.button(
            _("Doubt it again"),
            icon=":material/undo:",
            help=_("Take back the last dismissal of yours."),
            type="tertiary",
            key="doubts-take-back",
            on_click=_bring_back,
            args=(visit,),
        )


@careful
def _reject(visit: Visit, doubts: Sequence[Doubt]) -> None:
    store = visit.studio.store
    revisions = {one.line.id: one.line.revision for one in doubts if isinstance(one.line, Utterance)}
    if revisions:
        store.suspicions.reject(revisions, who=visit.who)
    written = {one.line.id: one.line for one in doubts if isinstance(one.line, Expansion)}
    for line in written.values():
        store.expansions.edit(line.id, line.revision, who=visit.who, status=ReviewStatus.REJECTED)
    SAID.set(_n("{count} line left out", "{count} lines left out", len(revisions) + len(written)))


@careful
def _dismiss(visit: Visit, one: Doubt) -> None:
    visit.studio.store.suspicions.dismiss(one.suspicion.record_id, one.suspicion.rule, who=visit.who)
    DISMISSED.set(json.dumps([one.suspicion.record_id, one.suspicion.rule]))
    SAID.set(_("Dismissed: this reason does not bring these words up again."))


@careful
def _bring_back(visit: Visit) -> None:
    record, rule = json.loads(DISMISSED.get())
    visit.studio.store.suspicions.bring_back(record, rule, who=visit.who)
    DISMISSED.clear()


def _choose_rule(key: str) -> None:
    RULE.set(shown(key))
