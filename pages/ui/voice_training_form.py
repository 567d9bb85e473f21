"""The training of a voice: which clips, which model, how long; what stands in its way is said before it starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from core.domain.voice import ClipSet
from core.services import Services
from core.stages.voice_training.preflight import VoicePreflight
from core.stages.voice_training.settings import PRESETS
from core.translation import N_
from pages.ui.errors import told_to_the_user
from pages.ui.findings import show_findings
from pages.ui.frame import Visit, empty
from pages.ui.i18n import _, duration, number, size_of
from pages.ui.run_panel import begun, stage_run, start_run
from pages.ui.settings_form import Section, stage_form

_FRESH: Final = 20
"""Seconds a check is shown again without being made anew; what is free changes."""
_PRESETS: Final[Mapping[str, str]] = {
    "v2pro-gpu": N_(
        "What GPT-SoVITS's own page begins with: the model v2Pro, which keeps close to the speaker, on one GPU. "
        "A few minutes of clean clips are enough."
    ),
    "v2-cpu": N_(
        "The lightest model on the processor, with short stages. It shows the whole path without a GPU, in about "
        "twenty minutes for a handful of clips on two quiet cores; do not expect her voice of it."
    ),
}
"""What each preset is, needs and takes; a preset of one's own speaks by its name."""


def voice_training_room(visit: Visit) -> None:
    """Draw the form and the run it starts."""
    sets = {one.id: one for one in visit.studio.store.clip_sets.sets(visit.persona.id)}
    if not sets:
        empty(
            _("There is no frozen set of clips to train on yet."),
            icon="graphic_eq",
            link="voice_dataset",
            label=_("Freeze a set of clips"),
        )
        return
    fresh = not begun(visit)
    folded = st.expander(
        _("Train a voice"), icon=":material/record_voice_over:", expanded=fresh, key=f"voice.{fresh}", on_change="rerun"
    )
    if folded.open:
        with folded:
            _form(visit, sets)
    stage_run(visit, folded=False)


@st.fragment
def _form(visit: Visit, sets: Mapping[str, ClipSet]) -> None:
    left, right = st.columns(2)
    with left:
        preset = st.selectbox(
            _("Preset"), PRESETS, help=_("Where the settings below start from; a file in configs/voice_training.")
        )
    with right:
        chosen = st.selectbox(
            _("Clip set"),
            list(sets),
            format_func=lambda one: f"{sets[one].name} · {number(sets[one].clips)} · {duration(sets[one].seconds)}",
        )
    if preset in _PRESETS:
        st.caption(_(_PRESETS[preset]))
    values = stage_form(
        visit.studio,
        "voice_training",
        preset=preset,
        first=("name", "version", "device", "precision"),
        omit={"preset", "clip_set_id"},
        sections=[
            Section("sovits", _("SoVITS stage"), _("Learns the sound of the voice."), ":material/graphic_eq:"),
            Section(
                "gpt", _("GPT stage"), _("Learns how she speaks: pace, stress, pauses."), ":material/speech_to_text:"
            ),
        ],
    )
    wanted = {**values, "preset": preset, "clip_set_id": chosen}
    with told_to_the_user():
        found = _checked_for(visit, wanted)
        show_findings(found.findings)
        _needs(found)
        if st.button(
            _("Start"), type="primary", icon=":material/play_arrow:", disabled=bool(found.blocking), key="voice.start"
        ):
            start_run(visit, wanted)


def _needs(found: VoicePreflight) -> None:
    """Say in a line or two what the training will work on and what it takes."""
    told = [
        _("{clips} clips, {time} of sound; {held_out} clips are kept back to compare the voices with.").format(
            clips=number(found.clips), time=duration(found.seconds), held_out=number(found.held_out)
        ),
        _("Disk: about {needed}; {free} are free.").format(
            needed=size_of(found.disk_needed), free=size_of(found.disk_free)
        ),
    ]
    if found.hours is not None:
        told.append(_("On a processor it takes roughly {time}.").format(time=duration(found.hours * 3600)))
    with st.container(border=True, key="voice-needs"):
        st.caption("  \n".join(told))


def _checked_for(visit: Visit, settings: Mapping[str, Any]) -> VoicePreflight:
    asked = json.dumps(dict(settings), sort_keys=True, default=list)
    with st.spinner(_("Looking at the checkout and the clips"), show_time=True):
        return _checked(visit.studio, str(visit.studio.settings.workspace), visit.persona.id, asked)


@st.cache_data(ttl=_FRESH, show_spinner=False, max_entries=50)
def _checked(_studio: Services, workspace: str, persona_id: str, settings: str) -> VoicePreflight:
    return _studio.check_voice_training(persona_id, json.loads(settings))
