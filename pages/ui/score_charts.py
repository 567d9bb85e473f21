"""Scorecards as charts: groups, subjects, everything else; two of them by their difference, and whether it is real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core.domain.evaluation import Scorecard
from core.errors import NotFoundError
from core.stages.evaluation.intervals import Interval, difference, mean_share, paired_difference, share
from core.stages.evaluation.subjects import AVERAGE, GROUP_TITLES, HARD, Group, title_of
from core.stages.evaluation.tables import (
    Series,
    group_bars,
    hard_bars,
    labels,
    missing_of,
    models_of,
    name_of,
    other_bars,
    pairs_of,
    side_by_side,
    subject_bars,
    tallies_of,
)
from pages.ui import charts
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, duration, moment, number
from pages.ui.labels import titled
from pages.ui.markup import plain
from pages.ui.tables import as_csv

_FEW: Final = 3
"""Models that bars can hold beside each other; more become a field of figures."""
_LEAST_RADAR: Final = 3
_PARTS: Final = (*Group, HARD)


def score_charts(visit: Visit, cards: Sequence[Scorecard]) -> None:
    """Draw the chosen scorecards; of exactly two, first of all by how much the second is better."""
    if len(cards) == 2:
        _difference(visit, *cards)
    groups, subjects, others, trend = st.tabs([_("Groups"), _("Subjects"), _("Other benchmarks"), _("Over time")])
    with groups:
        _groups(visit, cards)
    with subjects:
        _subjects(visit, cards)
    with others:
        _others(visit, cards)
    with trend:
        _trend(visit)
    _missing(cards)
    _papers(visit, cards)


def _groups(visit: Visit, cards: Sequence[Scorecard]) -> None:
    series = side_by_side(cards, group_bars)
    if not any(series.values()):
        st.caption(_("No C-Eval group was measured here."))
        return
    _draw(titled(series), title=_("C-Eval by group, per cent"), key="groups", bounds=_bounds(visit, cards, series))
    around = {name: {one: values[one] for one in _PARTS if one in values} for name, values in series.items()}
    whole = {name: values for name, values in around.items() if len(values) >= _LEAST_RADAR}
    if whole and len(series) <= _FEW:
        charts.radar(titled(whole), title=_("The groups around"), key="radar")


def _subjects(visit: Visit, cards: Sequence[Scorecard]) -> None:
    parts = [*Group, HARD, AVERAGE]
    names = {**GROUP_TITLES, AVERAGE: GROUP_TITLES[AVERAGE]}
    group = st.segmented_control(
        _("Group"),
        parts,
        default=Group.STEM,
        required=True,
        format_func=lambda one: _(names[one]),
        label_visibility="collapsed",
    )

    def laid_out(card: Scorecard) -> Series:
        if group == HARD:
            return hard_bars(card)
        if group == AVERAGE:
            every = [subject_bars(card, one) for one in Group]
            return {
                model: {key: value for one in every for key, value in one.get(model, {}).items()}
                for model in models_of(card)
            }
        return subject_bars(card, Group(str(group)))

    series = {name: values for name, values in side_by_side(cards, laid_out).items() if values}
    if not series:
        st.caption(_("No subject of this group was measured here."))
        return
    many = group == AVERAGE
    _draw(
        titled(series),
        title=_("C-Eval by subject, per cent"),
        key=f"subjects.{group}",
        bounds=None if many else _bounds(visit, cards, series),
        field=many,
    )


def _others(visit: Visit, cards: Sequence[Scorecard]) -> None:
    series = side_by_side(cards, other_bars)
    if any(series.values()):
        _draw(series, title=_("Everything else, per cent"), key="others", bounds=_bounds_of_others(visit, cards))
    else:
        st.caption(_("Nothing but C-Eval was measured here."))


def _draw(
    series: Mapping[str, Mapping[str, float]],
    *,
    title: str,
    key: str,
    bounds: Mapping[str, charts.Bounds] | None = None,
    field: bool = False,
) -> None:
    if field or len(series) > _FEW:
        charts.score_map(series, title=title, key=key)
        return
    charts.compared(series, title=title, key=key, bounds=bounds)
    if bounds:
        st.caption(_("The whiskers: in 95 of 100 cases the true share of right answers lies between them."))


def _bounds(visit: Visit, cards: Sequence[Scorecard], series: Series) -> Mapping[str, charts.Bounds] | None:
    """Return the bounds of each series whose questions are known one by one."""
    found = {}
    for (card_id, _model), label in labels(cards).items():
        tallies = visit.studio.store.scorecards.tallies(card_id)
        spans = {part: mean_share(tallies_of(part, tallies)) for part in series.get(label, ())}
        found[label] = {_(title_of(part)): (span.low, span.high) for part, span in spans.items() if span}
    return {label: spans for label, spans in found.items() if spans} or None


def _bounds_of_others(visit: Visit, cards: Sequence[Scorecard]) -> Mapping[str, charts.Bounds] | None:
    found: dict[str, dict[str, tuple[float, float]]] = {}
    named = labels(cards)
    for card in cards:
        tallies = visit.studio.store.scorecards.tallies(card.id)
        for score in card.scores:
            span = share(tallies[score.dataset]) if score.dataset in tallies else None
            if span:
                found.setdefault(named[card.id, score.model], {})[name_of(score)] = (span.low, span.high)
    return found or None


def _difference(visit: Visit, first: Scorecard, second: Scorecard) -> None:
    """Draw by how much the second is better, part by part, with what is noise in gray."""
    spans = {_(title_of(part)): span for part in (AVERAGE, *_PARTS) if (span := _span(visit, first, second, part))}
    every = {subject: None for one in Group for values in subject_bars(first, one).values() for subject in values}
    for subject in every if not spans else ():
        if span := _span(visit, first, second, subject):
            spans[_(title_of(subject))] = span
    if not spans:
        return
    charts.differences(
        {label: (span.value, span.low, span.high) for label, span in spans.items()},
        title=_("How much better the second is"),
        x_title=_("points of per cent"),
        key=f"difference.{first.id}.{second.id}",
    )
    sure = sum(span.certain for span in spans.values())
    told = _n(
        "{second} against {first}: {count} difference of {all} is more than noise.",
        "{second} against {first}: {count} differences of {all} are more than noise.",
        sure,
        first=plain(first.name),
        second=plain(second.name),
        all=number(len(spans)),
    )
    st.caption(told)


def _span(visit: Visit, first: Scorecard, second: Scorecard, part: str) -> Interval | None:
    scorecards = visit.studio.store.scorecards
    pairs = pairs_of(part, scorecards.pairs(first.id, second.id))
    if pairs:
        return paired_difference(pairs)
    one, other = (tallies_of(part, scorecards.tallies(card.id)) for card in (first, second))
    return difference(one, other) if one and other else None


def _trend(visit: Visit) -> None:
    """Draw the average of C-Eval over all scorecards of this persona, oldest first."""
    cards = list(reversed(visit.studio.store.scorecards.all(visit.persona.id)))
    points: dict[str, list[tuple[str, float]]] = {}
    for card in cards:
        for model, values in group_bars(card).items():
            for part, value in values.items():
                points.setdefault(part, []).append((f"{model} · {moment(card.created_at)}", value))
    if not any(len(values) > 1 for values in points.values()):
        st.caption(_("Two scorecards with groups of C-Eval make a line."))
        return
    charts.trend(
        {_(title_of(part)): values for part, values in points.items()},
        title=_("C-Eval over time, per cent"),
        key="trend",
    )


def _missing(cards: Sequence[Scorecard]) -> None:
    """Say what has no score, and why as far as the evaluator tells."""
    missing = {score.dataset: score.reason for card in cards for score in missing_of(card)}
    if not missing:
        return
    words = _n("{count} dataset without a score", "{count} datasets without a score", len(missing))
    with st.expander(words, icon=":material/help:"):
        unknown = _("The summary says no more than “-”: its task failed, or was not run.")
        st.dataframe(
            {_("dataset"): list(missing), _("reason"): [reason or unknown for reason in missing.values()]},
            hide_index=True,
        )


def _papers(visit: Visit, cards: Sequence[Scorecard]) -> None:
    """Say where each scorecard comes from, and hand out its figures."""
    for card in cards:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"card-{card.id}"):
            told = [f"**{plain(card.name)}**", moment(card.created_at), *_origin(visit, card)]
            st.caption(" · ".join(told), width="content")
            st.download_button(
                "CSV",
                as_csv(_rows(card)),
                f"{card.id}.csv",
                "text/csv",
                key=f"csv.{card.id}",
                type="tertiary",
                on_click="ignore",
            )
            st.download_button(
                "Markdown",
                _as_markdown(card),
                f"{card.id}.md",
                "text/markdown",
                key=f"md.{card.id}",
                type="tertiary",
                on_click="ignore",
            )


def _origin(visit: Visit, card: Scorecard) -> list[str]:
    """Return the model, its base and dataset version, and how long the examination took, as far as they are known."""
    told = []
    if card.model_id:
        model = visit.studio.store.models.get(card.model_id)
        told += [plain(model.name), plain(model.base)]
        if model.dataset_version_id:
            told.append(plain(visit.studio.store.datasets.get(model.dataset_version_id).name))
    tallies = visit.studio.store.scorecards.tallies(card.id)
    if tallies:
        count = sum(one.asked for one in tallies.values())
        told.append(_n("{count} question", "{count} questions", count))
    return told + _took(visit, card)


def _took(visit: Visit, card: Scorecard) -> list[str]:
    """Return how long the run took that made the card; nothing for one that was imported."""
    try:
        run = visit.studio.store.runs.get(card.origin)
    except NotFoundError:
        return []
    if run.started_at is None or run.finished_at is None:
        return []
    return [duration((run.finished_at - run.started_at).total_seconds())]


def _rows(card: Scorecard) -> list[list[str]]:
    rows = [["dataset", "metric", "mode", "model", "value"]]
    rows += [
        [one.dataset, one.metric, one.mode, one.model, "-" if one.value is None else f"{one.value:.2f}"]
        for one in card.scores
    ]
    return rows


def _as_markdown(card: Scorecard) -> str:
    head, *rest = _rows(card)
    lines = [head, ["---"] * len(head), *rest]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
