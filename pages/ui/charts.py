"""Charts in the colours of the theme, light and dark; every function takes plain numbers and draws one figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import cycle

import plotly.graph_objects as go
import streamlit as st

_MARGIN = {"l": 8, "r": 8, "t": 36, "b": 8}
_ABOVE = {"orientation": "h", "y": 1.14, "x": 1, "xanchor": "right"}
_BELOW = {"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0, "traceorder": "normal"}
_QUIET = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "chart"},
}
"""One button, shown while the pointer is over the chart: save it as a picture."""
_FEW = 60
"""Points that are drawn as dots as well."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: (step, value) points in order."""

    name: str
    points: Sequence[tuple[float, float]]
    average: Sequence[float] = ()
    """Its moving average, drawn before it."""


def curves(lines: Sequence[Line], *, title: str, x_title: str, key: str) -> None:
    """Draw lines over steps; each with its moving average before it where it has one."""
    figure = go.Figure()
    for line, colour in zip(lines, cycle(palette()), strict=False):
        steps = [step for step, _value in line.points]
        values = [value for _step, value in line.points]
        mode = "lines+markers" if len(steps) < _FEW else "lines"
        own = {"color": colour, "width": 2}
        if line.average:
            figure.add_trace(
                go.Scatter(
                    x=steps, y=values, line={**own, "width": 1}, opacity=0.35, showlegend=False, hoverinfo="skip"
                )
            )
        figure.add_trace(
            go.Scatter(x=steps, y=line.average or values, name=line.name, mode=mode, line=own, marker={"size": 4})
        )
    figure.update_layout(
        title=title, height=300, margin=_MARGIN, showlegend=len(lines) > 1, legend=_ABOVE, hovermode="x unified"
    )
    figure.update_xaxes(title=x_title)
    _show(figure, key)


