"""The talks that are kept: found by their words, named, taken up again, exported, deleted."""

from __future__ import annotations

import streamlit as st

from core.domain.chat import Conversation, Speaker
from core.stages.chat.export import SoundKind, as_json, as_markdown, as_sound
from core.stages.chat.export import makers as made_by
from pages.ui.decisions import careful
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, moment
from pages.ui.makers import makers
from pages.ui.markup import plain
from pages.ui.state import CONVERSATION, shown

_MOST = 30


def talk_list(visit: Visit) -> None:
    """Draw the button that opens the list of the talks this person may see."""
    folded = st.popover(_("Talks"), icon=":material/history:", on_change="rerun", key="talks")
    if not folded.open:
        return
    talks = visit.studio.store.talks
    with folded:
        words = st.text_input(_("Search"), placeholder=_("words of a title or a message"), key="talks.words").strip()
        own, persona = visit.owner, visit.persona.id
        found = (
            [(one.conversation, one.excerpt) for one in talks.search(persona, words, owner=own, limit=_MOST)]
            if words
            else [(one, "") for one in talks.conversations(persona, owner=own, limit=_MOST)]
        )
        if not found:
            st.caption(_("There is no such talk.") if words else _("There was no talk yet."))
        for talk, excerpt in found:
            label = f"{plain(talk.title)} · {moment(talk.updated_at)}"
            if st.button(label, type="tertiary", key=f"open.{talk.id}"):
                CONVERSATION.set(talk.id)
                st.rerun()
            if excerpt:
                st.caption(plain(excerpt))


def talk_keeping(visit: Visit, talk: Conversation) -> None:
    """Draw the button behind which a talk is named, exported or deleted."""
    folded = st.popover(_("This talk"), icon=":material/folder_open:", on_change="rerun", key="talk")
    if not folded.open:
        return
    talks = visit.studio.store.talks
    with folded:
        key = f"title.{talk.id}"
        st.text_input(_("Name"), talk.title, max_chars=80, key=key, on_change=_rename, args=(visit, talk.id, key))
        st.caption(_("Keep it as"))
        with st.container(horizontal=True):
            _files(visit, talk)
        if st.button(_("Delete it"), icon=":material/delete:", type="tertiary", key=f"delete.{talk.id}"):
            with told_to_the_user():
                talks.remove(talk.id)
                CONVERSATION.clear()
                say_next(_("The talk is deleted."))


@careful
def _rename(visit: Visit, talk_id: str, key: str) -> None:
    if title := str(shown(key)).strip():
        visit.studio.store.talks.rename(talk_id, title)


def _files(visit: Visit, talk: Conversation) -> None:
    store, names = visit.studio.store, {Speaker.VISITOR: _("Visitor"), Speaker.PERSONA: visit.persona.name}
    messages = store.talks.messages(talk.id)
    told = makers(visit)

    def markdown() -> str:
        facts = {one.id: [told.told(one)] for one in messages if one.backend}
        return as_markdown(talk, messages, visit.persona, names=names, facts=facts, when=moment)

    def objects() -> str:
        return as_json(talk, messages, visit.persona, names=names, made=made_by(messages, store))

    kinds = {"md": (markdown, "Markdown", "text/markdown"), "json": (objects, "JSON", "application/json")}
    for suffix, (make, label, mime) in kinds.items():
        st.download_button(label, make, f"{talk.id}.{suffix}", mime, on_click="ignore", key=f"keep.{talk.id}.{suffix}")
    if not any(one.sound_sha256 for one in messages):
        return
    for kind in SoundKind:
        st.download_button(
            kind.upper(),
            lambda kind=kind: as_sound(messages, store.files, kind),  # type: ignore[misc]  # bound at once
            f"{talk.id}.{kind}",
            f"audio/{kind}",
            on_click="ignore",
            key=f"keep.{talk.id}.{kind}",
        )
