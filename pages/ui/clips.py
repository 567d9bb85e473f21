"""Clips of her voice: a row for each with what may be done to it, and the speech proposed for the next one."""

from __future__ import annotations

import streamlit as st

from core.domain.run import RunState
from core.domain.voice import Clip, Recording
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, duration, number
from pages.ui.run_panel import start_run

_LOOK_SECONDS = 120.0
"""As far as one run looks for speech."""


def show_clip(visit: Visit, clip: Clip) -> None:
    """Show a clip with its words and sound; let it be cleaned or deleted."""
    studio = visit.studio
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"clip-{clip.id}"):
        st.markdown(f"**{clip.text}**", width="stretch")
        st.caption(_("{seconds} s").format(seconds=number(clip.end - clip.start)), width="content")
        if clip.utterance_id:
            st.badge(_("a line of the book"), color="green", icon=":material/link:")
        if clip.effects:
            st.badge(_("noise taken out"), color="blue", icon=":material/noise_control_off:")
        st.audio(str(studio.store.files.path(clip.sha256)), width=260)
        if not clip.effects and st.button(
            _("Take the noise out"), icon=":material/noise_control_off:", type="tertiary", key=f"denoise.{clip.id}"
        ):
            start_run(visit, {"action": "denoise", "clip_id": clip.id})
        if st.button(_("Delete"), icon=":material/delete:", type="tertiary", key=f"delete.{clip.id}"):
            studio.store.voice.delete_clip(clip.id, who=visit.who)
            say_next(_("The clip was deleted; its recording stays."))


def proposed_stretch(visit: Visit, recording: Recording, seconds: float) -> tuple[float, float] | None:
    """Let speech be looked for in the recording; return the stretch the person chose from what was found."""
    found = _found_in(visit, recording)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button(_("Find speech"), icon=":material/troubleshoot:"):
            looked_at = {"start": 0.0, "end": min(seconds, _LOOK_SECONDS)}
            start_run(visit, {"action": "find_speech", "recording_id": recording.id, **looked_at})
        if not found:
            return None
        return st.selectbox(
            _("Speech found"),
            found,
            index=None,
            format_func=lambda one: f"{number(one[0])}–{number(one[1])} s · {duration(one[1] - one[0])}",
            placeholder=_("choose a stretch to cut"),
            width=320,
        )


def _found_in(visit: Visit, recording: Recording) -> list[tuple[float, float]]:
    """Return the stretches that the newest run found in this recording."""
    runs = visit.studio.store.runs.all(persona_id=visit.persona.id, kind="voice_dataset", states=[RunState.SUCCEEDED])
    newest = next((run for run in runs if run.result.get("recording_id") == recording.id), None)
    return [(one["start"], one["end"]) for one in newest.result["stretches"]] if newest else []
