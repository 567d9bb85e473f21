"""A model on one page: what it was made of, every score there is of it, what people voted; two or more side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core.domain.evaluation import Scorecard, Tally
from core.domain.training import Model, ModelKind
from core.domain.voice_training import VoiceCard
from core.lifecycle import stage
from core.stages.evaluation.arena.ratings import ratings
from core.stages.evaluation.fidelity.sheet import MEASURES
from core.stages.evaluation.intervals import share
from core.stages.evaluation.subjects import SUBJECTS, ceval_part
from core.stages.evaluation.tables import is_persona_test, values_of
from core.translation import N_
from pages.ui.frame import Visit, empty, script
from pages.ui.i18n import _, moment, number
from pages.ui.labels import figure_of, measure_title
from pages.ui.model_actions import run_link
from pages.ui.state import Slot
from pages.ui.tables import as_csv
from pages.ui.voice_choice import MEASURES as VOICE_MEASURES

SHEETS: Final = Slot("sheets", "", link="models")
"""Ids of the models whose sheets are open, with commas between them."""
_MOST: Final = 4
_SETTINGS: Final[Mapping[str, str]] = {
    "method": N_("method"),
    "epochs": N_("epochs"),
    "max_steps": N_("steps"),
    "learning_rate": N_("learning rate"),
    "max_length": N_("length"),
}
"""Settings of a training that tell most of it; the run tells the rest."""

Row = tuple[str, str, Sequence[str]]
"""Where it belongs, what it is, and a cell for each model."""


def model_sheets(visit: Visit) -> None:
    """Draw the sheets of the chosen models, and what was measured of each voice."""
    models = {one.id: one for one in visit.studio.store.models.all(visit.persona.id, ModelKind.TEXT)}
    if models:
        _text_models(visit, models)
    else:
        empty(_("There is no text model yet: fine-tune one, and all that is known of it stands here."), icon="school")
    _voices(visit)


def _text_models(visit: Visit, models: Mapping[str, Model]) -> None:
    linked = [one for one in SHEETS.get().split(",") if one in models]
    chosen = st.multiselect(
        _("Models"),
        list(models),
        default=linked or list(models)[:1],
        max_selections=_MOST,
        format_func=lambda one: f"{models[one].name} · {moment(models[one].created_at)}",
        key=f"sheets.{','.join(linked)}",
    )
    SHEETS.set(",".join(chosen))
    shown = [models[one] for one in chosen]
    if not shown:
        st.caption(_("Choose at least one model."))
        return
    rows = [*_origins(visit, shown), *_scores(visit, shown), *_votes(visit, shown)]
    heads = [_("part"), _("what"), *_names(shown)]
    table = [heads, *([part, title, *cells] for part, title, cells in rows)]
    st.dataframe(
        {title: [row[place] for row in table[1:]] for place, title in enumerate(heads)},
        hide_index=True,
        height="content",
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sheet-links"):
        if len(shown) == 1:
            run_link(shown[0])
        st.download_button("CSV", as_csv(table), "models.csv", "text/csv", type="tertiary", on_click="ignore")
        st.page_link(script(stage("finetuning")), label=f":small[{_('All text models')}]", icon=":material/school:")
    st.caption(_("Scores with bounds in brackets: in 95 of 100 cases the true share lies between them."))


def _names(models: Sequence[Model]) -> list[str]:
    """Return the models' names; two of one name are told apart by their ids."""
    names = [one.name for one in models]
    return [f"{one.name} ({one.id})" if names.count(one.name) > 1 else one.name for one in models]


def _origins(visit: Visit, models: Sequence[Model]) -> list[Row]:
    versions = {one.id: one for one in visit.studio.store.datasets.versions(visit.persona.id)}
    of_version = [versions.get(one.dataset_version_id or "") for one in models]
    settings = [one.manifest.get("settings", {}) for one in models]
    part = _("origin")
    rows: list[Row] = [
        (part, _("made"), [moment(one.created_at) for one in models]),
        (part, _("base"), [one.base for one in models]),
        (part, _("dataset version"), [f"{one.name} · {one.fingerprint[:8]}" if one else "—" for one in of_version]),
        (part, _("samples"), [number(one.train_samples) if one else "—" for one in of_version]),
    ]
    for name, title in _SETTINGS.items():
        if any(name in one for one in settings):
            rows.append((part, _(title), [str(one.get(name, "—")) for one in settings]))
    trials = [one.manifest.get("trial", {}) for one in models]
    for side, title in (("base", _("held-out loss before")), ("merged", _("held-out loss after"))):
        losses = [one.get(side, {}).get("held_out_loss") for one in trials]
        if any(one is not None for one in losses):
            rows.append((part, title, [_figure(one) for one in losses]))
    return rows


