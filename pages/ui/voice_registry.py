"""The voices: what each is made of, how it came out, which one speaks in the chat; try, export, bring in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st

from core.domain.run import Run, RunState
from core.domain.training import Model, ModelKind
from core.domain.voice_training import VoiceCard
from pages.ui.decisions import tell
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, moment, number, size_of
from pages.ui.markup import plain
from pages.ui.model_actions import Using, naming, run_link, using
from pages.ui.run_panel import run_panel, stage_run, start_run
from pages.ui.state import Generation
from pages.ui.voice_choice import MEASURES
from pages.ui.voice_pairs import called

_EXPORTING: Final = "voice_export"
_IMPORTING: Final = "voice_import"
_TRIED: Final = "竹子底下凉，你且进来坐坐。"
"""What stands in the box to begin with; voices speak the language they were trained on."""
_MOST_DOWNLOADED: Final = 1_000_000_000
"""Bytes of the largest zip that is handed out here; Streamlit keeps it in memory."""
_UPLOADS: Final = Generation("voices.uploads")
_MENUS: Final = Generation("voices.menus")
"""Raised when a menu has done its work and is to close."""


def voices_room(visit: Visit) -> None:
    """Draw the registry of this persona's voices."""
    tell()
    voices = visit.studio.store.models.all(visit.persona.id, ModelKind.VOICE)
    if not voices:
        st.caption(_("There is no voice yet: train one, or bring one in that was exported."))
    elif not any(voice.in_use for voice in voices):
        st.caption(_("None of them speaks in the chat: her recorded clips and the built-in voice do."))
    exports = visit.studio.store.runs.all(persona_id=visit.persona.id, kind=_EXPORTING)
    served = any(one.state == "ready" for one in visit.studio.voice_servers())
    for voice in voices:
        with st.container(border=True, key=f"voice-{voice.id}"):
            mine = [run for run in exports if run.settings.get("model_id") == voice.id]
            _card(visit, voice, mine, served=served)
    _bring_in(visit, folded=bool(voices))


def _card(visit: Visit, voice: Model, exports: Sequence[Run], *, served: bool) -> None:
    card = VoiceCard.model_validate(voice.manifest["card"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"voice-head-{voice.id}"):
        st.markdown(f"#### {plain(voice.name)}", width="content")
        if voice.in_use:
            st.badge(_("speaks in the chat"), color="green", icon=":material/check:")
    _origin(voice, card)
    if told := _scores(card.scores):
        st.markdown(told)
    if voice.note:
        st.markdown(plain(voice.note))
    left, right = st.columns(2)
    with left:
        _reference(visit, voice, card)
    with right:
        _try(visit, voice, served=served)
    _actions(visit, voice, card, exports)
    _under_way(visit, exports)


def _origin(voice: Model, card: VoiceCard) -> None:
    told = [f"GPT-SoVITS {card.version}"]
    if card.sovits_epoch is not None and card.gpt_epoch is not None:
        told.append(called(card.sovits_epoch, card.gpt_epoch))
    told += [size_of(card.gpt.bytes + card.sovits.bytes + card.reference.bytes), moment(voice.created_at)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"voice-origin-{voice.id}"):
        st.caption(" · ".join(told), width="content")
        run_link(voice)


def _scores(scores: Mapping[str, float | None]) -> str:
    told = [
        f"{_(title)} **{number(value, pattern)}**"
        for name, (title, pattern) in MEASURES.items()
        if (value := scores.get(name)) is not None
    ]
    return " · ".join(told)


def _reference(visit: Visit, voice: Model, card: VoiceCard) -> None:
    st.caption(_("Reference: {words}").format(words=plain(card.reference_text) or "—"))
    file = visit.studio.settings.workspace / voice.folder / card.reference.name
    if file.is_file():
        st.audio(file.read_bytes(), format="audio/wav")
    else:
        st.caption(_("Its sound is not there any more."))


def _try(visit: Visit, voice: Model, *, served: bool) -> None:
    with st.form(f"try.{voice.id}", border=False), told_to_the_user():
        words = st.text_input(_("Let it say something"), _TRIED, max_chars=200, key=f"try.words.{voice.id}")
        if st.form_submit_button(_("Speak"), icon=":material/play_arrow:"):
            with st.spinner(_("It speaks"), show_time=True):
                sound = visit.studio.chat.say(voice.id, words)
            st.audio(sound.wav, format="audio/wav", autoplay=True)
    if not served:
        st.caption(_("No voice server runs. Start one in the part “Server”."))


def _actions(visit: Visit, voice: Model, card: VoiceCard, exports: Sequence[Run]) -> None:
    newest = exports[0].id if exports else ""  # in the keys: a menu that started a run has done its work and closes
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"voice-actions-{voice.id}"):
        using(visit, voice, _in_the_chat(voice))
        naming(visit, voice)
        with st.popover(
            _("Export"), icon=":material/outbox:", type="tertiary", key=f"voice-export-{voice.id}-{newest}"
        ):
            st.caption(_("One zip with the weights, the reference and the card; it can be brought in anywhere."))
            if st.button(_("Export it"), type="primary", icon=":material/outbox:", key=f"export.{voice.id}"):
                start_run(visit, {"model_id": voice.id}, kind=_EXPORTING)
        with st.popover(
            _("More…"), icon=":material/more_horiz:", type="tertiary", key=f"voice-more-{voice.id}-{_MENUS.key()}"
        ):
            st.markdown(f"**{_('Card')}**")
            st.json(card.model_dump(mode="json"), expanded=False)
            if st.button(_("Remove…"), icon=":material/delete:", key=f"remove.{voice.id}", on_click=_MENUS.renew):
                st.dialog(_("Remove this voice?"))(_removal)(visit, voice)


