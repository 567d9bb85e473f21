"""The workplace of one recording: its waveform, what is cut of it and would be, and cutting by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Recording
from core.settings import stage_defaults
from core.stages.voice_dataset.clips import make_clip
from core.stages.voice_dataset.planning import Plan, cues_of
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.listening import as_recorded
from core.stages.voice_dataset.sound.waveform import envelope_of, window_of
from core.store.clips import ClipFilter
from core.store.utterances import UtteranceFilter
from pages.ui.clip_forms import seconds_input
from pages.ui.cutting_form import cutting_form
from pages.ui.decisions import careful, tell
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, say_next
from pages.ui.i18n import _, _n, duration, number
from pages.ui.markup import plain
from pages.ui.recorder import SUBTITLE_SUFFIXES
from pages.ui.state import MARK, RECORDINGS, SAID, shown
from pages.ui.wave_window import look_at, show_the_way, window_on
from pages.ui.waveform import DETAIL_BINS, OVERVIEW_BINS, Region, looked_for_in, marked_in, waves

_COLOURS: Final[Mapping[ReviewStatus, int]] = {
    ReviewStatus.PENDING: 2,
    ReviewStatus.ACCEPTED: 0,
    ReviewStatus.REJECTED: 3,
}
"""Status of a clip -> which of the theme's colours its region has."""
_PLANNED: Final = 1
_LONGEST_PLAY: Final = 120.0
"""Seconds of a window that are sent to be heard."""
_MOST_LINES: Final = 20


@st.fragment
def recording_desk(visit: Visit, recording: Recording) -> None:
    """Draw the workplace; it is drawn anew alone when the window moves or something is marked."""
    tell()
    with told_to_the_user():
        where = st.container()
        plan = cutting_form(visit, recording)
        with where:
            mark = _waves(visit, recording, plan)
            _by_hand(visit, recording, mark)


def _waves(visit: Visit, recording: Recording, plan: Plan | None) -> tuple[float, float] | None:
    """Draw overview and window; return what is marked in the window."""
    store = visit.studio.store
    start, end = window_on(recording)
    part = end - start < recording.seconds
    clips = store.clips.page(ClipFilter(visit.persona.id, recording.id, within=(start, end)), limit=200).rows
    key = f"waves.{recording.id}.{MARK.key()}"
    waves(
        envelope_of(recording, store=store, bins=OVERVIEW_BINS) if part else None,
        window_of(recording, start, end, bins=DETAIL_BINS, store=store),
        [*_cut(clips), *_planned(plan, clips, start, end)],
        key=key,
        on_select=lambda: _look(recording, key),
    )
    show_the_way(recording)
    _words_in(visit, recording, start, end)
    return marked_in(shown(key))


def _look(recording: Recording, key: str) -> None:
    """Move the window to what was drawn over the whole; the box has done its work then."""
    if box := looked_for_in(shown(key)):
        look_at(recording, *box)
        MARK.renew()


def _cut(clips: Sequence[Clip]) -> list[Region]:
    return [Region(one.start, one.end, one.text, _COLOURS[one.status]) for one in clips]


def _planned(plan: Plan | None, cut: Sequence[Clip], start: float, end: float) -> list[Region]:
    there = {(round(one.start, 1), round(one.end, 1)) for one in cut}
    return [
        Region(one.start, one.end, one.text, _PLANNED, planned=True)
        for one in (plan.clips if plan else ())
        if one.start < end and one.end > start and (round(one.start, 1), round(one.end, 1)) not in there
    ]


def _words_in(visit: Visit, recording: Recording, start: float, end: float) -> None:
    cues = [cue for cue in cues_of(recording, store=visit.studio.store) if cue.start < end and cue.end > start]
    if cues:
        shown = "  ".join(plain(cue.text) for cue in cues[:_MOST_LINES])
        st.caption(f":material/subtitles: {shown}{'…' if len(cues) > _MOST_LINES else ''}")


def _by_hand(visit: Visit, recording: Recording, mark: tuple[float, float] | None) -> None:
    """Let a marked stretch be heard and be made a clip; without one the window is what is heard."""
    window = window_on(recording)
    start, end = mark or window
    start, end = max(start, 0.0), min(end, recording.seconds)
    if mark is None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(_("Draw a box over the words you want; double-click to take it back."), width="stretch")
            asked = st.button(_("Listen to the window"), icon=":material/play_arrow:", type="tertiary", key="listen")
        if not asked:  # only then: a minute of sound is megabytes
            return
    end = min(end, start + _LONGEST_PLAY)
    sound = as_recorded(recording, start, end, store=visit.studio.store)
    st.audio(sound, format="audio/wav", autoplay=mark is None)
    if mark is not None:
        _clip_form(visit, recording, start, end, stage_defaults("voice_dataset", VoiceDatasetSettings))


