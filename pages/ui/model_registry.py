"""The text models: what each came from and said, which one answers in the chat; notes, copies, exports, removal."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import streamlit as st

from core.domain.evaluation import Scorecard
from core.domain.run import Run, RunState
from core.domain.text import DatasetVersion
from core.domain.training import Model, ModelKind
from core.lifecycle import stage
from core.stages.evaluation.tables import values_of
from core.stages.finetuning.models.exporting import archive, parts_of
from core.stages.finetuning.registry import FOUR_BIT
from core.store.files import bytes_of
from core.store.model_folders import remove
from core.translation import N_
from pages.ui.decisions import tell
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit, entries, say_next, script
from pages.ui.i18n import _, moment, number, size_of
from pages.ui.labels import job_title, measure_title, run_state
from pages.ui.markup import plain
from pages.ui.model_actions import Using, naming, run_link, using
from pages.ui.run_panel import run_panel, start_run
from pages.ui.state import Generation, watched_run

_COPYING: Final = "quantising"
_EXPORTING: Final = "model_export"

_MENUS: Final = Generation("models.menus")
"""Raised when a menu has done its work and is to close."""
_PARTS: Final[Mapping[str, str]] = {
    "merged": N_("The whole model"),
    "adapter": N_("The adapter alone"),
    "4bit": N_("The 4-bit copy"),
}
_METHODS: Final[Mapping[str, str]] = {
    "full": N_("every weight trained"),
    "lora": "LoRA",
    "qlora": "QLoRA",
}
_MOST_ZIPPED: Final = 200_000_000
"""Bytes of the largest export that is handed out as a zip; Streamlit keeps it in memory."""
_MOST_SCORES: Final = 4


def models_room(visit: Visit) -> None:
    """Draw the registry of this persona's text models."""
    tell()
    store, persona = visit.studio.store, visit.persona
    models = store.models.all(persona.id, ModelKind.TEXT)
    if not any(model.in_use for model in models):
        st.caption(_("None of them answers in the chat: {name}'s own lines do.").format(name=plain(persona.name)))
    versions = {version.id: version for version in store.datasets.versions(persona.id)}
    cards = store.scorecards.all(persona.id)
    runs = [run for kind in (_COPYING, _EXPORTING) for run in store.runs.all(persona_id=persona.id, kind=kind)]
    runs.sort(key=lambda run: run.created_at, reverse=True)
    for model in models:
        with st.container(border=True, key=f"model-{model.id}"):
            _head(model)
            _origin(visit, model, versions.get(model.dataset_version_id or ""))
            _measured(model, [card for card in cards if card.model_id == model.id])
            if model.note:
                st.markdown(plain(model.note))
            mine = [run for run in runs if run.settings.get("model_id") == model.id]
            _actions(visit, model, mine)
            _under_way(visit, mine)
            _answers(model)


def _head(model: Model) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"model-head-{model.id}"):
        st.markdown(f"#### {plain(model.name)}", width="content")
        if model.in_use:
            st.badge(_("answers in the chat"), color="green", icon=":material/check:")


def _origin(visit: Visit, model: Model, version: DatasetVersion | None) -> None:
    method = str(model.manifest.get("settings", {}).get("method", ""))
    told = [_("from {base}").format(base=plain(model.base)), _(_METHODS.get(method, ""))]
    if parameters := model.manifest.get("trial", {}).get("merged", {}).get("parameters"):
        told.append(_("{count} parameters").format(count=number(parameters)))
    told += [size_of(bytes_of(visit.studio.settings.workspace / model.folder)), moment(model.created_at)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"model-origin-{model.id}"):
        st.caption(" · ".join(one for one in told if one), width="content")
        if version:
            st.page_link(
                script(stage("dataset")),
                label=f":small[{plain(version.name)}]",
                icon=":material/dataset:",
                help=_("The dataset version it was trained on"),
                query_params={"part": "versions", "version": version.id},
            )
        run_link(model)


