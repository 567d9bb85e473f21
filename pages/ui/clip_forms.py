"""The forms that change a clip: its ends, the place where it is cut in two, its sound."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.domain.voice import Clip, Recording
from core.stages.voice_dataset.sound.effect_chain import EffectChain
from core.stages.voice_dataset.sound.effects import prepare
from core.stages.voice_dataset.sound.listening import as_recorded
from core.stages.voice_dataset.sound.sound_file import shape_of, stretch_of
from core.stages.voice_dataset.sound.spectrogram import Spectrogram, spectrogram_of
from core.stages.voice_dataset.sound.waveform import window_of
from pages.ui import clip_decisions as verbs
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.settings_form import settings_form
from pages.ui.state import MARK, shown
from pages.ui.waveform import DETAIL_BINS, Region, marked_in, waves

_AROUND = 1.5
"""Seconds of the recording that are shown on either side."""
_AROUND_NOISE = 4.0
"""The same where one looks for noise alone."""


def ends_form(visit: Visit, clip: Clip) -> None:
    """Show the clip in its recording: a box gives it other ends, or it is cut in two where the box begins."""
    recording = visit.studio.store.voice.recording(clip.recording_id)
    start, end = max(clip.start - _AROUND, 0.0), min(clip.end + _AROUND, recording.seconds)
    found = window_of(recording, start, end, bins=DETAIL_BINS, store=visit.studio.store)
    with st.container(border=True, key="clip-task"):
        st.caption(_("Draw a box from where to where the clip shall go."))
        key = f"ends.{clip.id}@{clip.revision}.{MARK.key()}"
        waves(None, found, [Region(clip.start, clip.end, clip.text)], key=key, on_select="rerun")
        first, last = marked_in(shown(key)) or (clip.start, clip.end)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            first = seconds_input(_("From (s)"), first, (0.0, recording.seconds), key=f"{key}.from")
            last = seconds_input(_("To (s)"), last, (0.0, recording.seconds), key=f"{key}.to")
            st.button(
                _("Move the ends"),
                type="primary",
                icon=":material/check:",
                key="clip-move",
                disabled=(round(first, 3), round(last, 3)) == (clip.start, clip.end),
                on_click=verbs.move_ends,
                args=(visit, clip, first, last),
            )
        _listen(visit, recording, first, last)
        _in_two(visit, clip, first if clip.start < first < clip.end else (clip.start + clip.end) / 2)


def _listen(visit: Visit, recording: Recording, start: float, end: float) -> None:
    if end > start:
        st.audio(as_recorded(recording, start, end, store=visit.studio.store), format="audio/wav")


def _in_two(visit: Visit, clip: Clip, at: float) -> None:
    with st.expander(_("Cut it in two"), icon=":material/content_cut:"):
        at = seconds_input(_("At (s)"), at, (clip.start, clip.end), key=f"split.at.{clip.id}")
        # Words go with time, for a start.
        share = (at - clip.start) / max(clip.end - clip.start, 1e-9)
        cut = round(share * len(clip.text))
        first = st.text_input(_("Words of the first part"), clip.text[:cut], key=f"split.first.{clip.id}.{at:.3f}")
        second = st.text_input(_("Words of the second part"), clip.text[cut:], key=f"split.second.{clip.id}.{at:.3f}")
        st.button(
            _("Cut here"),
            icon=":material/content_cut:",
            key="clip-split",
            on_click=verbs.split,
            args=(visit, clip, at, (first, second)),
        )


def seconds_input(label: str, value: float, bounds: tuple[float, float], *, key: str) -> float:
    """Let a moment of a recording be corrected; another box when it begins elsewhere."""
    value = min(max(round(value, 3), bounds[0]), bounds[1])
    return st.number_input(label, *bounds, value, step=0.05, format="%.3f", key=f"{key}.{value:.3f}")


def sound_form(visit: Visit, clip: Clip) -> None:
    """Choose effects, hear both, see both; what is chosen is rendered anew from the recording."""
    store = visit.studio.store
    recording = store.voice.recording(clip.recording_id)
    with st.container(border=True, key="clip-task"):
        values = settings_form(
            EffectChain,
            _chain_of(clip),
            key=f"sound.{clip.id}@{clip.revision}",
            first=("denoise", "normalise", "trim"),
            omit={"noise"},
        )
        if values["denoise"]:
            with st.spinner(_("Getting ready to take noise out"), show_time=True):
                prepare()
        noise = _noise(visit, recording, clip, bool(values["denoise"]))
        chain = EffectChain(**values, noise=noise)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                _("Render it so"),
                type="primary",
                icon=":material/check:",
                key="clip-process",
                disabled=list(chain.steps()) == list(clip.effects),
                on_click=verbs.process,
                args=(visit, clip, chain.steps()),
            )
            if clip.effects:
                st.button(
                    _("As it was recorded"),
                    icon=":material/settings_backup_restore:",
                    type="tertiary",
                    key="clip-as-recorded",
                    on_click=verbs.process,
                    args=(visit, clip, ()),
                )
        if clip.effects:
            _both(visit, recording, clip)


def _chain_of(clip: Clip) -> dict[str, object]:
    chain: dict[str, object] = {}
    for step in clip.effects:
        chain[str(step["effect"])] = True
        chain |= {name: value for name, value in step.items() if name in EffectChain.model_fields and name != "noise"}
    return chain


def _noise(visit: Visit, recording: Recording, clip: Clip, wanted: bool) -> tuple[float, float] | None:
    """Let a stretch be marked that holds nothing but noise; without one the noise is told from around the clip."""
    if not wanted:
        return None
    kept = next((step["noise"] for step in clip.effects if step.get("noise")), None)
    st.caption(_("Draw a box where nothing but noise is heard; without one it is told from the quiet around the clip."))
    start, end = max(clip.start - _AROUND_NOISE, 0.0), min(clip.end + _AROUND_NOISE, recording.seconds)
    found = window_of(recording, start, end, bins=DETAIL_BINS, store=visit.studio.store)
    key = f"noise.{clip.id}.{MARK.key()}"
    waves(None, found, [Region(clip.start, clip.end, clip.text)], key=key, on_select="rerun")
    first, last = marked_in(shown(key)) or kept or (None, None)
    if first is None or last is None:
        return None
    st.caption(_("Noise: {start} to {end} s").format(start=number(first, "0.00"), end=number(last, "0.00")))
    return round(first, 3), round(last, 3)


def _both(visit: Visit, recording: Recording, clip: Clip) -> None:
    """What was recorded beside what was made of it: B changes from one to the other at the same place."""
    store = visit.studio.store
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key="clip-raw"):
            st.audio(as_recorded(recording, clip.start, clip.end, store=store), format="audio/wav")
        st.html("<button class='clip-change'>A/B</button>")
        st.caption(_("as recorded; A/B, or the key B, changes to the other while it plays"), width="content")
    with st.expander(_("Spectrograms before and after"), icon=":material/gradient:", on_change="rerun") as folded:
        if folded.open:
            with st.spinner(_("Drawing"), show_time=True):
                path = store.files.path(clip.sha256)
                made = stretch_of(path, clip.id, 0, shape_of(path, clip.id).frames)
                first = round(clip.start * recording.sample_rate)
                frames = round(clip.end * recording.sample_rate) - first
                before = stretch_of(store.files.path(recording.sound), recording.name, first, frames)
                _draw(spectrogram_of(before, recording.sample_rate), _("as recorded"), f"before.{clip.id}")
                _draw(spectrogram_of(made, verbs.rules().sample_rate), _("as rendered"), f"after.{clip.sha256}")


def _draw(picture: Spectrogram, title: str, key: str) -> None:
    figure = go.Figure(
        go.Heatmap(
            z=picture.levels,
            x0=0,
            dx=picture.seconds / max(picture.levels.shape[1], 1),
            y=np.round(picture.pitches).astype(np.int32),
            zmin=-90,
            zmax=-15,
            colorscale="Cividis",
            showscale=False,
            hovertemplate="%{x:.2f} s · %{y} Hz · %{z} dB<extra></extra>",
        )
    )
    figure.update_layout(title=title, height=210, margin={"l": 8, "r": 8, "t": 32, "b": 8})
    figure.update_yaxes(type="log", tickvals=[100, 300, 1000, 3000, 10000], title="Hz")
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})
