"""One line under review: beside its passage, who says it and why, with the form that decides about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.domain.text import Passage, ReviewStatus, Utterance, UtteranceKind
from core.lifecycle import stage
from core.store.events import Event
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, say_next, script
from pages.ui.i18n import _, moment, number
from pages.ui.labels import review_status, utterance_kind
from pages.ui.reader import show_passages
from pages.ui.state import LINE_SEEN

_NOBODY = "—"
_LONG = 260
"""Characters from which a passage scrolls in a frame of its own."""


def show_in_place(visit: Visit, line: Utterance, passage: Passage) -> None:
    """Show the passage with the line highlighted, why it is hers or his, and the way to the chapter."""
    others = visit.studio.store.utterances.of_passage(passage.id)
    with st.container(height=300 if len(passage.text) > _LONG else "content", border=len(passage.text) > _LONG):
        show_passages([passage], {passage.id: others}, persona=visit.persona.name, chosen=line.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(utterance_kind(line.kind), color="gray")
        st.badge(_("confidence {share}").format(share=number(line.confidence, "#,##0 %")), color="gray")
        st.caption(_("why: {reason}").format(reason=f"`{line.reason}`"), width="content")
        st.page_link(
            script(stage("corpus")),
            label=_("Read on in chapter {number}").format(number=number(line.chapter))
            if line.chapter
            else _("Read on in the text"),
            icon=":material/menu_book:",
            query_params={"passage": passage.id, "line": line.id},
        )


def decide(visit: Visit, line: Utterance, names: Sequence[str]) -> None:
    """Draw the form that accepts, rejects or corrects the line; saves name the revision their author saw.

    `names` are offered as speakers; another one may be typed.
    """
    seen = LINE_SEEN.revision(line.id, line.revision)
    if seen != line.revision:
        st.warning(_("Somebody changed this line meanwhile; it now reads: {text}").format(text=line.text))
        if st.button(_("Look at it as it is now"), icon=":material/refresh:", key="line.refresh"):
            LINE_SEEN.look(line.id, line.revision)
            st.rerun()
    with st.form(f"line.{line.id}@{seen}", border=False):
        left, right = st.columns(2)
        speaker = left.selectbox(
            _("Speaker"),
            [_NOBODY, *names],
            index=1 + names.index(line.speaker) if line.speaker in names else 0,
            accept_new_options=True,
        )
        kind = right.selectbox(
            _("Kind"), list(UtteranceKind), index=list(UtteranceKind).index(line.kind), format_func=utterance_kind
        )
        text = st.text_area(_("Words"), line.text, height=120)
        with st.container(horizontal=True):
            accepted = st.form_submit_button(_("Accept"), type="primary", icon=":material/check:")
            rejected = st.form_submit_button(_("Reject"), icon=":material/close:")
            saved = st.form_submit_button(_("Save"), icon=":material/save:")
    if accepted or rejected or saved:
        status = ReviewStatus.ACCEPTED if accepted else ReviewStatus.REJECTED if rejected else line.status
        changes = {"text": text, "kind": kind, "speaker": None if speaker == _NOBODY else speaker, "status": status}
        _save(visit, line, seen, changes)
    _history(visit, line)


def _save(visit: Visit, line: Utterance, seen: int, changes: dict[str, Any], undoes: int | None = None) -> None:
    with told_to_the_user():
        now = visit.studio.store.utterances.edit(line.id, seen, who=visit.who, undoes=undoes, **changes)
        LINE_SEEN.look(now.id, now.revision)
        say_next(_("Saved: {status}").format(status=review_status(now.status)))


def _history(visit: Visit, line: Utterance) -> None:
    events = visit.studio.store.events.of("utterance", line.id, limit=5)
    if not events:
        return
    with st.expander(_("Changes"), icon=":material/history:"):
        for event in events:
            st.caption(f"{moment(event.at)} · {event.who} · {_told(event)}")
        newest = events[0]
        if newest.before and st.button(_("Undo the last change"), icon=":material/undo:", key=f"undo.{newest.id}"):
            before = dict(newest.before)
            if "kind" in before:
                before["kind"] = UtteranceKind(before["kind"])
            if "status" in before:
                before["status"] = ReviewStatus(before["status"])
            _save(visit, line, line.revision, before, undoes=newest.id)


def _told(event: Event) -> str:
    before, after = dict(event.before or {}), dict(event.after or {})
    changed = [f"{before.get(name)} → {value}" for name, value in after.items() if before.get(name) != value]
    return "; ".join(changed) or event.action
