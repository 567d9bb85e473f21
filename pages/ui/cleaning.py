"""Cleaning: the search for near-duplicates and doubtful lines, and the queues of what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from core.settings import stage_defaults
from core.stages.dataset.cleaning import CleaningSettings
from core.stages.dataset.near_duplicates import Settings as Likeness
from core.stages.dataset.suspects import RULES, SuspectSettings
from core.translation import N_
from pages.ui.decisions import tell
from pages.ui.doubtful_lines import doubtful_lines, rule_name
from pages.ui.duplicate_clusters import clusters
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.run_panel import last_run, stage_run, start_run
from pages.ui.settings_form import settings_form
from pages.ui.state import Slot

CLEANING: Final = "cleaning"
QUEUE: Final = Slot("cleaning.queue", "duplicates", link="queue")
_QUEUES: Final[Mapping[str, tuple[str, str]]] = {
    "duplicates": (N_("Near-duplicates"), N_("Lines that say nearly the same: which of them stay?")),
    "doubtful": (N_("Doubtful lines"), N_("Lines that may be wrong or of no use, with the reason.")),
    "synthetic": (N_("Doubtful synthetic lines"), N_("What a model wrote and may not fit her time or manner.")),
}


def cleaning(visit: Visit, books: Mapping[str, str]) -> None:
    """Show the search, its runs, and what waits for a decision; `books` are the texts' names by id."""
    begun = bool(last_run(visit, CLEANING))
    with (
        st.expander(_("Search the lines"), icon=":material/manage_search:", expanded=not begun),
        st.form("clean", border=False),
    ):
        values = _settings()
        asked = st.form_submit_button(_("Search"), type="primary", icon=":material/play_arrow:")
    if asked:
        start_run(visit, values, kind=CLEANING)
    stage_run(visit, kind=CLEANING)
    if begun:
        _desk(visit, books)


def _settings() -> dict[str, Any]:
    start = stage_defaults(CLEANING, CleaningSettings)
    st.caption(
        _("Looks for lines that say nearly the same, and for lines that may be wrong. It decides nothing: you do.")
    )
    values = settings_form(CleaningSettings, start, key=CLEANING, omit={"likeness", "doubts"})
    with st.expander(_("More settings"), icon=":material/tune:"):
        likeness = settings_form(Likeness, start.likeness, key=f"{CLEANING}.likeness")
        doubts = settings_form(SuspectSettings, start.doubts, key=f"{CLEANING}.doubts", omit={"off"})
        off = st.multiselect(
            _("Reasons not to look for"),
            list(RULES),
            default=[one for one in RULES if one in start.doubts.off],
            format_func=rule_name,
            key=f"{CLEANING}.off",
        )
    return {**values, "likeness": likeness, "doubts": {**doubts, "off": off}}


@st.fragment
def _desk(visit: Visit, books: Mapping[str, str]) -> None:
    tell()
    counts = _counts(visit)
    now = QUEUE.get() if QUEUE.get() in counts else QUEUE.initial
    with st.container(horizontal=True, gap="xxsmall", key="queues"):
        for name, count in counts.items():
            title, meaning = _QUEUES[name]
            st.button(
                f"{_(title)} :small[{number(count)}]",
                key=f"queue.{name}",
                help=_(meaning),
                type="primary" if name == now else "tertiary",
                on_click=QUEUE.set,
                args=(name,),
            )
    if now == "duplicates":
        clusters(visit, books)
    else:
        doubtful_lines(visit, books, synthetic=now == "synthetic")


def _counts(visit: Visit) -> dict[str, int]:
    """Return how much waits in each queue; the queue of synthetic lines is there once somebody has such lines."""
    store, persona = visit.studio.store, visit.persona.id
    counts = {
        "duplicates": store.duplicates.count(persona),
        "doubtful": sum(store.suspicions.counts(persona).values()),
    }
    if store.expansions.count(persona):
        counts["synthetic"] = sum(store.suspicions.counts(persona, synthetic=True).values())
    return counts
