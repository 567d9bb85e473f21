"""Fine-tuning: train on a dataset version and watch the loss fall, keep the models, bring base models in."""

from __future__ import annotations

from core.domain.training import ModelKind
from pages.ui.base_models import bases_room
from pages.ui.finetuning_form import training_room
from pages.ui.frame import page
from pages.ui.i18n import _
from pages.ui.model_registry import models_room
from pages.ui.part_tabs import part_tabs
from pages.ui.toolchain import toolchain_line

visit = page("finetuning")

parts = {"train": _("Train"), "models": _("Models"), "bases": _("Base models")}
if not visit.studio.store.models.all(visit.persona.id, ModelKind.TEXT):
    parts.pop("models")
tabs = part_tabs(parts, first="train")

if tabs["train"].open:
    with tabs["train"]:
        training_room(visit)
        toolchain_line(visit, "xtuner", "XTuner")
if "models" in tabs and tabs["models"].open:
    with tabs["models"]:
        models_room(visit)
if tabs["bases"].open:
    with tabs["bases"]:
        bases_room(visit)
