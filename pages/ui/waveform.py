"""A recording as a picture: the whole as an overview, a window of it in detail, and what is cut or would be cut there.

The browser gets a pair of bytes for each column it can show, whatever the length: some kilobytes for two hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.stages.voice_dataset.waveform import Envelope
from pages.ui.charts import palette

OVERVIEW_BINS: Final = 1_000
DETAIL_BINS: Final = 1_600
_MARGIN: Final = {"l": 8, "r": 8, "t": 4, "b": 4}
_MOST_REGIONS: Final = 150
"""More in one window are too narrow to be told apart."""
_LETTERS: Final = 70
"""Letters that fit over a whole window."""


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch drawn over the waveform, in seconds."""

    start: float
    end: float
    words: str = ""
    colour: int = 0
    """Which of the theme's colours."""
    planned: bool = False
    """Drawn as an outline: nothing is cut there yet."""


def overview(envelope: Envelope, window: tuple[float, float], *, key: str, on_select: Any) -> None:
    """Draw the whole recording with the window shaded; a box drawn over it calls `on_select`."""
    shade = {"type": "rect", "x0": window[0], "x1": window[1], "y0": -128, "y1": 128, "layer": "below"}
    shade |= {"fillcolor": palette()[1], "opacity": 0.28, "line": {"width": 0}}
    figure = _figure(envelope, {"height": 76, "shapes": [shade]}, {"showticklabels": False})
    _show(figure, key, on_select)


def detail(envelope: Envelope, regions: Iterable[Region], *, key: str) -> tuple[float, float] | None:
    """Draw a window with the regions in it; return the seconds the person drew a box over, or None."""
    drawn = list(regions)[:_MOST_REGIONS]
    layout = {
        "height": 210,
        "shapes": [_shape(one, envelope) for one in drawn],
        "annotations": [label for one in drawn if (label := _label(one, envelope))],
    }
    figure = _figure(envelope, layout, {"tickformat": "~g", "ticksuffix": " s", "nticks": 10})
    return boxed(_show(figure, key, "rerun"))


def small(envelope: Envelope, *, key: str) -> None:
    """Draw a short sound, only to be looked at."""
    figure = _figure(envelope, {"height": 104, "dragmode": False}, {"fixedrange": True, "ticksuffix": " s"})
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})


def boxed(event: Any) -> tuple[float, float] | None:
    """Return from where to where a box was drawn, None where there is none."""
    boxes = ((event or {}).get("selection") or {}).get("box") or []
    if not boxes:
        return None
    start, end = sorted(float(x) for x in boxes[0]["x"])
    return start, end


def _figure(envelope: Envelope, layout: Mapping[str, Any], x_axis: Mapping[str, Any]) -> go.Figure:
    step = envelope.seconds / max(len(envelope.lows), 1)
    colour = palette()[0]
    line = {
        "type": "scatter",
        "x0": envelope.start + step / 2,
        "dx": step,
        "mode": "lines",
        "line": {"width": 1, "color": colour},
        "showlegend": False,
    }
    high = {**line, "y": _as_bytes(envelope.highs), "hoverinfo": "x"}
    low = {**line, "y": _as_bytes(envelope.lows), "hoverinfo": "skip", "fill": "tonexty", "fillcolor": colour}
    axis = {"showgrid": False, "zeroline": False, "range": [envelope.start, envelope.start + envelope.seconds]}
    # All at once: figures that are added to piece by piece take ten times as long.
    return go.Figure(
        data=[high, low],
        layout={
            "margin": _MARGIN,
            "dragmode": "select",
            "selectdirection": "h",
            "yaxis": {"visible": False, "range": [-128, 128], "fixedrange": True},
            "xaxis": {**axis, **x_axis},
            **layout,
        },
    )


def _as_bytes(values: Sequence[float]) -> Any:
    """One byte a value, which plotly sends as such."""
    return np.clip(np.rint(np.asarray(values, np.float32) * 127), -127, 127).astype(np.int8)


def _shape(region: Region, envelope: Envelope) -> dict[str, Any]:
    start, end = _within(region, envelope)
    colour = palette()[region.colour]
    look: dict[str, Any] = {"line": {"width": 1.4, "color": colour, "dash": "dot"}}
    if not region.planned:
        look = {"line": {"width": 0}, "fillcolor": colour, "opacity": 0.3, "layer": "below"}
    return {"type": "rect", "x0": start, "x1": end, "y0": -122, "y1": 122, **look}


def _label(region: Region, envelope: Envelope) -> dict[str, Any] | None:
    """Return the region's words, as many as fit over it; None where none do."""
    start, end = _within(region, envelope)
    room = int((end - start) / max(envelope.seconds, 1e-9) * _LETTERS)
    if not region.words or room < 2:
        return None
    words = region.words if len(region.words) <= room else f"{region.words[: room - 1]}…"
    return {"x": (start + end) / 2, "y": 108, "text": words, "showarrow": False, "font": {"size": 11}}


def _within(region: Region, envelope: Envelope) -> tuple[float, float]:
    return max(region.start, envelope.start), min(region.end, envelope.start + envelope.seconds)


def _show(figure: go.Figure, key: str, on_select: Any) -> Any:
    return st.plotly_chart(
        figure,
        key=key,
        on_select=on_select,
        selection_mode=("box",),
        config={"displayModeBar": False, "doubleClick": "reset"},
    )
