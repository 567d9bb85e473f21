"""One clip: heard, seen, read and decided about."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Recording, Reference, TextOrigin
from core.errors import NotFoundError
from core.lifecycle import stage
from core.stages.voice_dataset.complaints import RULES, complaints_of
from core.stages.voice_dataset.judging import told_by
from core.stages.voice_dataset.sound.waveform import envelope_of
from core.translation import N_
from pages.ui import clip_decisions as verbs
from pages.ui.clip_forms import ends_form, sound_form
from pages.ui.clip_queues import ClipQueue
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, script
from pages.ui.i18n import _, filled, number
from pages.ui.labels import STATUS_LOOKS, review_status
from pages.ui.markup import plain
from pages.ui.state import CLIP_PLAYS, CLIP_TASK, CLIP_WAY, shown
from pages.ui.waveform import small

_ORIGINS: Mapping[TextOrigin, str] = {
    TextOrigin.NONE: N_("nobody has said yet what is spoken"),
    TextOrigin.HAND: N_("written by hand"),
    TextOrigin.SUBTITLES: N_("from the subtitles"),
    TextOrigin.BOOK: N_("from the book"),
    TextOrigin.ASR: N_("heard by speech recognition"),
}


def focus(visit: Visit, queue: ClipQueue, clip: Clip, recordings: Mapping[str, Recording]) -> None:
    """Draw the clip one looks at."""
    with st.container(key="clip-panel"), told_to_the_user():
        _headline(clip, recordings.get(clip.recording_id))
        _heard(visit, clip)
        _deciding(visit, queue, clip)
        _words(visit, queue, clip)
        _objections(clip)
        _tools(visit, queue, clip)
        if CLIP_TASK.get() == "ends":
            ends_form(visit, clip)
        elif CLIP_TASK.get() == "sound":
            sound_form(visit, clip)


def _headline(clip: Clip, recording: Recording | None) -> None:
    colour, symbol = STATUS_LOOKS[clip.status]
    measures = clip.measures
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="clip-headline"):
        st.badge(review_status(clip.status), color=colour, icon=symbol)
        figures = [_("{seconds} s").format(seconds=number(clip.seconds, "0.00"))]
        if measures and measures.loudness is not None:
            figures.append(f"{number(measures.loudness, '0.0')} LUFS")
        if measures and measures.snr_db is not None:
            figures.append(_("{snr} dB over noise").format(snr=number(measures.snr_db, "0")))
        st.caption(" · ".join(figures), width="content")
        if clip.reference is not Reference.OPEN:
            chosen = clip.reference is Reference.CHOSEN
            st.badge(_("reference") if chosen else _("no reference"), color="blue" if chosen else "gray")
    if recording:
        place = _("{name}, {start} to {end} s").format(
            name=plain(recording.name), start=number(clip.start, "0.00"), end=number(clip.end, "0.00")
        )
        st.caption(place)


def _heard(visit: Visit, clip: Clip) -> None:
    files = visit.studio.store.files
    small(envelope_of(clip, store=visit.studio.store, bins=600), key=f"clip.wave.{clip.sha256}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key="clip-made"):
            st.audio(str(files.path(clip.sha256)), autoplay=CLIP_PLAYS.get())
        st.toggle(
            _("Play at once"),
            CLIP_PLAYS.get(),
            key="clip-plays",
            help=_("Play a clip as soon as one comes to it."),
            on_change=lambda: CLIP_PLAYS.set(bool(shown("clip-plays"))),
        )


def _deciding(visit: Visit, queue: ClipQueue, clip: Clip) -> None:
    with st.container(horizontal=True, gap="xsmall", key="clip-decide"):
        for name, title, icon, key, verb, more in (
            ("accept", _("Accept"), "check", "A", verbs.decide, (ReviewStatus.ACCEPTED,)),
            ("reject", _("Reject"), "close", "X", verbs.decide, (ReviewStatus.REJECTED,)),
            ("skip", _("Skip"), "arrow_forward", "J", verbs.skip, ()),
        ):
            st.button(
                title,
                icon=f":material/{icon}:",
                shortcut=key,
                key=f"clip-{name}",
                type="primary" if name == "accept" else "secondary",
                on_click=verb,
                args=(visit, queue, clip, *more),
            )
        st.button(
            "",
            icon=":material/arrow_back:",
            help=_("Back to the clip before"),
            shortcut="K",
            key="clip-back",
            disabled=not CLIP_WAY.begun(),
            on_click=verbs.back,
            args=(visit,),
        )


def _words(visit: Visit, queue: ClipQueue, clip: Clip) -> None:
    key = f"clip.text.{clip.id}@{clip.revision}"
    with st.form(f"clip-words-{clip.id}@{clip.revision}", border=False):
        st.text_area(_("Words spoken"), clip.text, height=72, key=key)
        # Ctrl+Enter in the field presses the form's first button.
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            for title, icon, accept in ((_("Save and accept"), "done_all", True), (_("Save"), "save", False)):
                st.form_submit_button(
                    title,
                    icon=f":material/{icon}:",
                    on_click=verbs.save_words,
                    args=(visit, queue, clip, key),
                    kwargs={"accept": accept, "line": clip.utterance_id},
                )
            sure = f" · {number(clip.confidence, '#,##0 %')}" if clip.confidence is not None else ""
            st.caption(f"{_(_ORIGINS[clip.text_origin])}{sure}", width="content")
    if clip.utterance_id:
        _line_of_the_book(visit, clip.utterance_id)


def _line_of_the_book(visit: Visit, utterance_id: str) -> None:
    try:
        line = visit.studio.store.utterances.get(utterance_id)
    except NotFoundError:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="clip-line"):
        st.markdown(f":material/menu_book: {plain(line.text)}", width="stretch")
        st.page_link(
            script(stage("dialogues")),
            label=_("in the book"),
            icon=":material/arrow_forward:",
            query_params={"line": utterance_id},
        )


def _objections(clip: Clip) -> None:
    # That it is double is known only beside the others, and was written down when they were compared.
    double = clip.id if "doubled" in clip.complaints else None
    for one in complaints_of(clip, verbs.rules().complaints, double_of=double):
        if one.name not in clip.complaints:
            continue
        title = _(RULES[one.name].title)
        why = "" if one.name == "doubled" else plain(filled(one.message, one.values))
        how = f" :gray[:small[{_(told_by(verbs.rules()))}]]" if one.name == "other_speaker" else ""
        st.markdown(f":orange-badge[:material/warning: {title}] {why} :gray[{_(one.remedy)}]{how}")


def _tools(visit: Visit, queue: ClipQueue, clip: Clip) -> None:
    with st.container(horizontal=True, gap="xsmall", key="clip-tools"):
        for name, title, icon, key in (
            ("ends", _("Ends"), "content_cut", "T"),
            ("sound", _("Sound"), "graphic_eq", "S"),
        ):
            st.button(
                title,
                icon=f":material/{icon}:",
                shortcut=key,
                type="tertiary",
                key=f"clip-{name}",
                on_click=verbs.begin_task,
                args=(name,),
            )
        st.button(
            _("Join with the next"),
            icon=":material/merge:",
            shortcut="M",
            type="tertiary",
            key="clip-join",
            on_click=verbs.join_with_next,
            args=(visit, clip),
        )
        chosen = clip.reference is Reference.CHOSEN
        st.button(
            _("No reference any more") if chosen else _("As reference"),
            icon=":material/star_outline:" if chosen else ":material/star:",
            type="tertiary",
            key="clip-refer",
            help=_("What the trained voice is told to sound like: 3 to 10 s, clean, in her usual tone."),
            on_click=verbs.refer,
            args=(visit, clip, Reference.OPEN if chosen else Reference.CHOSEN),
        )
        st.button(
            _("Delete"),
            icon=":material/delete:",
            type="tertiary",
            key="clip-delete",
            on_click=verbs.delete,
            args=(visit, queue, clip),
        )
