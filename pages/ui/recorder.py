"""The three ways a sound comes in: files, the microphone, or a short take in the browser."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO, Final, cast

import streamlit as st
from st_audiorec import st_audiorec

from core.domain.run import RunState
from core.domain.sounds import seconds_of
from core.stages.voice_dataset.recordings import SUFFIXES
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, _n, duration, number
from pages.ui.markup import plain
from pages.ui.run_panel import run_panel, show_folded
from pages.ui.state import IMPORTS, RECORDINGS

RECORDING: Final = "recording"
"""The kind of run that imports one."""
SUBTITLE_SUFFIXES: Final = ("srt", "ass", "ssa", "vtt", "tsv", "csv", "txt", "json")
_LONGEST_TAKE: Final = 30
"""Seconds; a take travels as text, eight times its size, and the browser gives up on more."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A sound on its way in, and the subtitles beside it."""

    sound: BinaryIO
    name: str
    subtitles: BinaryIO | None = None
    subtitles_name: str = ""


def recording_form(visit: Visit, *, unfolded: bool) -> None:
    """Let the person choose a way and give sounds; each becomes a recording, a take at the microphone also a clip."""
    ways = {"file": _("Files"), "microphone": _("The microphone"), "take": _("A short take")}
    folded = st.expander(
        _("Add a recording"), icon=":material/mic:", expanded=unfolded, key=f"add.{unfolded}", on_change="rerun"
    )
    if not folded.open:
        return
    with folded:
        way = st.segmented_control(
            _("From"),
            list(ways),
            default="file",
            required=True,
            format_func=lambda one: ways[one],
            label_visibility="collapsed",
        )
        if way == "file":
            _files(visit)
        else:
            _spoken(visit, short=way == "take")


def _files(visit: Visit) -> None:
    limit = visit.studio.settings.uploads.max_audio_mb
    with st.form("recordings", border=False):
        sounds, subtitles = st.columns(2)
        files = sounds.file_uploader(
            _("Sound or video, at most {limit} MB each").format(limit=number(limit)),
            type=list(SUFFIXES),
            max_upload_size=limit,
            accept_multiple_files=True,
            key=RECORDINGS.key(),
            help=_("WAV, FLAC, MP3, M4A, OGG, MP4, MKV; told by their content. The file is kept as it is."),
        )
        texts = subtitles.file_uploader(
            _("Their subtitles, if there are any"),
            type=list(SUBTITLE_SUFFIXES),
            accept_multiple_files=True,
            key=f"{RECORDINGS.key()}.subtitles",
            help=_("SRT, ASS, VTT, or a transcript with times. Each goes with the file of the same name."),
        )
        asked = st.form_submit_button(_("Import"), type="primary", icon=":material/upload:")
    if asked and not files:
        st.warning(_("Choose one or more files first."), icon=":material/upload_file:")
    elif asked:
        beside = {PurePath(one.name).stem: one for one in texts}
        only = texts[0] if len(texts) == len(files) == 1 else None
        incoming = []
        for file in files:
            words = only or beside.get(PurePath(file.name).stem)
            incoming.append(
                Incoming(cast("BinaryIO", file), file.name, cast("BinaryIO | None", words), words.name if words else "")
            )
        _import(visit, incoming)


def _spoken(visit: Visit, *, short: bool) -> None:
    if short:
        st.caption(
            _("For {seconds} seconds at most; longer takes belong to the microphone.").format(seconds=_LONGEST_TAKE)
        )
        take = st_audiorec()
        sound = io.BytesIO(take) if take else None
        name = _("take.wav")
    else:
        sound = st.audio_input(_("Speak"), sample_rate=44_100, key=f"{RECORDINGS.key()}.microphone")
        name = _("microphone.wav")
    if sound is None:
        return
    if not (seconds := seconds_of(sound.getvalue())):
        st.warning(
            _("The take is empty: the microphone gave no sound, or the take was too long. Record it again."),
            icon=":material/mic_off:",
        )
        return
    words = st.text_input(
        _("Words spoken"),
        placeholder=_("exactly as they are heard; empty to write them later"),
        key=f"{RECORDINGS.key()}.words",
    )
    if st.button(
        _("Keep it as a clip ({seconds} s)").format(seconds=number(seconds, "#,##0.0")),
        type="primary",
        icon=":material/save:",
    ):
        _import(visit, [Incoming(cast("BinaryIO", sound), name)], as_clip=True, text=words.strip())


def _import(visit: Visit, incoming: list[Incoming], **more: object) -> None:
    """Queue a run for each sound; one that is refused at the door does not keep the others out."""
    started: list[str] = []
    for one in incoming:
        with told_to_the_user():
            wanted = visit.studio.receive_recording(one.sound, one.name, one.subtitles, one.subtitles_name)
            run = visit.studio.jobs.submit(RECORDING, visit.persona.id, {**wanted, **more}, who=visit.who)
            started.append(run.id)
    if len(started) == len(incoming):
        RECORDINGS.renew()
    if started:
        IMPORTS.set("\n".join(started))
        if len(started) == len(incoming):
            say_next(_n("{count} recording is coming in.", "{count} recordings are coming in.", len(started)))


def imports(visit: Visit) -> None:
    """Show the imports that were started last; those that succeeded are folded away."""
    newest = visit.studio.store.runs.all(persona_id=visit.persona.id, kind=RECORDING, limit=1)
    ids = IMPORTS.get().splitlines() or [run.id for run in newest if run.state is not RunState.SUCCEEDED]
    for run_id in ids:
        run = visit.studio.store.runs.get(run_id)
        if run.state is not RunState.SUCCEEDED:
            run_panel(visit, run_id)
            continue
        if run.result.get("truncated"):
            st.warning(
                _("Part of the file is missing or damaged: it was cut off, or does not decode throughout."),
                icon=":material/content_cut:",
            )
        name, length = plain(str(run.result["name"])), duration(float(run.result["seconds"]))
        show_folded(visit, run_id, _("{name} is kept, {time} long.").format(name=name, time=length))
