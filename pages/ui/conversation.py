"""The live talk: messages with what made them, and a reply whose words and sound arrive together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.chat import Conversation, Message, Rating, Speaker
from core.domain.persona import Persona
from core.errors import NotFoundError
from core.stages.chat.events import Done, ReplyEvent, SoundReady, TextDelta, TextDone, VoiceFailed
from core.stages.chat.live import Pulse, Reply
from pages.ui.bubbles import data_uri
from pages.ui.errors import show_failure, told_to_the_user
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.makers import Makers, makers
from pages.ui.markup import plain
from pages.ui.player import play, stop_button
from pages.ui.reply_footer import footer, versions
from pages.ui.state import CONVERSATION, REWORDED, SAID_INSTEAD

_SHOWN = 40
"""Messages drawn at once; a talk may be long."""


@dataclass(frozen=True, slots=True)
class Told:
    """A talk as it is shown, with what is known beside its messages."""

    talk: Conversation
    messages: Sequence[Message]
    """The path shown, from the first message on."""
    forks: Mapping[str, Sequence[str]]
    """Message -> the ids of all its versions, where there are several."""
    ratings: Mapping[str, Sequence[Rating]]
    """Message -> what this person thinks of it."""


def open_talk(visit: Visit) -> Conversation | None:
    """Return the talk of the address bar; None for one that is gone or another persona's."""
    if CONVERSATION.get():
        with suppress(NotFoundError):
            talk = visit.studio.store.talks.conversation(CONVERSATION.get())
            return talk if talk.persona_id == visit.persona.id else None
    return None


def told(visit: Visit, talk: Conversation) -> Told:
    """Read a talk."""
    store = visit.studio.store
    messages = store.talks.messages(talk.id)
    ratings = store.ratings.of_messages([one.id for one in messages[-_SHOWN:]], who=visit.who)
    return Told(talk, messages, store.talks.forks(talk.id), ratings)


def history(visit: Visit, told: Told, *, reply: Reply | None) -> None:
    """Show the last messages of a talk, but for her words that a reply under way has kept already."""
    messages = told.messages
    if reply is not None and messages and messages[-1].speaker is Speaker.PERSONA:
        messages = messages[:-1]
    if len(messages) > _SHOWN:
        st.caption(_("Earlier messages are kept and not shown."))
    names = makers(visit)
    for message in messages[-_SHOWN:]:
        _show(visit, message, told, names)


def show_words(visit: Visit, speaker: Speaker, text: str) -> None:
    """Show words that are not stored yet."""
    with _bubble(visit.persona, speaker):
        st.markdown(plain(text))


def follow(visit: Visit, reply: Reply) -> None:
    """Write her answer as it comes and play its sound as soon as there is some; then say what made it.

    A page that is drawn anew meanwhile follows it again from the first word; what was heard is not heard twice.
    """
    stop = st.empty()
    with stop.container(key=f"speech-stop-{reply.id}", gap=None):
        stop_button(reply.id, busy=True, pressed=reply.stop)
    done: list[Message] = []
    with told_to_the_user(), _bubble(visit.persona, Speaker.PERSONA):
        st.write_stream(_words(reply, done))
        for message in done:
            forks = visit.studio.store.talks.forks(message.conversation_id)
            footer(visit, message, makers(visit), rating=None, forks=forks)
    with stop.container(key=f"speech-over-{reply.id}", gap=None):
        stop_button(reply.id, busy=False, pressed=reply.stop)


def _words(reply: Reply, done: list[Message]) -> Iterator[str]:
    """Yield the words of a reply, play its sound beside them, and put the stored message into `done`."""
    speech = st.container(key=f"speech-{reply.id}", gap=None)
    with speech:
        play(reply.id, -1, b"")  # what is still heard of the last reply ends here
    waiting, begun = st.empty(), False
    for event in chain([Pulse()], reply.follow()):
        match event:
            case TextDelta():
                if not begun:
                    waiting.empty()
                begun = True
                yield plain(event.text)
            case Pulse():
                # Also after the first word: only where it draws does Streamlit look whether that is still wanted.
                waiting.caption("" if begun else _("thinking…"))
            case _:
                _beside(event, reply, speech, done)


def _beside(event: ReplyEvent, reply: Reply, speech: DeltaGenerator, done: list[Message]) -> None:
    """Do what an event asks for beside the words; after the last of them sound may follow, so the footer waits."""
    match event:
        case SoundReady():
            with speech:
                play(reply.id, event.sequence, event.sound.wav)
        case VoiceFailed():
            show_failure(event.error.message, event.error.remedy, event.error.values)
        case Done():
            done.append(event.message)
        case TextDelta() | TextDone():
            pass  # the words are written elsewhere


def _show(visit: Visit, message: Message, told: Told, names: Makers) -> None:
    """Show one message; below a reply, what made it, what one can do with it and where it comes from."""
    with _bubble(visit.persona, message.speaker):
        if message.id == REWORDED.get():
            _reword(message)
            return
        st.markdown(plain(message.text))
        if message.backend:
            rating = next(iter(told.ratings.get(message.id, ())), None)
            footer(visit, message, names, rating=rating, forks=told.forks)
        elif message.speaker is Speaker.VISITOR:
            _own_footer(visit, message, told)


def _own_footer(visit: Visit, message: Message, told: Told) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"footer-{message.id}"):
        versions(visit, message, told.forks)
        st.button(
            "",
            icon=":material/edit:",
            help=_("Say it otherwise"),
            type="tertiary",
            key=f"reword.{message.id}",
            on_click=REWORDED.set,
            args=(message.id,),
        )


def _reword(message: Message) -> None:
    with st.form(f"reword-{message.id}", border=False):
        words = st.text_area(_("Your words"), message.text, label_visibility="collapsed")
        with st.container(horizontal=True):
            sent = st.form_submit_button(_("Send"), type="primary", icon=":material/send:")
            left = st.form_submit_button(_("Cancel"))
    if sent and words.strip():
        SAID_INSTEAD.set(json.dumps({"message": message.id, "words": words}))
    if sent or left:
        REWORDED.clear()
        st.rerun()


def _bubble(persona: Persona, speaker: Speaker) -> DeltaGenerator:
    if speaker is Speaker.VISITOR:
        return st.chat_message("user", avatar=":material/person:")
    return st.chat_message(persona.name, avatar=data_uri(persona.portrait) if persona.portrait else None)
