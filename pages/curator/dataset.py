"""Dataset: build a version from her lines, read what is in it, take it along."""

from __future__ import annotations

import streamlit as st

from core.domain.text import Split
from core.stages.dataset.export import export
from core.store.utterances import UtteranceFilter
from pages.ui import charts
from pages.ui.choosing import chosen_record
from pages.ui.frame import coming, empty, page
from pages.ui.i18n import _, moment, number
from pages.ui.labels import split_name
from pages.ui.run_panel import begun, stage_run, start_run
from pages.ui.samples import show_sample
from pages.ui.settings_form import stage_form
from pages.ui.state import VERSION

visit = page("dataset")
studio, persona = visit.studio, visit.persona

sources = {source.id: source.name for source in studio.store.corpus.sources(persona.id)}
versions = {version.id: version for version in studio.store.datasets.versions(persona.id)}

if not versions and not studio.store.utterances.count(UtteranceFilter(persona.id)):
    empty(_("There are no lines to build from yet."), icon="forum", link="dialogues", label=_("Extract the dialogues"))
    coming("dataset")
    st.stop()

with (
    st.expander(_("Build a version"), icon=":material/dataset:", expanded=not begun(visit)),
    st.form("build", border=False),
):
    values = stage_form(
        studio,
        "dataset",
        first=("name", "note", "accepted_only", "min_confidence", "held_out_share", "max_exchanges"),
        omit={"source_ids"},
    )
    chosen = st.multiselect(_("Texts"), list(sources), default=list(sources), format_func=lambda one: sources[one])
    asked = st.form_submit_button(_("Build"), type="primary", icon=":material/play_arrow:")

if asked:
    start_run(visit, {**values, "source_ids": chosen})

stage_run(visit)

if not versions:
    coming("dataset")
    st.stop()

version = chosen_record(_("Version"), versions, VERSION, lambda one: f"{one.name} · {moment(one.created_at)}")
known = version.statistics

with st.container(horizontal=True):
    st.metric(_("Training samples"), number(version.train_samples), border=True, width=180)
    st.metric(_("Held out"), number(version.held_out_samples), border=True, width=180)
    st.metric(_("Her replies"), number(known.get("exchanges", 0)), border=True, width=180)
    st.metric(
        _("Typical reply"),
        _("{count} characters").format(count=number(known.get("reply_characters", {}).get("median", 0))),
        border=True,
        width=220,
    )
with st.container(horizontal=True, vertical_alignment="center"):
    st.download_button(
        _("Download for XTuner (JSON)"),
        lambda: export(version, studio.store.datasets.samples(version.id, split=Split.TRAIN)),
        file_name=f"{persona.id}-{version.name}.xtuner.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(_("fingerprint {fingerprint}").format(fingerprint=f"`{version.fingerprint[:16]}`"), width="content")
    if version.note:
        st.caption(version.note, width="content")

told, figures = st.tabs([_("Samples"), _("Figures")], on_change="rerun")

if figures.open:  # a bar for each chapter takes the browser a while
    with figures:
        left, right = st.columns(2)
        with left:
            people = dict(list(known.get("counterparts", {}).items())[:12])
            charts.bars(people, title=_("Who speaks to her"), key="counterparts")
        with right:
            charts.columns(
                known.get("reply_lengths", {}),
                title=_("Length of her replies"),
                x_title=_("characters, from"),
                key="lengths",
            )
        charts.stacked(
            [(str(row["chapter"]), split_name(row["split"]), row["samples"]) for row in known.get("by_chapter", ())],
            title=_("Samples by chapter"),
            x_title=_("chapter"),
            key="chapters",
        )

with told:
    split = st.segmented_control(
        _("Side"), list(Split), default=Split.TRAIN, required=True, format_func=split_name, label_visibility="collapsed"
    )
    for sample in studio.store.datasets.samples(version.id, split=split, limit=8):
        show_sample(visit, sample)

coming("dataset")