def _measured(model: Model, cards: Sequence[Scorecard]) -> None:
    told = [one for one in (_loss(model), _copy(model)) if one]
    if told:
        st.markdown(
            "  \n".join(told),
            help=_(
                "How surprised a model is by lines it has never seen, per token (nats). "
                "Lower is better; 0 would be word for word."
            ),
        )
    for card in cards:
        scores = list(values_of(card).items())
        shown_scores = _(", ").join(f"{measure_title(name)} {number(value)}" for name, value in scores[:_MOST_SCORES])
        more = " …" if len(scores) > _MOST_SCORES else ""
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"card-{model.id}-{card.id}"):
            st.page_link(script(stage("evaluation")), label=f":small[{plain(card.name)}]", icon=":material/monitoring:")
            st.caption(plain(shown_scores) + more, width="content")


def _loss(model: Model) -> str:
    trial = model.manifest.get("trial", {})
    before, after = (trial.get(name, {}).get("held_out_loss") for name in ("base", "merged"))
    if before is None or after is None:
        return ""
    numbers = {"before": number(before, "0.00"), "after": number(after, "0.00")}
    if after < before:
        return _("Loss on held-out lines: {before} before the training, **{after}** after it").format(**numbers)
    return _(
        "Loss on held-out lines: {before} before the training, {after} after it; it foresees them no better"
    ).format(**numbers)


def _copy(model: Model) -> str:
    copy = model.manifest.get("copies", {}).get(FOUR_BIT)
    if not copy:
        return ""
    told = _("4-bit copy: {small} of weights in place of {large}").format(
        small=size_of(copy["bytes"]["4bit"]), large=size_of(copy["bytes"]["model"])
    )
    losses = copy["held_out_loss"]
    if losses["4bit"] is None:
        return told
    after = {name: number(value, "0.00") for name, value in (("model", losses["model"]), ("copy", losses["4bit"]))}
    return told + _("; loss {copy} in place of {model}").format(**after)


def _actions(visit: Visit, model: Model, runs: Sequence[Run]) -> None:
    newest = runs[0].id if runs else ""  # in the keys: a menu that started a run has done its work and closes
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"model-actions-{model.id}"):
        using(visit, model, _in_the_chat(visit, model))
        naming(visit, model)
        _exporting(visit, model, f"exporting-{model.id}-{newest}")
        _more(visit, model, f"more-{model.id}-{newest}-{_MENUS.key()}")


def _exporting(visit: Visit, model: Model, key: str) -> None:
    with st.popover(_("Export"), icon=":material/outbox:", type="tertiary", key=key):
        st.caption(_("A folder as Hugging Face and ModelScope take it, with a model card in English and Chinese."))
        parts = parts_of(model)
        part = parts[0]
        if len(parts) > 1:
            part = st.radio(_("Which part"), parts, format_func=lambda one: _(_PARTS[one]), key=f"part.{model.id}")
        if st.button(_("Export it"), type="primary", icon=":material/outbox:", key=f"export.{model.id}"):
            start_run(visit, {"model_id": model.id, "part": part}, kind=_EXPORTING)


def _more(visit: Visit, model: Model, key: str) -> None:
    with st.popover(_("More…"), icon=":material/more_horiz:", type="tertiary", key=key):
        st.markdown(f"**{_('4-bit copy')}**")
        st.caption(_("A copy of about a quarter of the size, measured beside the model. For export and for servers."))
        label = _("Make it again") if FOUR_BIT in model.manifest.get("copies", {}) else _("Make a 4-bit copy")
        if st.button(label, icon=":material/compress:", key=f"squeeze.{model.id}"):
            start_run(visit, {"model_id": model.id}, kind=_COPYING)
        st.markdown(f"**{_('Manifest')}**")
        st.caption(_("Everything needed to trust it and to make it again."))
        st.json(dict(model.manifest), expanded=False)
        if st.button(_("Remove…"), icon=":material/delete:", key=f"remove.{model.id}", on_click=_MENUS.renew):
            st.dialog(_("Remove this model?"))(_removal)(visit, model)


