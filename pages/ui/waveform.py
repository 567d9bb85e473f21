"""A recording as a picture: the lowest and highest sample of each bin, so that ten minutes weigh 70 kB."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from pages.ui.charts import palette
from pages.ui.i18n import _


def choose_stretch(
    lows: Sequence[float], highs: Sequence[float], *, seconds: float, key: str
) -> tuple[float, float] | None:
    """Draw the envelope; return the seconds the person drew a box over, or None."""
    figure = go.Figure()
    width = seconds / max(len(lows), 1)
    times = [width * (index + 0.5) for index in range(len(lows))]
    figure.add_trace(
        go.Scatter(x=times, y=list(highs), mode="lines", line={"width": 1}, hoverinfo="x", showlegend=False)
    )
    figure.add_trace(
        go.Scatter(
            x=times, y=list(lows), mode="lines", line={"width": 1}, fill="tonexty", hoverinfo="skip", showlegend=False
        )
    )
    figure.update_layout(
        height=200,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode="select",
        selectdirection="h",
        colorway=[palette()[0]] * 2,
    )
    figure.update_xaxes(title=_("seconds"), range=[0, seconds])
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True)
    event = st.plotly_chart(
        figure,
        key=key,
        on_select="rerun",
        selection_mode=("box",),
        config={"displayModeBar": False, "scrollZoom": True},
    )
    boxes = event["selection"]["box"]
    if not boxes:
        return None
    start, end = sorted(float(x) for x in boxes[0]["x"])
    return max(start, 0.0), min(end, seconds)
