"""Replies of the chat that people rated down, before the curator until each is settled."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.store.ratings import RatedReply
from pages.ui.decisions import careful
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, moment
from pages.ui.makers import Makers, makers
from pages.ui.markup import plain
from pages.ui.state import SAID, UTTERANCE

_SHOWN: Final = 10


def rated_replies(visit: Visit) -> None:
    """Draw the list, folded; nothing where none waits."""
    waiting = visit.studio.store.ratings.counts(visit.persona.id).waiting
    if not waiting:
        return
    title = _n("{count} reply of the chat was rated down", "{count} replies of the chat were rated down", waiting)
    folded = st.expander(title, icon=":material/thumb_down:", on_change="rerun", key="rated")
    if not folded.open:
        return
    names = makers(visit)
    with folded:
        page = visit.studio.store.ratings.for_curator(visit.persona.id, limit=_SHOWN)
        for one in page.rows:
            _rated(visit, one, names)
        if page.next_cursor:
            st.caption(_("More follow when these are done."))


def _rated(visit: Visit, one: RatedReply, names: Makers) -> None:
    with st.container(border=True, key=f"rated-{one.rating.id}"):
        if one.said:
            st.markdown(f"**{plain(one.said.text)}**")
        st.markdown(f"> {plain(one.reply.text)}")
        st.caption(plain(names.told(one.reply)))
        reason = f"{plain(one.rating.reason)} · " if one.rating.reason else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f":material/flag: {reason}{plain(one.rating.who)} · {moment(one.rating.rated_at)}", width="stretch"
            )
            if one.reply.utterance_id:
                st.button(
                    _("Review this line"),
                    icon=":material/rate_review:",
                    key=f"rated.line.{one.rating.id}",
                    on_click=UTTERANCE.set,
                    args=(one.reply.utterance_id,),
                )
            st.button(
                _("Done"),
                icon=":material/check:",
                key=f"rated.done.{one.rating.id}",
                on_click=_settle,
                args=(visit, one.rating.id),
            )


@careful
def _settle(visit: Visit, rating_id: str) -> None:
    visit.studio.store.ratings.settle(rating_id, who=visit.who)
    SAID.set(_("It is off the list."))
