"""The three ways a sound comes in: a file, the microphone, or a short take in the browser."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

import streamlit as st
from st_audiorec import st_audiorec

from pages.ui.i18n import _, number
from pages.ui.state import RECORDINGS


def incoming_sound(max_megabytes: int) -> tuple[BinaryIO, str] | None:
    """Let the person choose a way and give a sound; return it with its name once there is one."""
    ways = {"file": _("A file"), "microphone": _("The microphone"), "take": _("A short take")}
    way = st.segmented_control(
        _("From"),
        list(ways),
        default="file",
        required=True,
        format_func=lambda one: ways[one],
        label_visibility="collapsed",
    )
    if way == "take":
        return _take()
    if way == "microphone":
        spoken = st.audio_input(_("Speak"), sample_rate=44_100, key=f"{RECORDINGS.key()}.microphone")
        return (cast("BinaryIO", spoken), _("microphone.wav")) if spoken else None
    file = st.file_uploader(
        _("A sound file (WAV, FLAC, OGG, MP3), at most {limit} MB").format(limit=number(max_megabytes)),
        type=["wav", "flac", "ogg", "mp3"],
        key=RECORDINGS.key(),
    )
    return (cast("BinaryIO", file), file.name) if file else None


def _take() -> tuple[BinaryIO, str] | None:
    st.caption(_("For ten seconds at most; longer takes belong to the microphone."))
    take = st_audiorec()
    return (io.BytesIO(take), _("take.wav")) if take else None
