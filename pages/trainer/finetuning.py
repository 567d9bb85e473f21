"""Fine-tuning: choose a dataset version and a preset, start XTuner, watch the loss fall, choose who answers."""

from __future__ import annotations

import streamlit as st

from core.domain.training import ModelKind
from core.stages.finetuning.settings import PRESETS
from pages.ui.errors import told_to_the_user
from pages.ui.frame import coming, empty, page, say_next
from pages.ui.i18n import _, moment, number
from pages.ui.run_panel import begun, stage_run, start_run
from pages.ui.settings_form import stage_form

visit = page("finetuning")
studio, persona = visit.studio, visit.persona

versions = {version.id: version for version in studio.store.datasets.versions(persona.id)}
models = studio.store.models.all(persona.id, ModelKind.TEXT)

if not versions:
    empty(
        _("There is no dataset version to train on yet."),
        icon="dataset",
        link="dataset",
        label=_("Build a dataset version"),
    )
    coming("finetuning")
    st.stop()

with st.expander(_("Fine-tune a model"), icon=":material/model_training:", expanded=not begun(visit)):
    preset = st.selectbox(
        _("Preset"), PRESETS, help=_("Where the settings below start from; a file in configs/finetuning.")
    )
    with told_to_the_user(), st.form("finetune", border=False):
        version = st.selectbox(
            _("Dataset version"),
            list(versions),
            format_func=lambda one: f"{versions[one].name} · {number(versions[one].train_samples)}",
        )
        values = stage_form(
            studio,
            "finetuning",
            preset=preset,
            first=("name", "base", "method", "max_steps", "learning_rate", "batch_size"),
            omit={"preset", "dataset_version_id", "trainer"},
        )
        asked = st.form_submit_button(_("Start"), type="primary", icon=":material/play_arrow:")

    if asked:
        start_run(visit, {**values, "preset": preset, "dataset_version_id": version})

stage_run(visit, folded=False)

st.subheader(_("Models"), anchor=False)
if not models:
    st.caption(_("The first model will stand here when a run has succeeded."))
for model in models:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"model-{model.id}"):
        st.markdown(f"**{model.name}**", width="content")
        if model.in_use:
            st.badge(_("answers in the chat"), color="green", icon=":material/check:")
        trained_on = versions.get(model.dataset_version_id or "")
        st.caption(
            " · ".join([model.base, *([trained_on.name] if trained_on else []), moment(model.created_at)]),
            width="content",
        )
        if not model.in_use and st.button(_("Talk with this one"), icon=":material/chat:", key=f"use.{model.id}"):
            studio.store.models.use(model.id, who=visit.who)
            say_next(_("{name} answers in the chat now.").format(name=model.name))
        with st.popover(_("Manifest"), icon=":material/receipt_long:"):
            st.json(dict(model.manifest))

coming("finetuning")
