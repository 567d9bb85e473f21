"""The live talk: messages with what made them, and a reply whose words and sound arrive together."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from core.domain.chat import Message, Speaker
from core.domain.identity import new_id
from core.domain.persona import Persona
from core.lifecycle import stage
from core.stages.chat.events import Done, ReplyEvent, SoundReady, TextDelta, TextDone, VoiceFailed
from core.translation import N_
from pages.ui.bubbles import data_uri
from pages.ui.errors import show_failure
from pages.ui.frame import Visit, entries, script
from pages.ui.i18n import _, number
from pages.ui.markup import plain
from pages.ui.player import play

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


def reply(visit: Visit, events: Iterator[ReplyEvent], turn: str) -> None:
    """Write her answer as it comes and play its sound as soon as there is some; then say what made it."""
    done: list[Message] = []
    with _bubble(visit.persona, Speaker.PERSONA):
        st.write_stream(_words(events, turn, done))
        for message in done:
            _footer(visit, message)


def _words(events: Iterator[ReplyEvent], turn: str, done: list[Message]) -> Iterator[str]:
    """Yield the words of a reply, play its sound beside them, and put the stored message into `done`."""
    speech = st.container(key=f"speech-{turn}", gap=None)
    with speech:
        play(turn, -1, b"")  # what is still heard of the last reply ends here
    waiting = st.empty()
    waiting.caption(_("thinking…"))
    for event in events:
        match event:
            case TextDelta():
                waiting.empty()
                yield plain(event.text)
            case SoundReady():
                with speech:
                    play(turn, event.sequence, event.sound.wav)
            case VoiceFailed():
                show_failure(event.error.message, event.error.remedy, event.error.values)
            case Done():
                done.append(event.message)
            case TextDone():
                pass  # sound may follow; the footer waits for the end


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


def _bubble(persona: Persona, speaker: Speaker) -> st.delta_generator.DeltaGenerator:
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
    chain = visit.studio.store.custody.of_message(message)
    if chain.utterance and chain.passage and chain.source:
        st.markdown(_("This is a line of the book:"))
        st.markdown(f"> {plain(chain.utterance.text)}")
        st.caption(
            _("{source}, chapter {chapter}, characters {start} to {end} of the file").format(
                source=chain.source.name,
                chapter=number(chain.utterance.chapter),
                start=number(chain.passage.start + chain.utterance.start),
                end=number(chain.passage.start + chain.utterance.end),
            )
        )
        st.page_link(
            script(stage("corpus")),
            label=_("Read it in its passage"),
            icon=":material/menu_book:",
            query_params={"passage": chain.passage.id, "line": chain.utterance.id},
        )
    if chain.model:
        st.markdown(
            _("Written by the model **{name}**, trained from {base}.").format(
                name=chain.model.name, base=chain.model.base
            )
        )
    if chain.run_id:
        st.page_link(
            script(entries()["runs"]),
            label=_("The run that trained it"),
            icon=":material/play_circle:",
            query_params={"run": chain.run_id},
        )
    if chain.dataset_version:
        st.page_link(
            script(stage("dataset")),
            label=_("The dataset version {name}").format(name=chain.dataset_version.name),
            icon=":material/dataset:",
            query_params={"part": "versions", "version": chain.dataset_version.id},
        )
    if chain.voice:
        st.markdown(
            _("Spoken by the voice **{name}**, {base}.").format(name=plain(chain.voice.name), base=chain.voice.base)
        )
        if chain.voice.run_id:
            st.page_link(
                script(entries()["runs"]),
                label=_("The run that trained the voice"),
                icon=":material/record_voice_over:",
                query_params={"run": chain.voice.run_id},
            )
    if not (chain.utterance or chain.model or chain.voice):
        st.caption(_("Nothing more is known about this reply."))
