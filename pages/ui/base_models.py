"""Base models: bring one in from a hub or a folder, watch it arrive, see what is there and what was checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from core.domain.training import Base
from core.settings import stage_defaults
from core.stages.finetuning.bases.planning import BasePlan
from core.stages.finetuning.bases.removing import base_users
from core.stages.finetuning.bases.settings import BaseImport, Hubs
from core.translation import N_
from pages.ui.decisions import careful, tell
from pages.ui.errors import show_failure, told_to_the_user
from pages.ui.frame import Visit
from pages.ui.i18n import _, moment, number, size_of
from pages.ui.markup import plain
from pages.ui.run_panel import stage_run, start_run
from pages.ui.settings_form import settings_form
from pages.ui.state import SAID

_KIND: Final = "base_model"
_SOURCES: Final[Mapping[str, str]] = {
    "modelscope": "ModelScope",
    "huggingface": "Hugging Face",
    "folder": N_("A folder on this machine"),
}


def bases_room(visit: Visit) -> None:
    """Draw the base models and the form that brings one in."""
    tell()
    bases = visit.studio.store.bases.all()
    with st.expander(_("Bring a base model in"), icon=":material/download:", expanded=not bases):
        _form(visit)
    stage_run(visit, kind=_KIND)
    if not bases:
        st.caption(_("No base model was brought in yet. The tiny one needs none: it is built on the spot."))
    for base in bases:
        with st.container(border=True, key=f"base-{base.id}"):
            _card(visit, base)


@st.fragment
def _form(visit: Visit) -> None:
    source = st.segmented_control(
        _("Where it is"),
        list(_SOURCES),
        default="modelscope",
        format_func=lambda one: _(_SOURCES[one]),
        required=True,
        key="base.source",
    )
    repository = _repository(str(source))
    more = settings_form(BaseImport, {}, key="base", omit={"source", "repository"})
    values = {"source": source, "repository": repository, **more}
    with st.container(horizontal=True, gap="small", key="base-buttons"):
        looked = st.button(
            _("Look"), icon=":material/visibility:", help=_("Lists what would come; fetches no weights.")
        )
        asked = st.button(_("Bring it in"), type="primary", icon=":material/download:")
    with told_to_the_user():
        if asked:
            start_run(visit, values, kind=_KIND)
        if looked:
            with st.spinner(_("Asking what there is"), show_time=True):
                plan = visit.studio.look_at_base(values)
            _plan(plan)


def _repository(source: str) -> str:
    if source == "folder":
        return st.text_input(
            _("Folder"),
            placeholder="/…/internlm2-chat-1_8b",
            help=_("Absolute, or in the workspace."),
            key="base.folder",
        )
    known = {getattr(one, source): one for one in stage_defaults("hubs", Hubs).suggestions if getattr(one, source)}

    def shown(repository: str) -> str:
        one = known.get(repository)
        if one is None:
            return repository
        return _("{name} · about {size} GB").format(name=one.name, size=number(one.gigabytes, "0.0"))

    chosen = st.selectbox(
        _("Model"),
        list(known),
        format_func=shown,
        accept_new_options=True,
        help=_("Pick one, or type the id of any other: owner/name."),
        key=f"base.repository.{source}",
    )
    return str(chosen or "")


def _plan(plan: BasePlan) -> None:
    """Show what would come, and what stands in its way."""
    if plan.problem is not None:
        show_failure(plan.problem.message, plan.problem.remedy, plan.problem.values)
    with st.container(horizontal=True, key="base-plan"):
        st.metric(_("Kind"), plan.architecture or "—", border=True, width=280)
        st.metric(_("Files"), number(len(plan.files)), border=True, width=120)
        st.metric(_("Size"), size_of(plan.bytes), border=True, width=160)
        st.metric(_("Free on the disk"), size_of(plan.free), border=True, width=180)
    st.caption("  \n".join(_remarks(plan)))
    with st.expander(_("The files"), icon=":material/list:"):
        st.dataframe(
            {_("file"): [one.name for one in plan.files], _("size"): [size_of(one.size) for one in plan.files]},
            hide_index=True,
        )


def _remarks(plan: BasePlan) -> list[str]:
    told = [_("Nothing was fetched yet.")]
    if plan.needs_conversion:
        told.append(
            _("It would run code of its own, so it is converted to the Llama form and compared with the original.")
        )
    if plan.free < plan.needed:
        told.append(_("The disk has no room for it: {size} are needed.").format(size=size_of(plan.needed)))
    return told


def _card(visit: Visit, base: Base) -> None:
    facts = base.manifest
    st.markdown(f"#### {plain(base.name)}")
    told = [
        str(facts.get("architecture", "")),
        _("{count} parameters").format(count=number(facts.get("parameters", 0))),
        size_of(facts.get("bytes", 0)),
        _("chat form {form}").format(form=base.prompt_template) if base.prompt_template else _("no chat form known"),
        moment(base.created_at),
    ]
    st.caption(" · ".join(told))
    st.caption(_("From {origin}; settings name it {id}.").format(origin=plain(base.origin), id=f"`{base.id}`"))
    if compared := _compared(facts):
        st.caption(f":material/check: {compared}")
    with st.container(horizontal=True, gap="small", key=f"base-actions-{base.id}"):
        with st.popover(_("Details"), icon=":material/receipt_long:", type="tertiary"):
            st.json(dict(facts), expanded=1)
        with st.popover(_("Delete"), icon=":material/delete:", type="tertiary"):
            _deletion(visit, base)


def _compared(facts: Mapping[str, Any]) -> str:
    """Return how a converted model was found equal to the original; empty for one that was taken as it is."""
    comparison = facts.get("comparison") or {}
    if not comparison:
        return ""
    words = _(
        "Converted from {kind}: logits differ by at most {difference} of {scale}; {count} texts have equal tokens."
    )
    return words.format(
        kind=facts.get("converted", ""),
        difference=f"{comparison['logits_difference']:.2g}",
        scale=f"{comparison['logits_scale']:.3g}",
        count=number(comparison["texts"]),
    )


def _deletion(visit: Visit, base: Base) -> None:
    users = base_users(base.id, store=visit.studio.store)
    if users:
        st.markdown(_("A fine-tuning that is not over needs it: {run}.").format(run=f"`{users[0].id}`"))
        return
    st.markdown(_("Its files go for good. Models trained from it stay."))
    st.button(
        _("Delete {name}").format(name=plain(base.name)),
        icon=":material/delete:",
        key=f"base-delete.{base.id}",
        on_click=_delete,
        args=(visit, base),
    )


@careful
def _delete(visit: Visit, base: Base) -> None:
    visit.studio.remove_base(base.id, who=visit.who)
    SAID.set(_("{name} is deleted.").format(name=base.name))
