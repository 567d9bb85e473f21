"""What stands below a reply: what made it, and what one can do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

import streamlit as st

from core.domain.chat import Message, Rating, Verdict
from core.domain.identity import new_id
from core.translation import N_
from pages.ui.browser import copy_words, keep_file
from pages.ui.decisions import careful
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, number
from pages.ui.makers import Makers
from pages.ui.markup import plain
from pages.ui.player import play
from pages.ui.reply_origin import origin
from pages.ui.state import AGAIN, CONVERSATION, SAID, shown

_AGAIN, _BRANCH, _COPY, _KEEP = "again", "branch", "copy", "keep"
_DEEDS: Final[Mapping[str, tuple[str, str]]] = {
    _AGAIN: (":material/refresh:", N_("Answer again")),
    _BRANCH: (":material/alt_route:", N_("Go on from here in a new talk")),
    _COPY: (":material/content_copy:", N_("Copy the words")),
    _KEEP: (":material/download:", N_("Download the sound")),
}
_THUMBS: Final = (Verdict.DOWN, Verdict.UP)
"""In the order of Streamlit's thumbs."""


def footer(
    visit: Visit, message: Message, names: Makers, *, rating: Rating | None, forks: Mapping[str, Sequence[str]]
) -> None:
    """Draw it; `forks` are the ids of all versions of a message, where there are several."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"footer-{message.id}"):
        versions(visit, message, forks)
        st.caption(plain(names.told(message)), width="content")
        if message.sound_sha256 and st.button(
            _("Hear it again"), icon=":material/volume_up:", type="tertiary", key=f"hear.{message.id}"
        ):
            with st.container(key=f"speech-again-{message.id}", gap=None), told_to_the_user():
                play(new_id("again"), 0, visit.studio.store.files.read(message.sound_sha256))
        if st.button(_("Why this?"), icon=":material/link:", type="tertiary", key=f"why.{message.id}"):
            st.dialog(_("Where this reply comes from"))(origin)(visit, message)
        _deeds(visit, message)
        _thumbs(visit, message, rating)
    if rating is not None and rating.value is Verdict.DOWN:
        _reason(visit, message, rating)


def versions(visit: Visit, message: Message, forks: Mapping[str, Sequence[str]]) -> None:
    """Draw the way between the versions of a message, where there are several."""
    ids = list(forks.get(message.id, ()))
    if len(ids) < 2:
        return
    place = ids.index(message.id)
    ways = {-1: ("chevron_left", _("the version before")), 1: ("chevron_right", _("the version after"))}
    for step, (icon, words) in ways.items():
        to = place + step
        st.button(
            "",
            icon=f":material/{icon}:",
            help=words,
            type="tertiary",
            disabled=not 0 <= to < len(ids),
            key=f"version.{message.id}.{step}",
            on_click=_show,
            args=(visit, ids[to % len(ids)]),
        )
        if step < 0:
            st.caption(f"{number(place + 1)}/{number(len(ids))}", width="content")


@careful
def _show(visit: Visit, message_id: str) -> None:
    visit.studio.store.talks.show(message_id)


def _deeds(visit: Visit, message: Message) -> None:
    deeds = [one for one in _DEEDS if one != _KEEP or message.sound_sha256]
    deed = st.menu_button(
        "",
        deeds,
        icon=":material/more_horiz:",
        type="tertiary",
        help=_("More"),
        format_func=lambda one: f"{_DEEDS[one][0]} {_(_DEEDS[one][1])}",
        key=f"deeds.{message.id}",
    )
    if deed is None:
        return
    with told_to_the_user():
        if deed == _AGAIN:
            AGAIN.set(message.id)
            st.rerun()
        elif deed == _BRANCH:
            talk = visit.studio.store.talks.conversation(message.conversation_id)
            branch = visit.studio.store.talks.branch(message.id, talk.title, visit.who)
            CONVERSATION.set(branch.id)
            say_next(_("This is a talk of its own now; the other is kept as it was."))
        elif deed == _COPY:
            copy_words(message.text)
        elif message.sound_sha256:
            keep_file(f"{message.id}.wav", visit.studio.store.files.read(message.sound_sha256))


def _thumbs(visit: Visit, message: Message, rating: Rating | None) -> None:
    key = f"rate.{message.id}"
    given = _THUMBS.index(rating.value) if rating else None
    st.feedback("thumbs", key=key, default=given, on_change=_rate, args=(visit, message.id, key))


@careful
def _rate(visit: Visit, message_id: str, key: str) -> None:
    """What was pressed counts, not what differs: another tab may have said otherwise meanwhile."""
    thumb = cast(int | None, shown(key))
    if thumb is None:
        visit.studio.store.ratings.withdraw(message_id, who=visit.who)
    else:
        visit.studio.chat.rate_reply(visit.persona, message_id, _THUMBS[thumb], "", who=visit.who)


def _reason(visit: Visit, message: Message, rating: Rating) -> None:
    key = f"reason.{message.id}"
    st.text_input(
        _("What is wrong with it? The curator reads this."),
        rating.reason,
        max_chars=500,
        placeholder=_("not her tone, not of her time, wrong about the book…"),
        key=key,
        on_change=_explain,
        args=(visit, message.id, key),
    )


@careful
def _explain(visit: Visit, message_id: str, key: str) -> None:
    visit.studio.chat.rate_reply(visit.persona, message_id, Verdict.DOWN, str(shown(key)).strip(), who=visit.who)
    SAID.set(_("Thank you: the curator will see it."))
