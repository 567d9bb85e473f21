"""The window on a recording: where it stands, and the buttons that move it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.domain.voice import Recording
from pages.ui.i18n import _, number
from pages.ui.state import WAVE_FROM, WAVE_SPAN

_FIRST_SPAN: Final = 60.0
"""Seconds of a long recording that are shown to begin with."""
_SHORT: Final = 90.0
"""A recording up to here is shown whole."""
_LEAST_SPAN: Final = 0.5
_STEP: Final = 0.8
"""Share of the window that it moves by."""


def window_on(recording: Recording) -> tuple[float, float]:
    """Return from where to where the window goes, in seconds, always within the recording."""
    usual = recording.seconds if recording.seconds <= _SHORT else _FIRST_SPAN
    span = min(max(WAVE_SPAN.get() / 1000 or usual, min(_LEAST_SPAN, recording.seconds)), recording.seconds)
    start = min(max(WAVE_FROM.get() / 1000, 0.0), recording.seconds - span)
    return start, start + span


def look_at(recording: Recording, start: float, end: float) -> None:
    """Move the window to a stretch."""
    span = min(max(end - start, _LEAST_SPAN), recording.seconds)
    start = min(max(start, 0.0), recording.seconds - span)
    WAVE_FROM.set(round(start * 1000))
    WAVE_SPAN.set(round(span * 1000))


def show_the_way(recording: Recording) -> None:
    """Draw the buttons that move the window and make it wider or narrower."""
    start, end = window_on(recording)
    middle, span = (start + end) / 2, end - start
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="wave-way"):
        for name, icon, title, shortcut, left, right in (
            ("back", "chevron_left", _("Earlier"), "Left", start - _STEP * span, end - _STEP * span),
            ("on", "chevron_right", _("Later"), "Right", start + _STEP * span, end + _STEP * span),
            ("in", "zoom_in", _("Closer"), "I", middle - span / 4, middle + span / 4),
            ("out", "zoom_out", _("Wider"), "O", middle - span, middle + span),
        ):
            st.button(
                "",
                icon=f":material/{icon}:",
                help=title,
                key=f"wave-{name}",
                type="tertiary",
                shortcut=shortcut,
                disabled=_nowhere(name, start, end, recording.seconds),
                on_click=look_at,
                args=(recording, left, right),
            )
        st.caption(
            _("{start} to {end} of {total} s").format(
                start=number(start), end=number(end), total=number(recording.seconds)
            ),
            width="content",
        )


def _nowhere(name: str, start: float, end: float, seconds: float) -> bool:
    """Whether there is nothing more in that direction."""
    at_start, at_end = start <= 0, end >= seconds - 1e-3
    span = end - start
    return {"back": at_start, "on": at_end, "in": span <= _LEAST_SPAN, "out": at_start and at_end}[name]
