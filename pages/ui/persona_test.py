"""The persona test: put held-out scenes and probes to a model, and hold its replies beside her real lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core.domain.evaluation import FIDELITY, ORIGINAL, OTHERS, Scorecard
from core.stages.evaluation.fidelity.judge import MOST
from core.stages.evaluation.fidelity.sheet import MEASURES, SHARE
from core.stages.evaluation.intervals import paired_difference, share
from core.stages.evaluation.tables import is_persona_test, labels, values_of
from pages.ui import charts
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, empty
from pages.ui.i18n import _, moment
from pages.ui.labels import figure_of, measure_title
from pages.ui.run_panel import last_run, stage_run, start_run
from pages.ui.settings_form import stage_form

KIND: Final = "fidelity"
_SHOWN: Final = 3
"""Scorecards side by side; her real lines and other people's stand beside them."""
_DRAWN: Final = ("style", "own-words", "period", "facts", "negatives", "role", "ranking")
"""Measures of which more is better, for the chart."""
_WEAK: Final = 60.0
"""Below this the style classifier hardly knows her (per cent, area under the curve, ten lines)."""


def persona_test_room(visit: Visit, cards: Mapping[str, Scorecard]) -> None:
    """Draw the form, its run, and the results of those of the cards that a persona test made."""
    fresh = not last_run(visit, KIND)
    with st.expander(_("Test a model"), icon=":material/theater_comedy:", expanded=fresh, key=f"fidelity.{fresh}"):
        _form(visit)
    stage_run(visit, kind=KIND)
    tested = {card.id: card for card in cards.values() if is_persona_test(card)}
    if not tested:
        empty(_("No model has been tested yet. Put her scenes to one above."), icon="theater_comedy")
        return
    chosen = st.multiselect(
        _("Tests"),
        list(tested),
        default=list(tested)[:1],
        max_selections=_SHOWN,
        format_func=lambda one: f"{_(tested[one].name)} · {moment(tested[one].created_at)}",
    )
    if chosen:
        _results(visit, [tested[one] for one in chosen])


def _form(visit: Visit) -> None:
    choices = {one.id: _(one.title) for one in visit.studio.chat.arena_choices(visit.persona)}
    versions = {one.id: one.name for one in visit.studio.store.datasets.versions(visit.persona.id)}
    left, right = st.columns(2)
    with left:
        who = st.selectbox(_("Who answers"), list(choices), format_func=lambda one: choices[one])
    with right:
        version = st.selectbox(
            _("Scenes of"),
            [None, *versions],
            format_func=lambda one: versions[one] if one else _("the version it was trained on, else the newest"),
        )
    values = stage_form(visit.studio, KIND, first=("scenes", "ranked", "probes"), omit={"who", "dataset_version_id"})
    if st.button(_("Start"), type="primary", icon=":material/play_arrow:", key="fidelity.start"):
        with told_to_the_user():
            start_run(visit, {**values, "who": who, "dataset_version_id": version}, kind=KIND)


def _results(visit: Visit, cards: Sequence[Scorecard]) -> None:
    named = labels(cards)
    columns = {card.id: _(named[card.id, card.scores[0].model]) for card in cards}
    tallies = {card.id: visit.studio.store.scorecards.tallies(card.id) for card in cards}
    series: dict[str, dict[str, float]] = {}
    bounds: dict[str, dict[str, tuple[float, float]]] = {}  # of an imported test nothing is known reply by reply
    for card in cards:
        values = {one: value for one, value in values_of(card).items() if one in _DRAWN}
        spans = {one: share(tallies[card.id][one]) for one in values if one in tallies[card.id]}
        series[columns[card.id]] = {measure_title(one): value for one, value in values.items()}
        bounds[columns[card.id]] = {measure_title(one): (span.low, span.high) for one, span in spans.items() if span}
    for column, title in ((ORIGINAL, _("her real lines")), (OTHERS, _("other people's lines"))):
        found = {one.dataset: one.value for one in cards[0].scores if one.model == column and one.dataset in _DRAWN}
        series[title] = {measure_title(one): value for one, value in found.items() if value is not None}
    charts.compared(
        {name: values for name, values in series.items() if values},
        title=_("More is better, per cent"),
        key=f"fidelity.{'.'.join(columns)}",
        bounds={name: spans for name, spans in bounds.items() if spans},
    )
    if any(bounds.values()):
        st.caption(_("The whiskers: in 95 of 100 cases the true share of right answers lies between them."))
    if len({one.version for card in cards for one in card.scores}) > 1:
        st.caption(_("These tests are of different dataset versions; the lines beside them are those of the first."))
    _classifier(cards[0])
    if len(cards) == 2:
        _difference(visit, *cards)
    _table(cards, columns)


