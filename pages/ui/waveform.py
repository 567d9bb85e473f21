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

from core.stages.voice_dataset.sound.waveform import Envelope
from pages.ui.charts import palette

OVERVIEW_BINS: Final = 1_000
DETAIL_BINS: Final = 1_600
_MARGIN: Final = {"l": 8, "r": 8, "t": 4, "b": 4}
_HEIGHT: Final = {"visible": False, "range": [-128, 128], "fixedrange": True}
_SECONDS: Final = {"tickformat": "~g", "ticksuffix": " s", "nticks": 10}
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


def waves(whole: Envelope | None, window: Envelope, regions: Iterable[Region], *, key: str, on_select: Any) -> None:
    """Draw a window with the regions in it and, above it, the whole with the window shaded, where that is another.

    One figure, because a second one costs the browser as much again. A box drawn over either calls `on_select`, after
    which `marked_in` and `looked_for_in` say over which.
    """
    drawn = list(regions)[:_MOST_REGIONS]
    shapes = [_shape(one, window) for one in drawn]
    labels = [label for one in drawn if (label := _label(one, window))]
    traces = _traces(window)
    layout = _layout(window, {"height": 210, "shapes": shapes, "annotations": labels}, _SECONDS)
    if whole is not None:
        shade = {"type": "rect", "x0": window.start, "x1": window.start + window.seconds, "y0": -128, "y1": 128}
        shade |= {"fillcolor": palette()[1], "opacity": 0.28, "line": {"width": 0}, "xref": "x2", "yref": "y2"}
        traces += [{**one, "xaxis": "x2", "yaxis": "y2"} for one in _traces(whole)]
        above = {"showgrid": False, "zeroline": False, "showticklabels": False, "anchor": "y2"}
        layout |= {
            "height": 292,
            "shapes": [*shapes, shade],
            "xaxis2": {**above, "range": [0, whole.seconds]},
            "yaxis": {**_HEIGHT, "domain": [0, 0.7]},
            "yaxis2": {**_HEIGHT, "domain": [0.79, 1], "anchor": "x2"},
        }
    st.plotly_chart(
        go.Figure(data=traces, layout=layout),
        key=key,
        on_select=on_select,
        selection_mode=("box",),
        config={"displayModeBar": False, "doubleClick": "reset"},
    )


def marked_in(event: Any) -> tuple[float, float] | None:
    """Return from where to where a box was drawn in the window, None where there is none."""
    return _boxed(event, "x")


def looked_for_in(event: Any) -> tuple[float, float] | None:
    """Return the same of a box drawn over the whole."""
    return _boxed(event, "x2")


def _boxed(event: Any, axis: str) -> tuple[float, float] | None:
    boxes = ((event or {}).get("selection") or {}).get("box") or []
    drawn = [box for box in boxes if str(box.get("xref", "x")) == axis]
    if not drawn:
        return None
    start, end = sorted(float(x) for x in drawn[-1]["x"])
    return start, end


def small(envelope: Envelope, *, key: str) -> None:
    """Draw a short sound, only to be looked at."""
    layout = _layout(envelope, {"height": 104, "dragmode": False}, {"fixedrange": True, "ticksuffix": " s"})
    st.plotly_chart(go.Figure(data=_traces(envelope), layout=layout), key=key, config={"displayModeBar": False})


def _traces(envelope: Envelope) -> list[dict[str, Any]]:
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
    return [high, low]


def _layout(envelope: Envelope, more: Mapping[str, Any], x_axis: Mapping[str, Any]) -> dict[str, Any]:
    """All at once: figures that are added to piece by piece take ten times as long."""
    axis = {"showgrid": False, "zeroline": False, "range": [envelope.start, envelope.start + envelope.seconds]}
    return {
        "margin": _MARGIN,
        "dragmode": "select",
        "selectdirection": "h",
        "yaxis": _HEIGHT,
        "xaxis": {**axis, **x_axis},
        **more,
    }


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
