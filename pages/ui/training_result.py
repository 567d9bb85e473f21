"""What came of a fine-tuning: her answers as it went on, the held-out loss, and the answers before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st

from core.domain.run import Run
from core.stages.finetuning.watching import PROBES
from core.translation import N_
from pages.ui import charts
from pages.ui.i18n import _, number

_FORESIGHT: Final[Mapping[str, str]] = {
    "merged": N_("this model"),
    "base": N_("the base model"),
    "bigram": N_("counting pairs of characters"),
    "unigram": N_("counting characters"),
}
"""Whose foresight of her words is measured -> what it is called."""


def probe_rounds(folder: Path) -> Sequence[Mapping[str, Any]]:
    """Return the rounds of probe questions of a run's folder: `{"step", "answers"}`, in order."""
    file = folder / PROBES
    rounds: list[Mapping[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return rounds


def probes(folder: Path, run: Run) -> None:
    """Show the answers to the probe questions, a row for each round, a column for each question."""
    questions = run.settings.get("questions")
    rounds = probe_rounds(folder) if questions else ()
    if not rounds:
        return
    with st.expander(_("What she answers as the training goes on"), icon=":material/psychology_alt:"):
        columns: dict[str, list[Any]] = {_("step"): [one["step"] for one in rounds]}
        columns |= {text: [_at(one["answers"], place) for one in rounds] for place, text in enumerate(questions or ())}
        st.dataframe(columns, hide_index=True)


def training_result(run: Run) -> None:
    """Show what the finished model foresees of lines it never saw, and what it answers that the base did not."""
    loss = run.result.get("held_out_loss")
    if isinstance(loss, Mapping) and loss.get("merged") is not None:
        _losses(run, loss)
    answers = run.result.get("answers")
    if isinstance(answers, Mapping) and {"base", "merged"} <= set(answers):
        questions = list(answers["merged"])
        st.dataframe(
            {
                _("question"): questions,
                _("before"): [answers["base"].get(one, "") for one in questions],
                _("after"): [answers["merged"][one] for one in questions],
            },
            hide_index=True,
        )


def _losses(run: Run, loss: Mapping[str, float | None]) -> None:
    after, before = loss["merged"] or 0.0, loss.get("base")
    st.metric(
        _("Held-out loss"),
        number(after, "0.00"),
        delta=None if before is None else number(after - before, "+0.00;-0.00"),
        delta_color="inverse",
        help=_("How badly her held-out lines are foreseen, in nats a token; the difference is to the base model."),
    )
    by_character = run.result.get("held_out_nats_per_character")
    if isinstance(by_character, Mapping):
        known = {_(_FORESIGHT[name]): by_character[name] for name in _FORESIGHT if by_character.get(name)}
        charts.bars(known, title=_("Nats a character, held-out lines"), key=f"foresight.{run.id}", digits=2)
        st.caption(_("How badly each foresees her held-out lines; less is better. Counting is what to beat."))


def _at(answers: Sequence[str], place: int) -> str:
    return answers[place] if place < len(answers) else ""