def _scores(visit: Visit, models: Sequence[Model]) -> list[Row]:
    """Return the newest score of each model on everything that any of them was measured on."""
    cards = visit.studio.store.scorecards.all(visit.persona.id)
    newest = [_newest([card for card in cards if card.model_id == one.id]) for one in models]
    tallies = {
        card.id: visit.studio.store.scorecards.tallies(card.id) for found in newest for card in {*found.values()}
    }
    measured = list(dict.fromkeys(name for found in newest for name in found if not _is_subject(name)))
    order = [*(one for one in measured if one not in MEASURES), *(one for one in MEASURES if one in measured)]
    rows: list[Row] = []
    for dataset in order:
        cells = [_cell(found.get(dataset), dataset, tallies) for found in newest]
        faithful = any(is_persona_test(found[dataset]) for found in newest if dataset in found)
        rows.append((_("is it her?") if faithful else _("examination"), measure_title(dataset), cells))
    return rows


def _is_subject(dataset: str) -> bool:
    """Whether it is a single subject of C-Eval; its groups are enough here, the part “Scores” has them all."""
    part = ceval_part(dataset)
    return part is not None and any(part in subjects for subjects in SUBJECTS.values())


def _newest(cards: Sequence[Scorecard]) -> dict[str, Scorecard]:
    """Return dataset -> the newest card that has a score on it; `cards` are newest first."""
    found: dict[str, Scorecard] = {}
    for card in cards:
        for dataset in values_of(card):
            found.setdefault(dataset, card)
    return found


def _cell(card: Scorecard | None, dataset: str, tallies: Mapping[str, Mapping[str, Tally]]) -> str:
    if card is None:
        return "—"
    value = values_of(card)[dataset]
    span = share(tallies[card.id][dataset]) if dataset in tallies[card.id] else None
    if span is not None:
        return f"{value:.1f} % ({span.low:.0f}–{span.high:.0f})"
    metric = next(one.metric for one in card.scores if one.dataset == dataset)
    return figure_of(value, metric)


def _votes(visit: Visit, models: Sequence[Model]) -> list[Row]:
    votes = visit.studio.store.votes.in_arena(visit.persona.id, limit=None).rows
    known = {one.name: one for one in ratings(votes)} if votes else {}
    found = [known.get(one.id) for one in models]
    if not any(found):
        return []
    part = _("arena")
    spans = [f"{one.strength:.0f} ({one.low:.0f}–{one.high:.0f})" if one else "—" for one in found]
    return [(part, _("rating"), spans), (part, _("votes"), [number(one.votes) if one else "—" for one in found])]


def _voices(visit: Visit) -> None:
    """Show what was measured of each voice when its weights were compared."""
    voices = visit.studio.store.models.all(visit.persona.id, ModelKind.VOICE)
    st.subheader(_("Voices"), anchor=False)
    if not voices:
        st.caption(_("There is no voice yet: train one, or bring one in that was exported."))
        return
    cards = [VoiceCard.model_validate(one.manifest["card"]) for one in voices]
    columns: dict[str, list[str]] = {
        _("voice"): [one.name for one in voices],
        _("version"): [one.version for one in cards],
        _("epochs"): [f"{one.sovits_epoch or '—'} / {one.gpt_epoch or '—'}" for one in cards],
    }
    for name, (title, pattern) in VOICE_MEASURES.items():
        values = [one.scores.get(name) for one in cards]
        if any(one is not None for one in values):
            columns[_(title)] = [_figure(one, pattern) for one in values]
    st.dataframe(columns, hide_index=True)
    st.caption(_("Measured on sentences she has not been trained with, when the weights of a training were compared."))


def _figure(value: float | None, pattern: str = "0.00") -> str:
    return "—" if value is None else number(value, pattern)
