"""The servers that speak with trained voices: those of our own as runs, and those that somebody else keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import streamlit as st

from core.domain.run import RunState
from core.domain.training import ModelKind
from core.stages.voice_training.serving import ServerSettings
from core.translation import N_
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.run_panel import run_panel, start_run
from pages.ui.settings_form import settings_form

_SERVING: Final = "voice_server"
_STATES: Final[Mapping[str, tuple[str, Literal["green", "orange", "blue", "red"], str]]] = {
    "ready": (N_("ready"), "green", ":material/check:"),
    "busy": (N_("busy"), "orange", ":material/hourglass_top:"),
    "starting": (N_("starting"), "blue", ":material/pending:"),
    "warming up": (N_("warming up"), "blue", ":material/local_fire_department:"),
    "restarting": (N_("starting again"), "orange", ":material/restart_alt:"),
    "gone": (N_("does not answer"), "red", ":material/error:"),
}


def servers_room(visit: Visit) -> None:
    """Draw the servers, and the form that starts one."""
    runs = visit.studio.store.runs.all(persona_id=visit.persona.id, kind=_SERVING)
    live = [run for run in runs if not run.state.over]
    _list(visit)
    with st.expander(_("Start a server"), icon=":material/power:", expanded=not live, key=f"serve.{len(live)}"):
        _form(visit)
    for run in live or [run for run in runs[:1] if run.state is RunState.FAILED]:
        run_panel(visit, run.id)


@st.fragment(run_every=5.0)
def _list(visit: Visit) -> None:
    servers = visit.studio.voice_servers()
    if not servers:
        st.caption(_("No voice server runs: trained voices are silent until one does."))
    for one in servers:
        word, colour, symbol = _STATES[one.state]
        with st.container(
            horizontal=True, vertical_alignment="center", gap="small", key=f"server-{one.run_id or one.address}"
        ):
            st.markdown(f"`{one.address or '…'}`", width="content")
            st.badge(_(word), color=colour, icon=symbol)
            st.caption(_("a run of ours") if one.run_id else _("named in configs/app.yaml"), width="content")


def _form(visit: Visit) -> None:
    st.caption(
        _(
            "GPT-SoVITS's own api_v2, for this machine only. It is watched: when it ends or hangs it is started again. "
            "Any voice can speak by it; with the weights of one loaded beforehand the first words come sooner."
        )
    )
    voices = {one.id: one for one in visit.studio.store.models.all(visit.persona.id, ModelKind.VOICE)}
    chosen = st.selectbox(
        _("Voice"),
        ["", *voices],
        index=next((at for at, one in enumerate(voices.values(), 1) if one.in_use), min(1, len(voices))),
        format_func=lambda one: voices[one].name if one else _("none yet, the pretrained weights"),
        key="serve.voice",
    )
    usual = {} if visit.studio.execution.machine.gpus else {"device": "cpu", "precision": "float32"}
    omit = {"model_id", "version"} if chosen else {"model_id"}  # a voice brings its own version
    values = settings_form(ServerSettings, ServerSettings.model_validate(usual), key="serve", omit=omit)
    if st.button(_("Start"), type="primary", icon=":material/play_arrow:", key="serve.start"):
        start_run(visit, {**values, "model_id": chosen}, kind=_SERVING)
