"""Two runs of one kind over each other: curves, settings and versions that differ, answers and results side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from core.domain.run import Run
from core.errors import NotFoundError
from core.services import Services
from core.stages.finetuning.comparison import Difference, differences, paired_answers, results
from core.translation import N_
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit
from pages.ui.i18n import _, duration, moment, number
from pages.ui.labels import job_title, run_state
from pages.ui.run_curves import curves_of_both
from pages.ui.settings_form import label_of
from pages.ui.state import AGAINST
from pages.ui.training_result import probe_rounds

_OFFERED: Final = 100
"""Most runs of a kind that are offered, the newest first."""

_RESULTS: Final[Mapping[str, str]] = {
    "seconds": N_("time"),
    "steps": N_("steps"),
    "first_loss": N_("first loss"),
    "final_loss": N_("last loss"),
    "parameters": N_("parameters"),
    "held_out_loss.base": N_("held-out loss of the base"),
    "held_out_loss.merged": N_("held-out loss of the model"),
    "held_out_nats_per_character.base": N_("nats a character, base"),
    "held_out_nats_per_character.merged": N_("nats a character, model"),
    "held_out_nats_per_character.bigram": N_("nats a character, counting pairs"),
    "held_out_nats_per_character.unigram": N_("nats a character, counting characters"),
}
"""Results that have a name of their own; others are shown as they are called in the run."""


def run_comparison(visit: Visit, run_id: str) -> None:
    """Offer the other runs of the same kind and compare with the one chosen."""
    with told_to_the_user():
        run = visit.studio.store.runs.get(run_id)
        others = visit.studio.store.runs.all(persona_id=run.persona_id, kind=run.kind, limit=_OFFERED)
        known = {one.id: one for one in others if one.id != run.id}
        if not known and not AGAINST.get():
            return
        other = _other(visit.studio, known, run)
        if other is not None:
            with st.container(border=True, key="comparison"):
                _compared(visit.studio, run, other)


def _other(studio: Services, known: dict[str, Run], run: Run) -> Run | None:
    linked = AGAINST.get()
    if linked and linked not in known:
        known[linked] = _linked(studio, run, linked)
    options = list(known)
    chosen = st.selectbox(
        _("Compare with"),
        options,
        index=options.index(linked) if linked else None,
        format_func=lambda one: _called(studio, known[one]),
        placeholder=_("another run of the same kind"),
        key=f"against.{run.id}.{linked}",
    )
    if (chosen or "") != linked:
        AGAINST.set(chosen or "")
        st.rerun()
    return known[chosen] if chosen else None


def _linked(studio: Services, run: Run, linked: str) -> Run:
    """Return the run the address bar names; NotFoundError for one that cannot stand beside this one."""
    other = studio.store.runs.get(linked)
    if other.kind != run.kind or other.id == run.id:
        raise NotFoundError(
            N_("{other} is no other run of the same kind as {run}."),
            remedy=N_("Choose one from the list of runs."),
            other=linked,
            run=run.id,
        )
    return other


def _called(studio: Services, run: Run) -> str:
    name = run.settings.get("name") or job_title(studio, run.kind)
    return f"{name} · {moment(run.created_at)} · {run_state(run.state)} · {run.id}"


def _compared(studio: Services, run: Run, other: Run) -> None:
    names = _names(run, other)
    curves_of_both(
        [(name, studio.curves(one.id)) for name, one in zip(names, (run, other), strict=True)],
        key=f"{run.id}.{other.id}",
    )
    settings = differences(run.settings, other.settings)
    _table(_("Settings that differ"), [_row(_setting(one.name), one, _shown) for one in settings], names)
    if not settings:
        st.caption(_("Both have the same settings."))
    versions = [*differences(run.versions, other.versions), *differences(run.inputs, other.inputs)]
    _table(_("Versions and inputs that differ"), [_row(one.name, one, _shown) for one in versions], names)
    ended = [
        _row(_(_RESULTS.get(one.name, one.name)), one, duration if one.name == "seconds" else _figure)
        for one in results(run, other)
    ]
    _table(_("Results"), ended, names)
    _answers(studio, run, other, names)


def _names(run: Run, other: Run) -> tuple[str, str]:
    """Return what the two are called in charts and tables: their names where they have different ones."""
    mine, its = str(run.settings.get("name") or ""), str(other.settings.get("name") or "")
    return (mine, its) if mine and its and mine != its else (run.id, other.id)


def _setting(dotted: str) -> str:
    return " › ".join(label_of(part) for part in dotted.split("."))


def _row(called: str, one: Difference, shown: Callable[[Any], str]) -> tuple[str, str, str]:
    return called, shown(one.one) if one.one is not None else "–", shown(one.other) if one.other is not None else "–"


def _figure(value: float) -> str:
    return number(value, "#,##0.###")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        return number(value, "#,##0.##########")
    if isinstance(value, list | tuple):
        return _(", ").join(str(one) for one in value)
    return str(value)


def _table(title: str, rows: Sequence[tuple[str, str, str]], names: tuple[str, str]) -> None:
    if not rows:
        return
    st.markdown(f"**{title}**")
    columns = {
        _("what"): [row[0] for row in rows],
        names[0]: [row[1] for row in rows],
        names[1]: [row[2] for row in rows],
    }
    st.dataframe(columns, hide_index=True, height="content")


def _answers(studio: Services, run: Run, other: Run, names: tuple[str, str]) -> None:
    folders = [studio.settings.runs / one.id for one in (run, other)]
    asked = [list(one.settings.get("questions") or ()) for one in (run, other)]
    pairs = paired_answers(probe_rounds(folders[0]), probe_rounds(folders[1]), *asked)
    if not pairs:
        return
    st.markdown(f"**{_('What they answer as the training goes on')}**")
    steps = [str(one.step) if one.step == one.other_step else f"{one.step} · {one.other_step}" for one in pairs]
    st.dataframe(
        {
            _("step"): steps,
            _("question"): [one.question for one in pairs],
            names[0]: [one.one for one in pairs],
            names[1]: [one.other for one in pairs],
        },
        hide_index=True,
    )
