"""The versions of the dataset: which there are, what was made of the chosen one, going back to it, deleting it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import streamlit as st

from core.domain.text import DatasetVersion
from core.lifecycle import EXTRA_PAGES, stage
from core.store.datasets import VersionUse
from core.translation import N_
from pages.ui.decisions import careful, tell
from pages.ui.frame import Visit, script
from pages.ui.i18n import _, moment
from pages.ui.labels import run_state
from pages.ui.markup import plain
from pages.ui.samples import samples
from pages.ui.state import SAID, VERSION, Slot, shown
from pages.ui.version_diff import differences
from pages.ui.version_statistics import counts, statistics

LOOK: Final = Slot("version.look", "samples", link="look")
_LOOKS: Final[Mapping[str, str]] = {
    "samples": N_("Samples"),
    "figures": N_("Figures"),
    "differences": N_("Differences"),
}
_ROW: Final = 35
_MOST_ROWS: Final = 6


@st.fragment
def versions_room(visit: Visit) -> None:
    """Show the versions, and of the chosen one its samples, its figures, or how it differs from another."""
    tell()
    versions = {one.id: one for one in visit.studio.store.datasets.versions(visit.persona.id)}
    if not versions:
        st.caption(_("There is no version any more. Build one."))
        return
    version = versions.get(VERSION.get()) or next(iter(versions.values()))
    _table(visit, list(versions.values()), version)
    _head(visit, version)
    counts(version)
    _looks()
    if LOOK.get() == "figures":
        statistics(version)
    elif LOOK.get() == "differences":
        differences(visit, version, versions)
    else:
        samples(visit, version)


def _table(visit: Visit, versions: Sequence[DatasetVersion], chosen: DatasetVersion) -> None:
    models = Counter(one.dataset_version_id for one in visit.studio.store.models.all(visit.persona.id))
    place = versions.index(chosen)
    # The key names the rows: where there are others, the selection begins anew.
    key = f"versions.{hash(tuple(one.id for one in versions))}"
    st.dataframe(
        {
            _("Version"): [one.name for one in versions],
            _("Built"): [moment(one.created_at) for one in versions],
            _("Training"): [one.train_samples for one in versions],
            _("Held out"): [one.held_out_samples for one in versions],
            _("Models"): [models[one.id] for one in versions],
            _("Fingerprint"): [one.fingerprint[:12] for one in versions],
            _("Note"): [one.note for one in versions],
        },
        hide_index=True,
        height=(min(len(versions), _MOST_ROWS) + 1) * _ROW + 3,
        on_select=partial(_choose, key, [one.id for one in versions]),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [place]}},
        key=key,
        column_config={_("Note"): st.column_config.TextColumn(width="large")},
    )


def _choose(key: str, ids: Sequence[str]) -> None:
    picked = (shown(key) or {}).get("selection", {}).get("rows", [])
    if picked and picked[0] < len(ids):
        VERSION.set(ids[picked[0]])


def _head(visit: Visit, version: DatasetVersion) -> None:
    used = visit.studio.store.datasets.usage(version.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="version-head"):
        st.markdown(f"#### {plain(version.name)}", width="content")
        st.caption(
            f"{moment(version.created_at)} · "
            + _("fingerprint {fingerprint}").format(fingerprint=f"`{version.fingerprint[:16]}`"),
            width="content",
        )
        st.space("stretch")
        _roll_back(visit, version)
        _delete(visit, version, used)
    if version.note:
        st.markdown(plain(version.note))
    _uses(used)


def _uses(used: VersionUse) -> None:
    if not used:
        st.caption(_("Nothing was trained on it yet."))
        return
    runs = next(one for one in EXTRA_PAGES if one.page.endswith("/runs.py"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="version-uses"):
        st.caption(_("Used by"), width="content")
        for model in used.models:
            st.page_link(script(stage("finetuning")), label=plain(model.name), icon=":material/model_training:")
        for run in used.runs:
            st.page_link(
                script(runs),
                label=f":small[{run.id} · {run_state(run.state)}]",
                icon=":material/play_circle:",
                query_params={"run": run.id},
            )


def _roll_back(visit: Visit, version: DatasetVersion) -> None:
    with st.popover(_("Roll back to it"), icon=":material/settings_backup_restore:", key="version-restore-box"):
        st.markdown(
            _("Its samples become a new version on top, with the same fingerprint. The versions after it stay.")
        )
        note = st.text_input(_("Why?"), key=f"restore.note.{version.id}", max_chars=500)
        st.button(
            _("Roll back"),
            type="primary",
            icon=":material/settings_backup_restore:",
            key="version-restore",
            on_click=_restore,
            args=(visit, version, note),
        )


def _delete(visit: Visit, version: DatasetVersion, used: VersionUse) -> None:
    with st.popover(_("Delete"), icon=":material/delete:", type="tertiary", key="version-delete-box"):
        if used:
            users = [*(model.name for model in used.models), *(run.id for run in used.runs)]
            st.markdown(
                _("It is in use and cannot be deleted: {users}.").format(users=plain(_(", ").join(users)))
                + "  \n"
                + _("What was trained must be able to say on what; keep the version.")
            )
            return
        st.markdown(_("The version and its samples go for good. The lines it was built from stay."))
        st.button(
            _("Delete {name}").format(name=plain(version.name)),
            icon=":material/delete:",
            key="version-delete",
            on_click=_remove,
            args=(visit, version),
        )


def _looks() -> None:
    look = LOOK.get() if LOOK.get() in _LOOKS else LOOK.initial
    st.segmented_control(
        _("Look"),
        list(_LOOKS),
        default=look,
        required=True,
        format_func=lambda one: _(_LOOKS[one]),
        label_visibility="collapsed",
        key=f"look.{look}",
        on_change=_look,
        args=(f"look.{look}",),
    )


def _look(key: str) -> None:
    LOOK.set(shown(key))


@careful
def _restore(visit: Visit, version: DatasetVersion, note: str) -> None:
    new = visit.studio.store.datasets.restore(version.id, who=visit.who, note=note.strip())
    VERSION.set(new.id)
    SAID.set(_("{new} is on top now, with the samples of {old}.").format(new=new.name, old=version.name))


@careful
def _remove(visit: Visit, version: DatasetVersion) -> None:
    visit.studio.store.datasets.delete(version.id, who=visit.who)
    VERSION.clear()
    SAID.set(_("{name} is deleted.").format(name=version.name))
