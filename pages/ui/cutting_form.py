"""Where a recording would be cut: the choice of the way, a preview that follows each slider, and the run that cuts."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any, Final

import streamlit as st

from core.domain.voice import Recording
from core.settings import stage_defaults, validated
from core.stages.voice_dataset.planning import CuttingSettings, Plan, planned
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.effect_chain import EffectChain
from core.stages.voice_dataset.sound.slicing import Silence
from core.translation import N_
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, duration, number
from pages.ui.run_panel import start_run
from pages.ui.settings_form import settings_form

_WAYS: Final[Mapping[str, str]] = {
    "lines": N_("Her lines"),
    "subtitles": N_("Every subtitle"),
    "silence": N_("On silences"),
}
_FIRST: Final = ("longest", "shortest", "min_silence", "padding")


def cutting_form(visit: Visit, recording: Recording) -> Plan | None:
    """Draw the form; return what would be cut now, None while the form is folded away or nothing can be planned."""
    with_words = bool(recording.subtitles_sha256)
    folded = st.expander(
        _("Cut into clips"), icon=":material/content_cut:", key="cutting", on_change="rerun", expanded=False
    )
    if not folded.open:
        return None
    with folded:
        ways = [way for way in _WAYS if with_words or way == "silence"]
        way = st.segmented_control(
            _("Where to cut"),
            ways,
            default=ways[0],
            required=True,
            format_func=lambda one: _(_WAYS[one]),
            label_visibility="collapsed",
            key=f"cut.way.{recording.id}",
        )
        if not with_words:
            st.caption(_("With subtitles beside it, her lines of the book could be found in it."))
        values = _values(recording, way, with_words=with_words)
        plan = None
        with told_to_the_user():
            plan = _preview(visit, recording, values)
    return plan


def _values(recording: Recording, way: str, *, with_words: bool) -> dict[str, Any]:
    silence = settings_form(Silence, Silence(), key="cut.silence", first=_FIRST)
    values: dict[str, Any] = {"recording_id": recording.id, "by": way, "silence": silence}
    if with_words:
        values["clock_shift"] = st.number_input(
            _("Seconds the subtitles come too early"),
            min_value=-600.0,
            max_value=600.0,
            value=None,
            step=0.1,
            placeholder=_("find it"),
            key=f"cut.shift.{recording.id}",
            width=320,
        )
    with st.expander(_("Sound of the clips"), icon=":material/tune:"):
        values["effects"] = settings_form(EffectChain, EffectChain(), key="cut.effects", omit={"noise"})
    return values


def _preview(visit: Visit, recording: Recording, values: Mapping[str, Any]) -> Plan | None:
    settings = validated(CuttingSettings, {**values, "effects": {}}, "voice_dataset")
    with st.spinner(_("Looking where to cut"), show_time=True):
        plan = _planned(visit, recording, settings)
    with st.container(horizontal=True, vertical_alignment="center", key="cut-preview"):
        st.markdown(_told(plan), width="stretch")
        if st.button(
            _n("Cut {count} clip", "Cut {count} clips", len(plan.clips)),
            type="primary",
            icon=":material/content_cut:",
            key="cut",
            disabled=not plan.clips,
        ):
            start_run(visit, values)
    _clock(plan)
    return plan


@st.cache_data(
    ttl=60, max_entries=32, show_spinner=False, hash_funcs={CuttingSettings: CuttingSettings.model_dump_json}
)
def _planned(_visit: Visit, _recording: Recording, settings: CuttingSettings) -> Plan:
    """Return the plan, kept for a minute: finding lines of a novel takes seconds, and each click draws it again."""
    rules = stage_defaults("voice_dataset", VoiceDatasetSettings)
    return planned(settings, _recording, _visit.persona, rules=rules, store=_visit.studio.store)


def _told(plan: Plan) -> str:
    lengths = [one.end - one.start for one in plan.clips]
    if not lengths:
        return _("Nothing would be cut.")
    words = _n("**{count} clip**", "**{count} clips**", len(lengths))
    figures = _("{total} together; half of them up to {middle} s, the longest {longest} s").format(
        total=duration(sum(lengths)), middle=number(median(lengths), "0.0"), longest=number(max(lengths), "0.0")
    )
    spoken = sum(bool(one.text) for one in plan.clips)
    told = f"{words}: {figures}"
    return f"{told} · {_n('{count} with words', '{count} with words', spoken)}" if spoken else told


def _clock(plan: Plan) -> None:
    shift = plan.shift
    if shift is None:
        return
    if not shift.confidence or (not shift.seconds and shift.stretch == 1 and not shift.sure):
        st.caption(
            _("Whether the clock of the subtitles fits the sound cannot be told; listen, and set the seconds if not.")
        )
    elif shift.seconds or shift.stretch != 1:
        st.caption(
            _("The subtitles are moved by {seconds} s to fit the sound.").format(seconds=number(shift.seconds))
            + (f" × {number(shift.stretch, '0.0000')}" if shift.stretch != 1 else "")
        )
