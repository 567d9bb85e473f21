"""The live talk: messages with what made them, and a reply whose words and sound arrive together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.chat import Message, Speaker
from core.domain.identity import new_id
from core.domain.persona import Persona
from core.lifecycle import stage
from core.stages.chat.events import Done, ReplyEvent, SoundReady, TextDelta, TextDone, VoiceFailed
from core.stages.chat.live import Pulse, Reply
from core.translation import N_
from pages.ui.bubbles import data_uri
from pages.ui.errors import show_failure, told_to_the_user
from pages.ui.frame import Visit, entries, script
from pages.ui.i18n import _, number
from pages.ui.markup import plain
from pages.ui.player import play, stop_button

VOICE_NAMES = {
    "formant": N_("placeholder voice"),
    "openai": N_("a speech server's voice"),
    "clip": N_("her own recording"),
    "": N_("silent"),
}
MODEL_NAMES = {
    "retrieval": N_("her own lines"),
}
_SHOWN = 40
"""Messages drawn at once; a talk may be long."""


def history(visit: Visit, messages: list[Message]) -> None:
    """Show the last messages of a talk."""
    if len(messages) > _SHOWN:
        st.caption(_("Earlier messages are kept and not shown."))
    for message in messages[-_SHOWN:]:
        show_message(visit, message)


def show_message(visit: Visit, message: Message) -> None:
    """Show one message; below a reply, what made it, its sound and where it comes from."""
    with _bubble(visit.persona, message.speaker):
        st.markdown(plain(message.text))
        if message.backend:
            _footer(visit, message)


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
            _footer(visit, message)
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


def voice_name(visit: Visit, voice: str) -> str:
    """Return what people call a voice: a backend of its own, or a trained one by its id."""
    return _(VOICE_NAMES[voice]) if voice in VOICE_NAMES else _registered(visit, voice)


def model_name(visit: Visit, message: Message) -> str:
    """Return what people call the model behind a reply."""
    if message.model_id:
        return _registered(visit, message.model_id)
    return _(MODEL_NAMES.get(message.backend or "", message.backend or ""))


def _registered(visit: Visit, model_id: str) -> str:
    names = {model.id: model.name for model in visit.studio.store.models.all(visit.persona.id, removed=True)}
    return names.get(model_id, model_id)


def _bubble(persona: Persona, speaker: Speaker) -> DeltaGenerator:
    if speaker is Speaker.VISITOR:
        return st.chat_message("user", avatar=":material/person:")
    return st.chat_message(persona.name, avatar=data_uri(persona.portrait) if persona.portrait else None)


def _footer(visit: Visit, message: Message) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"footer-{message.id}"):
        st.caption(" · ".join(_made_by(visit, message)), width="content")
        if message.sound_sha256 and st.button(
            _("Hear it again"), icon=":material/volume_up:", type="tertiary", key=f"hear.{message.id}"
        ):
            with st.container(key=f"speech-again-{message.id}", gap=None):
                play(new_id("again"), 0, visit.studio.store.files.read(message.sound_sha256))
        if st.button(_("Why this?"), icon=":material/link:", type="tertiary", key=f"why.{message.id}"):
            st.dialog(_("Where this reply comes from"))(_chain)(visit, message)


def _made_by(visit: Visit, message: Message) -> list[str]:
    told = [model_name(visit, message)]
    if message.voice:
        told.append(voice_name(visit, message.voice))
    for name, words in (
        ("first_word", _("first word {seconds} s")),
        ("first_audio", _("first sound {seconds} s")),
    ):
        if (seconds := message.timings.get(name)) is not None:
            told.append(words.format(seconds=number(seconds, "0.00")))
    return told


def _chain(visit: Visit, message: Message) -> None:
    custody = visit.studio.store.custody.of_message(message)
    if custody.utterance and custody.passage and custody.source:
        st.markdown(_("This is a line of the book:"))
        st.markdown(f"> {plain(custody.utterance.text)}")
        st.caption(
            _("{source}, chapter {chapter}, characters {start} to {end} of the file").format(
                source=custody.source.name,
                chapter=number(custody.utterance.chapter),
                start=number(custody.passage.start + custody.utterance.start),
                end=number(custody.passage.start + custody.utterance.end),
            )
        )
        st.page_link(
            script(stage("corpus")),
            label=_("Read it in its passage"),
            icon=":material/menu_book:",
            query_params={"passage": custody.passage.id, "line": custody.utterance.id},
        )
    if custody.model:
        st.markdown(
            _("Written by the model **{name}**, trained from {base}.").format(
                name=custody.model.name, base=custody.model.base
            )
        )
    if custody.run_id:
        st.page_link(
            script(entries()["runs"]),
            label=_("The run that trained it"),
            icon=":material/play_circle:",
            query_params={"run": custody.run_id},
        )
    if custody.dataset_version:
        st.page_link(
            script(stage("dataset")),
            label=_("The dataset version {name}").format(name=custody.dataset_version.name),
            icon=":material/dataset:",
            query_params={"part": "versions", "version": custody.dataset_version.id},
        )
    if custody.voice:
        st.markdown(
            _("Spoken by the voice **{name}**, {base}.").format(name=plain(custody.voice.name), base=custody.voice.base)
        )
        if custody.voice.run_id:
            st.page_link(
                script(entries()["runs"]),
                label=_("The run that trained the voice"),
                icon=":material/record_voice_over:",
                query_params={"run": custody.voice.run_id},
            )
    if not (custody.utterance or custody.model or custody.voice):
        st.caption(_("Nothing more is known about this reply."))