def _clip_form(visit: Visit, recording: Recording, start: float, end: float, rules: VoiceDatasetSettings) -> None:
    key = f"{recording.id}.{start:.3f}.{end:.3f}"
    with st.container(border=True, key="by-hand"):
        where, what = st.columns([2, 3])
        with where.container(horizontal=True):
            start = seconds_input(_("From (s)"), start, (0.0, recording.seconds), key=f"from.{key}")
            end = seconds_input(_("To (s)"), end, (0.0, recording.seconds), key=f"to.{key}")
        text = what.text_input(_("Words spoken"), placeholder=_("exactly as they are heard"), key=f"words.{key}")
        line = _line_of_the_book(visit, text, key) if text else None
        st.button(
            _("Make a clip of {time}").format(time=_("{seconds} s").format(seconds=number(end - start))),
            type="primary",
            icon=":material/content_cut:",
            key="make-clip",
            on_click=_make,
            args=(visit, recording, (start, end), text, line, rules),
        )


def _line_of_the_book(visit: Visit, text: str, key: str) -> str | None:
    where = UtteranceFilter(visit.persona.id, speaker=visit.persona.name, text=text.strip())
    found = {one.id: one.text for one in visit.studio.store.utterances.page(where, limit=_MOST_LINES).rows}
    return st.selectbox(
        _("Line of the book"),
        list(found),
        index=None,
        format_func=lambda one: found[one],
        placeholder=_("none; choose one and the chat speaks that line with this clip"),
        key=f"line.{key}",
    )


@careful
def _make(
    visit: Visit,
    recording: Recording,
    stretch: tuple[float, float],
    text: str,
    line: str | None,
    rules: VoiceDatasetSettings,
) -> None:
    clip = make_clip(
        recording,
        *stretch,
        text=text,
        speaker=visit.persona.name,
        settings=rules,
        store=visit.studio.store,
        utterance_id=line,
        who=visit.who,
    )
    MARK.renew()
    words = clip.text or _("without words")
    SAID.set(_("The clip is made: {text}").format(text=words))


def headline(visit: Visit, recording: Recording) -> None:
    """Say what a recording is, and let it be deleted."""
    count = visit.studio.store.clips.count(ClipFilter(visit.persona.id, recording.id))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="recording-head"):
        st.caption(
            " · ".join(
                [
                    duration(recording.seconds),
                    f"{number(recording.sample_rate / 1000)} kHz",
                    _n("{count} channel", "{count} channels", recording.channels),
                    recording.container.upper() or "—",
                ]
            ),
            width="content",
        )
        if recording.subtitles_name:
            st.badge(plain(recording.subtitles_name), icon=":material/subtitles:", color="green")
        st.space("stretch")
        with st.popover(_("Subtitles"), icon=":material/subtitles:", type="tertiary", key="recording-subtitles"):
            _subtitles(visit, recording)
        with st.popover(_("Delete"), icon=":material/delete:", type="tertiary", key="recording-delete-box"):
            st.markdown(
                _("The recording and its {count} clips go; clips in frozen sets stay.").format(count=number(count))
            )
            st.button(
                _("Delete {name}").format(name=plain(recording.name)),
                icon=":material/delete:",
                key="recording-delete",
                on_click=_delete,
                args=(visit, recording),
            )


def _subtitles(visit: Visit, recording: Recording) -> None:
    """Let subtitles be put beside a recording that is there; nothing that is cut already changes."""
    given = st.file_uploader(
        _("SRT, ASS, VTT, or a transcript with times"),
        type=list(SUBTITLE_SUFFIXES),
        key=f"{RECORDINGS.key()}.beside.{recording.id}",
    )
    if given and st.button(_("Put them beside it"), type="primary", icon=":material/save:", key="subtitles-keep"):
        with told_to_the_user():
            found = visit.studio.receive_subtitles(given, given.name)
            visit.studio.store.voice.put_subtitles(
                recording.id, found["subtitles_name"], found["subtitles_sha256"], who=visit.who
            )
            RECORDINGS.renew()
            say_next(_("{name} is kept beside it.").format(name=found["subtitles_name"]))


@careful
def _delete(visit: Visit, recording: Recording) -> None:
    visit.studio.store.voice.delete_recording(recording.id, who=visit.who)
    SAID.set(_("{name} is deleted.").format(name=recording.name))