def _classifier(card: Scorecard) -> None:
    """Say beside the style score how far its yardstick can be trusted."""
    known = {one.dataset: one.value for one in card.scores if one.mode == FIDELITY}
    one, ten = known.get("style-lines"), known.get("style-bundles")
    if one is None or ten is None:
        st.caption(_("The held-out chapters have too few lines to say how far the style classifier can be trusted."))
        return
    told = _(
        "The style classifier has learnt from training chapters only, names masked. On held-out chapters it tells her "
        "lines from other people's with an area under the curve of {one:.2f} for a single line and {ten:.2f} for ten "
        "at a time (0.5 is guessing): read the share of many replies, not the verdict on one."
    )
    st.caption(told.format(one=one / 100, ten=ten / 100))
    if ten < _WEAK:
        st.warning(_("Here the classifier hardly knows her: leave the style score aside."), icon=":material/warning:")


def _difference(visit: Visit, first: Scorecard, second: Scorecard) -> None:
    """Draw by how much the second is better on the same scenes and questions, with what is noise in gray."""
    pairs = visit.studio.store.scorecards.pairs(first.id, second.id)
    spans = {one: paired_difference([pairs[one]]) for one in _DRAWN if one in pairs}
    found = {measure_title(one): (span.value, span.low, span.high) for one, span in spans.items() if span}
    if found:
        charts.differences(
            found,
            title=_("How much better the second is"),
            x_title=_("points of per cent"),
            key=f"fidelity.difference.{first.id}.{second.id}",
        )


def _table(cards: Sequence[Scorecard], columns: Mapping[str, str]) -> None:
    """Show every figure, with what her real lines reach and why one is missing."""
    measures = list(dict.fromkeys(one.dataset for card in cards for one in card.scores if one.mode == FIDELITY))
    known = {(card.id, one.dataset, one.model): one for card in cards for one in card.scores}
    order = [*(one for one in MEASURES if one in measures), *(one for one in measures if one not in MEASURES)]
    rows = []
    for measure in order:
        cells = [known.get((card.id, measure, card.scores[0].model)) for card in cards]
        metric = next((one.metric for one in cells if one), SHARE)
        beside = [known.get((cards[0].id, measure, column)) for column in (ORIGINAL, OTHERS)]
        row = {_("measure"): measure_title(measure)}
        row |= {
            columns[card.id]: figure_of(cell.value if cell else None, metric)
            for card, cell in zip(cards, cells, strict=True)
        }
        row |= {
            title: figure_of(cell.value if cell else None, metric)
            for title, cell in zip((_("her real lines"), _("other people's lines")), beside, strict=True)
        }
        reasons = [one.reason for one in cells if one and one.value is None and one.reason]
        row[_("what it says")] = _(reasons[0]) if reasons else _about(measure)
        rows.append(row)
    st.dataframe({title: [row[title] for row in rows] for title in rows[0]}, hide_index=True, height="content")


def _about(measure: str) -> str:
    if measure in MEASURES:
        return _(MEASURES[measure][1])
    return _("A mark of the judge, from 1 to {most}.").format(most=MOST)
