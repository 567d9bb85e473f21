"""Start a fine-tuning: version, preset, base, settings explained; what stands in its way and what it will need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from core.domain.recipe import TINY
from core.domain.text import DatasetVersion
from core.domain.training import Base
from core.stages.finetuning.settings import PRESETS, preset_values
from core.translation import N_
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, empty
from pages.ui.i18n import _, moment, number
from pages.ui.part_tabs import PART
from pages.ui.run_panel import begun, stage_run, start_run
from pages.ui.settings_form import Section, stage_form
from pages.ui.training_check import checked_training, show_check, show_configuration

_FOLDER: Final = "folder…"
_PRESETS: Final[Mapping[str, str]] = {
    "tiny-cpu": N_(
        "Builds a tiny model that reads a little of the book, and tunes it on your dataset. Needs no GPU and no "
        "download; a few minutes on two processor cores. It shows the whole path; do not expect a good talker."
    ),
    "tiny-book": N_(
        "The tiny model, but it reads the whole book before it learns to talk: about seven minutes on one processor "
        "core. From a novel it learns more than which character follows which; it is still no good talker."
    ),
    "internlm2-chat-1.8b-qlora": N_(
        "The settings of the original: an adapter on InternLM2-chat-1.8B squeezed to 4 bits. Needs a GPU with about "
        "8 GB of memory and the base model; some minutes to an hour, as large as the dataset is."
    ),
    "lora": N_(
        "An adapter on a base model of about 2 billion parameters in full precision. Needs a GPU with about 16 GB of "
        "memory; a little faster and a little more exact than QLoRA."
    ),
    "full": N_(
        "Moves every weight of a base model of about 2 billion parameters. Needs a GPU with about 24 GB of memory and "
        "much disk; learns most, and forgets most of what the base could."
    ),
}
"""What each preset is, needs and takes; a preset of one's own speaks by its name."""


def training_room(visit: Visit) -> None:
    """Draw the form and the run it starts."""
    versions = {version.id: version for version in visit.studio.store.datasets.versions(visit.persona.id)}
    if not versions:
        empty(
            _("There is no dataset version to train on yet."),
            icon="dataset",
            link="dataset",
            label=_("Build a dataset version"),
        )
        return
    fresh = not begun(visit)
    # Drawn only while it is open: the check below it loads a tokenizer at its first look.
    folded = st.expander(
        _("Fine-tune a model"),
        icon=":material/model_training:",
        expanded=fresh,
        key=f"finetune.{fresh}",
        on_change="rerun",
    )
    if folded.open:
        with folded:
            _form(visit, versions)
    stage_run(visit, folded=False)


@st.fragment
def _form(visit: Visit, versions: Mapping[str, DatasetVersion]) -> None:
    preset = st.selectbox(
        _("Preset"), PRESETS, help=_("Where the settings below start from; a file in configs/finetuning.")
    )
    if preset in _PRESETS:
        st.caption(_(_PRESETS[preset]))
    left, right = st.columns(2)
    with left:
        version = st.selectbox(
            _("Dataset version"),
            list(versions),
            format_func=lambda one: f"{versions[one].name} · {number(versions[one].train_samples)}",
        )
    with right:
        base = _base(visit, preset)
    values = stage_form(
        visit.studio,
        "finetuning",
        preset=preset,
        first=("name", "method", "max_steps", "epochs", "learning_rate", "batch_size", "max_length"),
        omit={"preset", "dataset_version_id", "trainer", "base"} | (set() if base == TINY else {"tiny"}),
        sections=_sections(builds_base=base == TINY),
    )
    wanted = {**values, "base": base, "preset": preset, "dataset_version_id": version}
    if base != TINY:
        wanted["tiny"] = preset_values(preset)["tiny"]
    if base:
        _checked(visit, wanted)


def _checked(visit: Visit, wanted: Mapping[str, Any]) -> None:
    """Show what was found about these settings, and start them unless that forbids it."""
    with told_to_the_user():
        found = checked_training(visit, wanted)
        show_check(visit, wanted, found)
        if st.button(_("Start"), type="primary", icon=":material/play_arrow:", disabled=bool(found.blocking)):
            start_run(visit, wanted)
        show_configuration(visit, wanted)


def _base(visit: Visit, preset: str) -> str:
    """Ask for the base model; empty while it is not there."""
    bases = {base.id: base for base in visit.studio.store.bases.all()}
    usual = str(preset_values(preset)["base"])
    options = list(dict.fromkeys([usual, TINY, *bases, _FOLDER]))
    chosen = st.selectbox(
        _("Base model"), options, format_func=lambda one: _base_name(one, bases), key=f"finetuning.{preset}.base"
    )
    if chosen == _FOLDER:
        folder = st.text_input(_("Folder"), help=_("Absolute, or in the workspace."), key=f"finetuning.{preset}.folder")
        return folder.strip()
    if chosen in bases or chosen == TINY or (visit.studio.settings.workspace / chosen).is_dir():
        return str(chosen)
    st.info(_("{base} is not here yet.").format(base=chosen), icon=":material/download:")
    if st.button(_("Bring it in"), icon=":material/arrow_forward:", key=f"finetuning.{preset}.bring"):
        PART.set("bases")
        st.rerun()
    return ""


def _base_name(base: str, bases: Mapping[str, Base]) -> str:
    if base == TINY:
        return _("tiny, built on the spot")
    if base == _FOLDER:
        return _("a folder…")
    return f"{bases[base].name} · {moment(bases[base].created_at)}" if base in bases else base


def _sections(*, builds_base: bool) -> list[Section]:
    tiny = Section(
        "tiny",
        _("The tiny base"),
        _("How large the model is that is built on the spot, and how long it reads before the fine-tuning."),
        ":material/egg:",
    )
    return [
        *([tiny] if builds_base else []),
        Section(
            "adapter",
            _("Adapter"),
            _("What LoRA and QLoRA train beside the base; a full training has none."),
            ":material/extension:",
        ),
        Section("optimizer", _("Optimizer"), _("How fast and how far the weights move."), ":material/trending_down:"),
        Section(
            "intervals",
            _("Intervals"),
            _("When checkpoints are saved, points are drawn and probe questions are asked."),
            ":material/schedule:",
        ),
        Section(
            "launcher",
            _("Launcher"),
            _("One device needs nothing here. Several GPUs or machines train together under torchrun or Slurm."),
            ":material/rocket_launch:",
        ),
    ]