def bars(
    counts: Mapping[str, float], *, title: str, key: str, height: int | None = None, digits: int | None = None
) -> None:
    """Draw one horizontal bar per label, the first on top; `digits` is how many follow the point."""
    figure = go.Figure(
        go.Bar(
            x=list(counts.values()),
            y=list(counts),
            orientation="h",
            texttemplate="%{x:,}" if digits is None else f"%{{x:.{digits}f}}",
            textposition="outside",
            cliponaxis=False,
        )
    )
    figure.update_layout(title=title, height=height or 80 + 26 * len(counts), margin=_MARGIN, bargap=0.35)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False, automargin=True)
    room = 1.12 if digits is None else 1.25  # for the figures behind the bars
    figure.update_xaxes(visible=False, range=[0, room * max(counts.values(), default=1)])
    _show(figure, key)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the interval it lies in."""

    name: str
    value: float
    low: float
    high: float


def intervals(estimates: Sequence[Estimate], *, title: str, x_title: str, key: str) -> None:
    """Draw a point per estimate within its interval, the first on top; values are written whole."""
    names = [one.name for one in estimates]
    figure = go.Figure(
        go.Scatter(
            x=[one.value for one in estimates],
            y=names,
            mode="markers",
            marker={"size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [one.high - one.value for one in estimates],
                "arrayminus": [one.value - one.low for one in estimates],
                "thickness": 1.5,
                "width": 5,
            },
            customdata=[(one.low, one.high) for one in estimates],
            hovertemplate="%{y}: %{x:.0f} (%{customdata[0]:.0f} – %{customdata[1]:.0f})<extra></extra>",
        )
    )
    figure.update_layout(title=title, height=130 + 40 * len(names), margin=_MARGIN)
    figure.update_yaxes(autorange="reversed", type="category", categoryarray=names, automargin=True)
    figure.update_xaxes(title=x_title, separatethousands=False, tickformat="d")
    _show(figure, key)


def columns(counts: Mapping[str, float], *, title: str, x_title: str, key: str) -> None:
    """Draw one upright bar per label, in the order given."""
    figure = go.Figure(go.Bar(x=list(counts), y=list(counts.values())))
    figure.update_layout(title=title, height=280, margin=_MARGIN, bargap=0.25)
    figure.update_xaxes(title=x_title, type="category")
    _show(figure, key)


def stacked(rows: Sequence[tuple[str, str, float]], *, title: str, x_title: str, key: str) -> None:
    """Draw (place, part, amount) rows as one bar per place, its parts on top of each other."""
    figure = go.Figure()
    for part in dict.fromkeys(part for _place, part, _amount in rows):
        own = [(place, amount) for place, its, amount in rows if its == part]
        figure.add_trace(go.Bar(x=[place for place, _a in own], y=[amount for _p, amount in own], name=part))
    places = list(dict.fromkeys(place for place, _part, _amount in rows))
    figure.update_layout(
        title=title,
        height=300,
        margin=_MARGIN,
        barmode="stack",
        bargap=0.15,
        legend=_BELOW,
    )
    figure.update_xaxes(title=x_title, type="category", categoryorder="array", categoryarray=places, nticks=24)
    _show(figure, key)


Bounds = Mapping[str, tuple[float, float]]
"""Label -> between what and what its value surely lies."""


def compared(
    series: Mapping[str, Mapping[str, float]],
    *,
    title: str,
    key: str,
    height: int | None = None,
    bounds: Mapping[str, Bounds] | None = None,
) -> None:
    """Draw per label one horizontal bar for each series (label -> value), for values in per cent.

    `bounds` of a series are drawn as whiskers; the figures stand at the foot of the bars then.
    """
    labels = list(dict.fromkeys(label for values in series.values() for label in values))
    figure = go.Figure()
    for name, values in series.items():
        whiskers = _whiskers(values, (bounds or {}).get(name, {}), labels)
        figure.add_trace(
            go.Bar(
                x=[values.get(label) for label in labels],
                y=labels,
                name=name,
                orientation="h",
                texttemplate="%{x:.1f}",
                textposition="inside" if bounds else "outside",
                insidetextanchor="start",
                textangle=0,
                constraintext="none",
                textfont={"size": 11},
                cliponaxis=False,
                error_x=whiskers,
            )
        )
    figure.update_layout(
        title=title,
        barmode="group",
        height=height or 110 + (12 + 18 * len(series)) * len(labels),
        margin=_MARGIN,
        bargap=0.3,
        showlegend=len(series) > 1,
        legend={"orientation": "h", "y": -0.12},
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False, automargin=True)
    figure.update_xaxes(range=[0, 108], showticklabels=False)
    _show(figure, key)


def differences(values: Mapping[str, tuple[float, float, float]], *, title: str, x_title: str, key: str) -> None:
    """Draw (value, low, high) of each label as a point with whiskers around a line at 0; gray where they cross it."""
    strong, weak = palette()[0], "#9a948a"
    labels = list(values)
    points = [values[label] for label in labels]
    colours = [strong if low > 0 or high < 0 else weak for _value, low, high in points]
    figure = go.Figure()
    for label, (value, low, high), colour in zip(labels, points, colours, strict=True):
        figure.add_trace(
            go.Scatter(
                x=[value],
                y=[label],
                mode="markers",
                marker={"size": 9, "color": colour},
                error_x={"type": "data", "array": [high - value], "arrayminus": [value - low], "color": colour},
                hovertemplate=f"%{{y}}: %{{x:+.1f}} ({low:+.1f} … {high:+.1f})<extra></extra>",
                showlegend=False,
            )
        )
    figure.add_vline(x=0, line={"color": weak, "width": 1, "dash": "dot"})
    figure.update_layout(title=title, height=110 + 24 * len(labels), margin=_MARGIN)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False, automargin=True)
    figure.update_xaxes(title=x_title, zeroline=False)
    _show(figure, key)


def trend(lines: Mapping[str, Sequence[tuple[str, float]]], *, title: str, key: str) -> None:
    """Draw (label, per cent) points of each line in order."""
    figure = go.Figure()
    for (name, points), colour in zip(lines.items(), cycle(palette()), strict=False):
        labels = [label for label, _value in points]
        values = [value for _label, value in points]
        own = {"color": colour, "width": 2}
        figure.add_trace(go.Scatter(x=labels, y=values, name=name, mode="lines+markers", line=own))
    figure.update_layout(title=title, height=380, margin=_MARGIN, legend={"orientation": "h", "y": -0.35})
    figure.update_xaxes(type="category", automargin=True)
    figure.update_yaxes(range=[0, 100])
    _show(figure, key)


def radar(series: Mapping[str, Mapping[str, float]], *, title: str, key: str) -> None:
    """Draw each series (label -> per cent) as a closed line around a circle; labels that all of them have."""
    shared = [label for label in next(iter(series.values())) if all(label in values for values in series.values())]
    figure = go.Figure()
    for (name, values), colour in zip(series.items(), cycle(palette()), strict=False):
        around = [*shared, shared[0]]
        figure.add_trace(
            go.Scatterpolar(
                r=[values[label] for label in around], theta=around, name=name, mode="lines+markers",
                line={"color": colour, "width": 2}, fill="toself", fillcolor=_faint(colour),
            )
        )  # fmt: skip
    figure.update_layout(
        title=title,
        height=380,
        margin={**_MARGIN, "t": 56, "l": 48, "r": 48},
        polar={"radialaxis": {"range": [0, 100], "tickvals": [25, 50, 75, 100]}, "bgcolor": "rgba(0,0,0,0)"},
        showlegend=len(series) > 1,
        legend={"orientation": "h", "y": -0.12},
    )
    _show(figure, key)


def score_map(series: Mapping[str, Mapping[str, float]], *, title: str, key: str) -> None:
    """Draw many series (label -> per cent) as a field of figures: a row a label, a column a series."""
    labels = list(dict.fromkeys(label for values in series.values() for label in values))
    figure = go.Figure(
        go.Heatmap(
            x=list(series),
            y=labels,
            z=[[values.get(label) for values in series.values()] for label in labels],
            zmin=0,
            zmax=100,
            texttemplate="%{z:.1f}",
            hovertemplate="%{y}, %{x}: %{z:.1f}<extra></extra>",
            colorscale=_shades(),
            showscale=False,
            xgap=2,
            ygap=1,
        )
    )
    # Names that find no room stand aslant and reach high: the title stays above them.
    over = {"text": title, "yref": "container", "y": 1, "yanchor": "top", "pad": {"t": 8}}
    figure.update_layout(title=over, height=180 + 22 * len(labels), margin={**_MARGIN, "t": 102})
    figure.update_xaxes(type="category", side="top", showgrid=False, automargin=True)
    figure.update_yaxes(type="category", showgrid=False, automargin=True, autorange="reversed")
    _show(figure, key)


def _whiskers(values: Mapping[str, float], bounds: Bounds, labels: Sequence[str]) -> dict[str, object] | None:
    if not bounds:
        return None
    spans = [bounds.get(label, (values.get(label, 0.0),) * 2) for label in labels]
    reach = [
        (high - values.get(label, 0.0), values.get(label, 0.0) - low)
        for label, (low, high) in zip(labels, spans, strict=True)
    ]
    return {
        "type": "data",
        "array": [max(up, 0.0) for up, _down in reach],
        "arrayminus": [max(down, 0.0) for _up, down in reach],
        "thickness": 1.2,
        "width": 3,
        "color": "#8d877b",
    }


def _shades() -> list[str]:
    """Return the theme's shades on which a figure can be read; in the dark not on the lightest ones."""
    theme = st.context.theme.type or "light"
    shades = list(st.get_option(f"theme.{theme}.chartSequentialColors"))
    return shades[:-3] if theme == "dark" else shades


