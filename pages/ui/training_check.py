"""What a fine-tuning will need and what stands in its way, live under its form; and what the trainer would be given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.services import Services
from core.stages.finetuning.checking import Pace
from core.stages.finetuning.estimate import MemoryEstimate
from core.stages.finetuning.preflight import Plan, Preflight
from pages.ui import charts
from pages.ui.findings import show_findings
from pages.ui.frame import Visit
from pages.ui.i18n import _, duration, number, size_of

_FRESH = 20
"""Seconds a check is shown again without being made anew; what is free changes."""


def checked_training(visit: Visit, settings: Mapping[str, Any]) -> Preflight:
    """Return the check of these settings; StudioError when they are not right or something they need is missing."""
    asked = json.dumps(dict(settings), sort_keys=True, default=list)
    with st.spinner(_("Reading the samples as the trainer does"), show_time=True):
        return _checked(visit.studio, str(visit.studio.settings.workspace), visit.persona.id, asked)


def show_check(visit: Visit, settings: Mapping[str, Any], found: Preflight) -> None:
    """Show findings, memory, disk, steps and time."""
    show_findings(found.findings)
    with st.container(border=True, key="training-needs"):
        if found.memory is not None:
            _memory(found.memory, found)
        if found.disk is not None:
            words = _("Disk: about {needed}; {free} are free.")
            st.caption(words.format(needed=size_of(found.disk.total), free=size_of(found.disk_free)))
        if found.plan is not None and found.plan.tokens_per_epoch:
            st.caption("  \n".join(_plan(found.plan, visit.studio.training_pace(settings))))


def show_configuration(visit: Visit, settings: Mapping[str, Any]) -> None:
    """Show, folded away, the file that the trainer would be given."""
    folded = st.expander(
        _("Show the configuration"), icon=":material/description:", key="training-config", on_change="rerun"
    )
    if not folded.open:
        return
    with folded:
        file = visit.studio.write_training(visit.persona.id, settings)
        st.caption(_("What the trainer will read. Each run keeps its own; there it can be run by hand like this:"))
        st.code(file.command, language="bash", wrap_lines=True)
        st.download_button(
            _("Download"), file.text, file.name, mime="text/x-python", icon=":material/download:", on_click="ignore"
        )
        st.code(file.text, language="python", height=320)


def _memory(needed: MemoryEstimate, found: Preflight) -> None:
    parts = {
        _("weights"): needed.weights,
        _("adapter, gradients, optimizer"): needed.adapter + needed.gradients + needed.optimizer,
        _("activations"): needed.activations,
        _("saving a checkpoint"): needed.saving,
        _("program and reserve"): needed.program,
    }
    words = _("Memory: about {needed}").format(needed=size_of(needed.total))
    if found.memory_total:
        words = _("Memory: about {needed}; {free} of {total} are free").format(
            needed=size_of(needed.total), free=size_of(found.memory_free), total=size_of(found.memory_total)
        )
    st.markdown(f"**{words}**")
    charts.shares(parts, whole=found.memory_free, shown=size_of)


def _plan(plan: Plan, pace: Pace | None) -> list[str]:
    told = [
        _(
            "About {steps} steps, {epoch} to an epoch of {tokens} tokens. "
            "The weights move after every {batch} sequences."
        ).format(
            steps=number(plan.steps),
            epoch=number(plan.steps_per_epoch),
            tokens=number(plan.tokens_per_epoch),
            batch=number(plan.effective_batch),
        )
    ]
    if pace is not None:
        words = _("About {time}, as a step took {seconds} s the last time.")
        told.append(words.format(time=duration(pace.seconds(plan.steps)), seconds=number(pace.seconds_per_step)))
    else:
        told.append(_("How long a step takes is known after a first run with such settings."))
    return told


@st.cache_data(ttl=_FRESH, show_spinner=False, max_entries=50)
def _checked(_studio: Services, workspace: str, persona_id: str, settings: str) -> Preflight:
    return _studio.check_training(persona_id, json.loads(settings))
