"""The curves of runs: what was measured step by step, one quantity at a time, of one run or of two over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core.domain.run import Run
from core.jobs.curves import smoothed
from core.services import Services
from core.translation import N_
from pages.ui import charts
from pages.ui.i18n import _, number, size_of

_QUANTITIES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "loss": (N_("Loss"), {"base_loss": N_("base model"), "loss": N_("fine-tuning")}),
    "sound": (
        N_("Sound of the voice"),
        {
            "sovits_loss": N_("loss"),
            "sovits_loss_mel": N_("spectrum"),
            "sovits_loss_gen": N_("generator"),
            "sovits_loss_disc": N_("discriminator"),
            "sovits_loss_fm": N_("features"),
            "sovits_loss_kl": N_("divergence"),
        },
    ),
    "speech": (N_("Way of speaking"), {"gpt_loss": N_("loss")}),
    "accuracy": (N_("Tokens foreseen"), {"gpt_top_3_accuracy": N_("among the first three")}),
    "learning_rate": (
        N_("Learning rate"),
        {
            "learning_rate": N_("learning rate"),
            "sovits_learning_rate": N_("sound of the voice"),
            "gpt_learning_rate": N_("way of speaking"),
        },
    ),
    "tokens_per_second": (N_("Tokens a second"), {"tokens_per_second": N_("tokens a second")}),
    "memory_mb": (N_("Memory (MB)"), {"memory_mb": N_("memory")}),
    "right_share": (N_("Right so far"), {"right_share": N_("share of the answers")}),
    "grad_norm": (N_("Gradient"), {"grad_norm": N_("length of the gradient")}),
}
"""What can be drawn -> its title, and the measurements it is made of with the name of each line."""

_NOISY: Final = (
    "loss",
    "base_loss",
    "tokens_per_second",
    "grad_norm",
    "sovits_loss_mel",
    "sovits_loss_gen",
    "gpt_loss",
)
"""Measurements that are drawn with their moving average."""

_MANY: Final = 20
"""Points from which on an average says more than the points themselves."""
_WINDOW: Final = 3
_WINDOWS: Final = 50
"""An average looks back over a fiftieth of the curve, or over so many points where that is fewer."""

Rows = Sequence[Mapping[str, float]]


def run_curves(studio: Services, run: Run) -> None:
    """Draw the latest figures of a run and one of its curves; nothing where it measures none."""
    rows = studio.curves(run.id)
    if not rows:
        return
    _figures(rows)
    chosen = _chosen([rows], key=f"quantity.{run.id}")
    if chosen:
        title, parts = _QUANTITIES[chosen]
        lines = [_line(rows, name, _(called)) for name, called in parts.items()]
        drawn = [line for line in lines if line.points]
        charts.curves(drawn, title=_(title), x_title=_("step"), key=f"metrics.{run.id}.{chosen}")


def curves_of_both(both: Sequence[tuple[str, Rows]], *, key: str) -> None:
    """Draw one curve of several runs (what to call it, its points) over each other."""
    chosen = _chosen([rows for _name, rows in both], key=f"quantity.{key}")
    if chosen:
        _title, parts = _QUANTITIES[chosen]
        # of the loss the fine-tuning's where there is one: the tiny base counts its own steps from the beginning
        measured = [one for one in parts if any(_has(rows, one) for _name, rows in both)][-1]
        lines = [_line(rows, measured, called) for called, rows in both if _has(rows, measured)]
        charts.curves(lines, title="", x_title=_("step"), key=f"both.{key}.{chosen}")


def _figures(rows: Rows) -> None:
    latest: dict[str, float] = {}
    for row in [row for row in rows if "loss" in row] or rows:
        latest.update(row)
    told = {
        _("Step"): number(latest["step"]) if "loss" in latest or "base_loss" in latest else "",
        _("Loss"): number(latest["loss"], "0.000") if "loss" in latest else "",
        _("Loss of the sound"): number(latest["sovits_loss_mel"], "0.00") if "sovits_loss_mel" in latest else "",
        _("Loss of the speech"): number(latest["gpt_loss"], "0.00") if "gpt_loss" in latest else "",
        _("Tokens a second"): number(latest["tokens_per_second"], "#,##0") if "tokens_per_second" in latest else "",
        _("Memory"): size_of(latest["memory_mb"] * 1e6) if "memory_mb" in latest else "",
    }
    with st.container(horizontal=True, gap="small"):
        for title, figure in told.items():
            if figure:
                st.metric(title, figure, width=150)


def _chosen(every: Sequence[Rows], *, key: str) -> str | None:
    there = [
        name for name, (_title, parts) in _QUANTITIES.items() if any(_has(rows, one) for one in parts for rows in every)
    ]
    if len(there) < 2:
        return there[0] if there else None
    return st.segmented_control(
        _("Curve"),
        there,
        default=there[0],
        format_func=lambda one: _(_QUANTITIES[one][0]),
        required=True,
        label_visibility="collapsed",
        key=key,
    )


def _line(rows: Rows, name: str, called: str) -> charts.Line:
    points = [(row["step"], row[name]) for row in rows if name in row]
    if name not in _NOISY or len(points) < _MANY:
        return charts.Line(called, points)
    weight = 1 - 1 / max(_WINDOW, len(points) / _WINDOWS)
    return charts.Line(called, points, smoothed([value for _step, value in points], weight))


def _has(rows: Rows, name: str) -> bool:
    return any(name in row for row in rows)