def _faint(colour: str) -> str:
    red, green, blue = (int(colour.lstrip("#")[place : place + 2], 16) for place in (0, 2, 4))
    return f"rgba({red},{green},{blue},0.12)"


def shares(parts: Mapping[str, float], *, whole: float, shown: Callable[[float], str]) -> None:
    """Draw amounts as one bar, a piece each, on a ground as long as `whole` where that is more than their sum."""
    total = max(sum(parts.values()), whole, 1)
    drawn = {name: amount for name, amount in parts.items() if amount > 0}
    colours = dict(zip(drawn, cycle(palette()), strict=False))
    pieces = "".join(
        f'<span style="width:{100 * amount / total:.2f}%;background:{colours[name]}" title="{escape(name)}"></span>'
        for name, amount in drawn.items()
    )
    legend = "".join(
        f'<span><i style="background:{colours[name]}"></i>{escape(name)} {escape(shown(amount))}</span>'
        for name, amount in drawn.items()
    )
    st.html(f'<div class="shares">{pieces}</div><div class="shares-legend">{legend}</div>')


def heat(rows: Sequence[tuple[str, str, int]], *, title: str, x_title: str, y_title: str, key: str) -> None:
    """Draw (from, to, amount) rows as a square of shades: who stands at the left, to whom at the bottom."""
    names = list(dict.fromkeys(name for one, other, _amount in rows for name in (one, other)))
    amounts = {(one, other): amount for one, other, amount in rows}
    figure = go.Figure(
        go.Heatmap(
            x=names,
            y=names,
            z=[[amounts.get((one, other)) for other in names] for one in names],
            texttemplate="%{z:,}",
            hovertemplate="%{y} → %{x}: %{z:,}<extra></extra>",
            colorscale=_shades(),
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    figure.update_layout(title=title, height=120 + 34 * len(names), margin=_MARGIN)
    figure.update_xaxes(title=x_title, type="category", showgrid=False, automargin=True)
    figure.update_yaxes(title=y_title, type="category", showgrid=False, automargin=True, autorange="reversed")
    _show(figure, key)


def palette() -> list[str]:
    """Return the theme's colours for what is counted, light or dark as the page is now."""
    return list(st.get_option(f"theme.{st.context.theme.type or 'light'}.chartCategoricalColors"))


def _show(figure: go.Figure, key: str) -> None:
    figure.update_layout(colorway=palette())
    st.plotly_chart(figure, key=key, config=_QUIET, theme="streamlit")
