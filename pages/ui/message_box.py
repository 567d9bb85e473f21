"""How a visitor says something: written, spoken into the same box, or as a short take recorded in the browser."""

from __future__ import annotations

import streamlit as st
from st_audiorec import st_audiorec
from streamlit.delta_generator import DeltaGenerator

from core.domain.sounds import seconds_of
from core.errors import StudioError
from core.stages.chat.settings import ChatSettings
from pages.ui.errors import show_failure
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.state import TAKE

_LONGEST_TAKE = 30
"""Seconds; a take travels as text, eight times its size, and the browser gives up on more."""


def message_box(visit: Visit, settings: ChatSettings, trouble: DeltaGenerator) -> str:
    """Draw the box at the bottom of the page and return what was said with it, empty for nothing.

    Why a spoken message could not be written down is said in `trouble`.
    """
    invitation = _("Write to {name}").format(name=visit.persona.name)
    if not settings.hear:
        return st.chat_input(invitation, max_chars=settings.max_characters) or ""
    given = st.chat_input(invitation, max_chars=settings.max_characters, accept_audio=True)
    if given is None:
        return ""
    with trouble:
        spoken = _heard(visit, given.audio.getvalue()) if given.audio else ""
    return "，".join(filter(None, (given.text.strip(), spoken)))


def short_take(visit: Visit, settings: ChatSettings) -> str:
    """Draw the button behind which one records a short take; return what was said in it, empty for nothing."""
    folded = st.popover(_("Microphone"), icon=":material/mic:", on_change="rerun", key="speak")
    if not folded.open:
        return ""
    with folded:
        if not settings.hear:
            st.caption(
                _(
                    "Nobody writes down speech here yet. Name a recogniser in configs/transcription.yaml (the folder "
                    "of a Whisper model, or a server that speaks the OpenAI protocol), then set hear: true in "
                    "configs/chat.yaml."
                )
            )
            return ""
        st.caption(
            _(
                "The microphone in the message box takes messages of any length. Where it does not work, record a "
                "short take here, of {seconds} seconds at most."
            ).format(seconds=_LONGEST_TAKE)
        )
        take = st_audiorec()
        if not take:
            return ""
        if not (seconds := seconds_of(take)):
            st.warning(
                _("The take is empty: the microphone gave no sound, or the take was too long. Record it again."),
                icon=":material/mic_off:",
            )
            return ""
        label = _("Send it ({seconds} s)").format(seconds=number(seconds, "#,##0.0"))
        if st.button(label, type="primary", icon=":material/send:", key=TAKE.key()):
            TAKE.renew()
            return _heard(visit, take)
    return ""


def _heard(visit: Visit, wav: bytes) -> str:
    try:
        visit.studio.chat.admit(visit.who)  # to listen costs as much as to answer
        with st.spinner(_("Listening…")):
            return visit.studio.chat.hear(wav, visit.persona)
    except StudioError as error:
        show_failure(error.message, error.remedy, error.values)
        return ""
