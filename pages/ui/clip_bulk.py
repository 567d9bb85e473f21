"""What can be done to many clips: those one ticks, those a rule objects to, or all; each button says to how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.domain.text import ReviewStatus
from core.domain.voice import Clip
from core.settings import stage_defaults
from core.stages.voice_dataset.complaints import RULES
from core.stages.voice_dataset.sound.effect_chain import EffectChain
from core.stages.voice_dataset.words.transcribing import ServedTranscription, TranscriptionSettings
from core.store.clips import ClipFilter
from pages.ui import clip_decisions as verbs
from pages.ui.clip_queues import begin_anew
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, duration, number
from pages.ui.run_panel import start_run
from pages.ui.settings_form import settings_form
from pages.ui.state import MANY_CLIPS

SOUND = "sound_effects"
WORDS = "transcription"
_ASKED_FIRST = ("backend", "model", "base_url", "language")


def for_many(visit: Visit) -> None:
    """Draw what is done to more than one clip: rejecting by rule, sound, words; and the switch to ticking rows."""
    _by_rule(visit)
    with st.popover(_("Sound of all"), icon=":material/graphic_eq:", key="clips-sound"):
        st.markdown(_("Every clip that is not rejected is rendered anew from its recording."))
        _sound(visit, (), key="all")
    with st.popover(_("Words"), icon=":material/hearing:", key="clips-words"):
        _transcribe(visit, ())
    many = MANY_CLIPS.get()
    st.button(
        _("One at a time") if many else _("Tick many"),
        icon=":material/check_box_outline_blank:" if many else ":material/checklist:",
        type="tertiary",
        key="clips-many",
        on_click=_switch,
        args=(not many,),
    )


def bulk_actions(visit: Visit, clips: Sequence[Clip]) -> None:
    """Draw what can be done to the ticked clips."""
    with st.container(border=True, key="clip-bulk"):
        if not clips:
            st.caption(_("Tick rows, with Shift a whole stretch."))
            return
        count = len(clips)
        seconds = duration(sum(clip.seconds for clip in clips))
        st.markdown(_n("**{count} clip** ticked", "**{count} clips** ticked", count) + f" · {seconds}")
        with st.container(horizontal=True, gap="xsmall"):
            for name, title, icon, shortcut, status in (
                ("accept", _("Accept these {count}"), "check", "A", ReviewStatus.ACCEPTED),
                ("reject", _("Reject these {count}"), "close", "X", ReviewStatus.REJECTED),
                ("pending", _("Review {count} anew"), "pending", None, ReviewStatus.PENDING),
            ):
                st.button(
                    title.format(count=number(count)),
                    icon=f":material/{icon}:",
                    shortcut=shortcut,
                    key=f"clips-bulk-{name}",
                    type="primary" if name == "accept" else "secondary",
                    on_click=verbs.change_many,
                    args=(visit, clips, {"status": status}),
                )
            st.button(
                _("Delete {count}").format(count=number(count)),
                icon=":material/delete:",
                key="clips-bulk-delete",
                on_click=verbs.delete_many,
                args=(visit, clips),
            )
        ids = tuple(clip.id for clip in clips)
        with st.expander(_("Sound"), icon=":material/graphic_eq:"):
            _sound(visit, ids, key="ticked")
        with st.expander(_("Words"), icon=":material/hearing:"):
            _transcribe(visit, ids)


def _by_rule(visit: Visit) -> None:
    store, persona = visit.studio.store, visit.persona.id
    with st.popover(_("Reject by rule"), icon=":material/rule:", key="clips-rules"):
        st.caption(_("Of what nobody has decided about yet. One undo takes it back."))
        nothing = True
        for rule in RULES.values():
            where = ClipFilter(persona, status=ReviewStatus.PENDING, complaint=rule.name)
            if count := store.clips.count(where):
                nothing = False
                st.button(
                    _("{rule}: reject {count}").format(rule=_(rule.title), count=number(count)),
                    type="tertiary",
                    key=f"clips-rule-{rule.name}",
                    on_click=verbs.change_all,
                    args=(visit, where, {"status": ReviewStatus.REJECTED}),
                )
        if nothing:
            st.markdown(_("No rule objects to anything that waits."))


def _sound(visit: Visit, clip_ids: Sequence[str], *, key: str) -> None:
    with st.form(f"sound.{key}", border=False):
        values = settings_form(EffectChain, EffectChain(), key=f"sound.{key}", omit={"noise"})
        asked = st.form_submit_button(_("Render them so"), type="primary", icon=":material/play_arrow:")
    if asked:
        start_run(visit, {"clip_ids": list(clip_ids), "effects": values}, kind=SOUND)


def _transcribe(visit: Visit, clip_ids: Sequence[str]) -> None:
    defaults = stage_defaults(WORDS, ServedTranscription).asking()
    st.caption(
        _("Whisper in this program, if it is installed, or any server that speaks the OpenAI protocol, writes them.")
    )
    values: Mapping[str, Any] = settings_form(
        TranscriptionSettings,
        defaults,
        key=f"words.{'ticked' if clip_ids else 'all'}",
        first=_ASKED_FIRST,
        omit={"clip_ids", "recording_id"},
    )
    label = _n("Write the words of {count} clip", "Write the words of {count} clips", len(clip_ids))
    if st.button(
        label if clip_ids else _("Write the words of all that have none"),
        type="primary",
        icon=":material/play_arrow:",
        key=f"words.go.{'ticked' if clip_ids else 'all'}",
    ):
        start_run(visit, {**values, "clip_ids": list(clip_ids)}, kind=WORDS)


def _switch(many: bool) -> None:
    MANY_CLIPS.set(many)
    begin_anew()
