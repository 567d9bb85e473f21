"""Building a version: the form, its runs, and what a trainer would see of the samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from core.domain.text import DatasetVersion
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.markup import plain
from pages.ui.part_tabs import PART
from pages.ui.run_panel import begun, stage_run, start_run
from pages.ui.sample_preview import sample_preview
from pages.ui.settings_form import stage_form
from pages.ui.state import VERSION
from pages.ui.version_statistics import counts

_FIRST: Final = (
    "name",
    "note",
    "accepted_only",
    "drop_proposed",
    "min_confidence",
    "held_out_share",
    "max_exchanges",
    "overlap",
    "synthetic_share",
    "expansions_per_quote",
)


def building(visit: Visit, sources: Mapping[str, str]) -> None:
    """Show the form over the texts (id -> name), the last run, and the preview of a version that is there."""
    with (
        st.expander(_("Build a version"), icon=":material/dataset:", expanded=not begun(visit)),
        st.form("build", border=False),
    ):
        values = stage_form(visit.studio, "dataset", first=_FIRST, omit={"source_ids"})
        chosen = st.multiselect(_("Texts"), list(sources), default=list(sources), format_func=lambda one: sources[one])
        asked = st.form_submit_button(_("Build"), type="primary", icon=":material/play_arrow:")
    if asked:
        start_run(visit, {**values, "source_ids": chosen})
    stage_run(visit)
    newest = next(iter(visit.studio.store.datasets.versions(visit.persona.id)), None)
    if newest is None:
        return
    _newest(newest)
    sample_preview(visit)


def _newest(version: DatasetVersion) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(_("Newest: **{name}**").format(name=plain(version.name)), width="content")
        st.button(
            _("Look into it"),
            icon=":material/arrow_forward:",
            type="tertiary",
            key="look-at-newest",
            on_click=_look_at,
            args=(version.id,),
        )
    counts(version)


def _look_at(version_id: str) -> None:
    VERSION.set(version_id)
    PART.set("versions")
