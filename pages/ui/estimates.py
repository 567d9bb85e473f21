"""What asking a language model will come to, shown before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.services import Services
from core.settings import secret
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n, duration, number

_FRESH = 30
"""Seconds an estimate is shown again without being made anew."""


def estimate_of(visit: Visit, kind: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the estimate of a run with these settings; StudioError when they are not right."""
    studio = visit.studio
    asked = json.dumps(dict(settings), sort_keys=True, default=list)
    with st.spinner(_("Counting what there is to ask")):
        return _estimated(studio, str(studio.settings.workspace), kind, visit.persona.id, asked)


def show_estimate(told: Mapping[str, Any], key_name: str) -> None:
    """Show calls, tokens, cost and time, and on what they rest; `key_name` is the variable that holds the key."""
    cost = _("unknown") if told["cost"] is None else f"{number(told['cost'], '#,##0.00')} {told['currency']}"
    for column, (title, figure) in zip(
        st.columns(4),
        (
            (_("Calls"), number(told["calls"])),
            (_("Tokens"), number(told["prompt_tokens"] + told["completion_tokens"])),
            (_("Cost"), cost),
            (_("Time"), duration(told["minutes"] * 60)),
        ),
        strict=True,
    ):
        column.metric(title, figure)
    st.caption(" ".join(_remarks(told, key_name)))


def _remarks(told: Mapping[str, Any], key_name: str) -> list[str]:
    words = [_("Nothing has been sent yet.")]
    if told["answered"]:
        words.append(
            _n(
                "{count} question is answered already and free.",
                "{count} questions are answered already and free.",
                told["answered"],
            )
        )
    if told["saved"]:
        words.append(
            _("Asking only about uncertain lines saves {count} questions.").format(count=number(told["saved"]))
        )
    words.append(
        _("Measured on this model's earlier answers.")
        if told["measured"]
        else _("Assumed: one token a character, 40 tokens a second; measured once the model has answered.")
    )
    if told["cost"] is None:
        words.append(_("Prices are set in configs/extraction/prices.yaml."))
    if not secret(key_name):
        words.append(_("No key is set: {name} is empty; a server of your own may need none.").format(name=key_name))
    return words


@st.cache_data(ttl=_FRESH, show_spinner=False, max_entries=50)
def _estimated(_studio: Services, workspace: str, kind: str, persona_id: str, settings: str) -> dict[str, Any]:
    return _studio.estimate(kind, persona_id, json.loads(settings)).plain()