def _removal(visit: Visit, voice: Model) -> None:
    st.markdown(f"**{plain(voice.name)}**")
    st.markdown(
        _("Its files go for good.")
        + " "
        + _("Talks and scorecards still name it, and its exports stay.")
        + " "
        + _("The weights of its training stay, so that it can be made again.")
    )
    if st.button(_("Remove it"), type="primary", icon=":material/delete:", key=f"removal.{voice.id}"):
        with told_to_the_user():
            visit.studio.remove_voice(voice.id, who=visit.who)
            say_next(_("{name} is removed.").format(name=voice.name))


def _under_way(visit: Visit, exports: Sequence[Run]) -> None:
    if not exports:
        return
    newest = exports[0]
    if newest.state is not RunState.SUCCEEDED:
        run_panel(visit, newest.id)
        return
    file = visit.studio.settings.workspace / newest.result["file"]
    if file.is_file():
        _exported(file, newest.result)


def _exported(file: Path, result: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"exported-{file.name}"):
        st.caption(_("Exported, {size}, as").format(size=size_of(result["bytes"])), width="content")
        st.code(str(file), language=None, wrap_lines=True, width="content")
        if result["bytes"] > _MOST_DOWNLOADED:
            return
        st.download_button(
            _("Download"),
            file.read_bytes,
            file_name=file.name,
            mime="application/zip",
            icon=":material/folder_zip:",
            type="tertiary",
            on_click="ignore",
            key=f"zip.{file.name}",
        )


def _bring_in(visit: Visit, *, folded: bool) -> None:
    with st.expander(_("Bring a voice in"), icon=":material/upload_file:", expanded=not folded):
        st.caption(
            _(
                "A zip that was exported here or in another workspace. Its weights are looked through before they are "
                "taken: what would run program code of its own is refused."
            )
        )
        given = st.file_uploader(_("Zip"), type="zip", key=_UPLOADS.key())
        if given and st.button(_("Bring it in"), type="primary", icon=":material/upload_file:", key="voice.import"):
            with told_to_the_user():
                received = visit.studio.receive_voice(given, given.name)
                _UPLOADS.renew()
                start_run(visit, received, kind=_IMPORTING)
        stage_run(visit, kind=_IMPORTING)


def _in_the_chat(voice: Model) -> Using:
    return Using(
        _("Speak with this one"),
        ":material/record_voice_over:",
        _("{name} speaks in the chat now.").format(name=voice.name),
        _("Her clips and the built-in voice speak in the chat now."),
    )
