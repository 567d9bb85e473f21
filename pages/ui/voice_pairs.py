"""A pair of weights as a ranking tells it: what people and votes call it, and what it said of a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui.frame import Visit
from pages.ui.i18n import _

Told = Mapping[str, Any]
"""A pair, or a take of it, in a ranking's result."""


def name_of(pair: Told) -> str:
    """Return what people call a pair: the epochs of its two stages."""
    return called(pair["sovits"], pair["gpt"])


def called(sovits: int, gpt: int) -> str:
    """Return what people call the weights of those epochs."""
    return _("sound {sovits} · speech {gpt}").format(sovits=sovits, gpt=gpt)


def key_of(pair: Told) -> str:
    """Return what a vote calls a pair."""
    return f"{pair['sovits']}+{pair['gpt']}"


def take_of(pair: Told, sentence: int) -> Told:
    """Return what a pair said of a sentence; an empty one where it was never asked."""
    return next((one for one in pair["takes"] if one["sentence"] == sentence), {})


def spoke(visit: Visit, take: Told) -> bool:
    """Whether there is a sound of the take."""
    return bool(take.get("sha256")) and visit.studio.store.files.has(take["sha256"])


def play_take(visit: Visit, take: Told) -> None:
    """Draw the player of a take; say it where there is no sound."""
    if spoke(visit, take):
        st.audio(visit.studio.store.files.read(take["sha256"]), format="audio/wav")
    else:
        st.caption(_("It said nothing."))