def _removal(visit: Visit, model: Model) -> None:
    size = size_of(bytes_of(visit.studio.settings.workspace / model.folder))
    st.markdown(f"**{plain(model.name)}**")
    st.markdown(
        _("Its files go for good ({size}), adapter and 4-bit copy included.").format(size=size)
        + " "
        + _("Talks and scorecards still name it, and its exports stay.")
        + " "
        + _("To have it again, its training must be run again.")
    )
    if st.button(_("Remove it"), type="primary", icon=":material/delete:", key=f"removal.{model.id}"):
        with told_to_the_user():
            remove(model.id, store=visit.studio.store, who=visit.who)
            say_next(_("{name} is removed.").format(name=model.name))


def _under_way(visit: Visit, runs: Sequence[Run]) -> None:
    """Show the newest copying and the newest export as long as they are not done, and where finished exports lie."""
    for kind in (_COPYING, _EXPORTING):
        newest = next((run for run in runs if run.kind == kind), None)
        if newest is None or newest.state is RunState.SUCCEEDED:
            continue
        if not newest.state.over or watched_run(kind).get() == newest.id:
            run_panel(visit, newest.id)
        else:
            told = _("{title}: {words}").format(title=job_title(visit.studio, kind), words=run_state(newest.state))
            st.page_link(
                script(entries()["runs"]),
                label=f":small[{told}]",
                icon=":material/play_circle:",
                query_params={"run": newest.id},
            )
    for folder, result in _exports(visit, runs).items():
        _export(folder, result)


def _exports(visit: Visit, runs: Sequence[Run]) -> Mapping[Path, Mapping[str, Any]]:
    """Return the exports that are still there, each with what its newest run said."""
    done = [run.result for run in reversed(runs) if run.kind == _EXPORTING and run.state is RunState.SUCCEEDED]
    places = {visit.studio.settings.workspace / result["folder"]: result for result in done}
    return {folder: result for folder, result in places.items() if folder.is_dir()}


def _export(folder: Path, result: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"export-{folder.name}"):
        st.caption(
            _("Exported: {part}, {size}, in").format(part=_(_PARTS[result["part"]]), size=size_of(result["bytes"])),
            width="content",
        )
        st.code(str(folder), language=None, wrap_lines=True, width="content")
        if result["bytes"] < _MOST_ZIPPED:
            st.download_button(
                _("Download the zip"),
                partial(_zipped, folder),
                file_name=f"{folder.name}.zip",
                mime="application/zip",
                icon=":material/folder_zip:",
                type="tertiary",
                on_click="ignore",
                key=f"zip.{folder.name}",
            )


def _zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    archive(folder, out)
    return out.getvalue()


def _answers(model: Model) -> None:
    trial = model.manifest.get("trial", {})
    before, after = (trial.get(name, {}).get("answers", ()) for name in ("base", "merged"))
    questions = model.manifest.get("settings", {}).get("questions", ())
    rows = list(zip(questions, before, after, strict=False))
    if not rows:
        return
    with st.expander(_("What it answers, before and after"), icon=":material/psychology_alt:", key=f"said-{model.id}"):
        titles = (_("Question"), _("Before the training"), _("After it"))
        columns = zip(titles, zip(*rows, strict=True), strict=True)
        st.table({title: [plain(cell) for cell in cells] for title, cells in columns}, hide_index=True)


def _in_the_chat(visit: Visit, model: Model) -> Using:
    return Using(
        _("Talk with this one"),
        ":material/chat:",
        _("{name} answers in the chat now.").format(name=model.name),
        _("{name}'s own lines answer in the chat now.").format(name=visit.persona.name),
    )
