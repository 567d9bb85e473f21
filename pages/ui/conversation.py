"""The live talk: messages with what made them, and a reply whose words and sound arrive together."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx

from core.domain.chat import Conversation, Message, Rating, Speaker
from core.domain.persona import Persona
from core.errors import NotFoundError, StudioError
from core.stages.chat.events import Done, SoundReady, TextDelta, TextDone, VoiceFailed
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
_GONE_SECONDS = 0.1
"""A script is ended a moment before it is known that its page is gone."""


@dataclass(frozen=True, slots=True)
class Told:
    """A talk as it is shown, with what is known beside its messages."""

    messages: Sequence[Message]
    """The end of the path shown: what is drawn, and one more where there is more."""
    forks: Mapping[str, Sequence[str]]
    """Message -> the ids of all its versions, where there are several."""
    ratings: Mapping[str, Sequence[Rating]]
    """Message -> what this person thinks of it."""


def open_talk(visit: Visit) -> Conversation | None:
    """Return the talk of the address bar; None for one that is gone, another persona's or not this person's to see."""
    if CONVERSATION.get():
        with suppress(NotFoundError):
            talk = visit.studio.store.talks.conversation(CONVERSATION.get())
            seen = talk.persona_id == visit.persona.id and visit.owner in (None, talk.owner)
            return talk if seen else None
    return None


def told(visit: Visit, talk: Conversation, *, reply: Reply | None) -> Told:
    """Read a talk: the path shown, or while a reply is under way what leads to the words it answers."""
    store = visit.studio.store
    last = _SHOWN + 1
    messages = store.talks.path(reply.said_id, last=last) if reply else store.talks.messages(talk.id, last=last)
    ratings = store.ratings.of_messages([one.id for one in messages[-_SHOWN:]], who=visit.who)
    return Told(messages, store.talks.forks(talk.id), ratings)


def history(visit: Visit, told: Told) -> None:
    """Show the last messages of a talk."""
    messages = told.messages
    if len(messages) > _SHOWN:
        st.caption(_("Earlier messages are kept and not shown."))
    names = makers(visit)
    for message in messages[-_SHOWN:]:
        _show(visit, message, told, names)


def show_words(visit: Visit, speaker: Speaker, text: str) -> None:
    """Show words that are not stored yet."""
    with _bubble(visit.persona, speaker):
        st.markdown(plain(text))


@contextmanager
def sending(visit: Visit, wish: Mapping[str, str], trouble: DeltaGenerator) -> Iterator[None]:
    """Say in `trouble` why something is not sent that is sent within; its words stand there, to be sent again."""
    try:
        yield
    except StudioError as error:
        with trouble:
            if wish:
                show_words(visit, Speaker.VISITOR, wish["words"])
            show_failure(error.message, error.remedy, error.values)
            if wish:
                st.button(
                    _("Send it again"), icon=":material/send:", on_click=SAID_INSTEAD.set, args=(json.dumps(wish),)
                )


@dataclass(frozen=True, slots=True)
class Stage:
    """Where her sound comes from, and the button that stops her."""

    button: DeltaGenerator
    speech: DeltaGenerator


def stage_for_sound(reply: Reply | None) -> Stage:
    """Draw the place her sound comes from, with the button that stops her, above the messages; return it.

    It is drawn on every run, so that what stands below keeps its place and is drawn over, not beside, what was there.
    """
    with st.container(key="speech-stage", gap=None):
        button = st.empty()
        with button.container(gap=None):
            stop_button("live" if reply else "idle", busy=reply is not None, pressed=reply.stop if reply else _nothing)
        return Stage(button, st.container(gap=None))


def follow(visit: Visit, reply: Reply, stage: Stage) -> None:
    """Write her answer as it comes and play its sound as soon as there is some; then say what made it.

    A page that is drawn anew meanwhile follows it again from the first word; what was heard is not heard twice.
    """
    with told_to_the_user(), _bubble(visit.persona, Speaker.PERSONA):
        try:
            message = _followed(reply, st.empty(), stage.speech)
        except StopException:  # Streamlit has a stop button of its own, in the corner; it means the same
            if not _page_is_gone():
                reply.stop()
            raise
        if message is not None:
            forks = visit.studio.store.talks.forks(message.conversation_id)
            footer(visit, message, makers(visit), rating=None, forks=forks)
    with stage.button.container(gap=None):
        stop_button("idle", busy=False, pressed=_nothing)


def _page_is_gone() -> bool:
    """Whether the page was closed or is loaded again: Streamlit ends its script in the same way as its stop button."""
    time.sleep(_GONE_SECONDS)
    here = get_script_run_ctx()
    return here is None or not get_instance().is_active_session(here.session_id)


def _followed(reply: Reply, place: DeltaGenerator, speech: DeltaGenerator) -> Message | None:
    """Draw the reply while it is made and return it as it is kept; None where nothing was said."""
    words, kept = "", None
    with speech:
        play(reply.id, -1, b"")  # what is still heard of the last reply ends here
    for event in chain([Pulse()], reply.follow()):
        match event:
            case TextDelta():
                words += event.text
                place.markdown(plain(words))
            case Pulse():
                # Also after the first word: only where it draws does Streamlit look whether that is still wanted.
                place.markdown(plain(words)) if words else place.caption(_("thinking…"))
            case SoundReady():
                with speech:
                    play(reply.id, event.sequence, event.sound.wav)
            case VoiceFailed():
                show_failure(event.error.message, event.error.remedy, event.error.values)
            case TextDone() | Done():
                kept = event.message
    return kept


def _nothing() -> None:
    """The sound ends in the browser, and nothing else is under way."""


def _show(visit: Visit, message: Message, told: Told, names: Makers) -> None:
    """Show one message; below a reply, what made it, what one can do with it and where it comes from."""
    with _bubble(visit.persona, message.speaker):
        if message.id == REWORDED.get():
            _reword(message)
            return
        if message.speaker is Speaker.VISITOR:
            _own_words(visit, message, told)
            return
        st.markdown(plain(message.text))
        if message.backend:
            rating = next(iter(told.ratings.get(message.id, ())), None)
            footer(visit, message, names, rating=rating, forks=told.forks)


def _own_words(visit: Visit, message: Message, told: Told) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"own-{message.id}"):
        st.markdown(plain(message.text))
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
