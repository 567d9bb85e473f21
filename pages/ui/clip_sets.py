"""Sets of clips: freezing one, its reference clips, how two differ, taking one along."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import streamlit as st

from core.domain.voice import ClipSet, Recording, SetClip
from core.stages.voice_dataset.complaints import RULES
from core.stages.voice_dataset.export import export_archive, known_about
from core.stages.voice_dataset.formats import VOICE_FORMATS
from pages.ui import charts
from pages.ui.decisions import careful, tell
from pages.ui.errors import told_to_the_user
from pages.ui.frame import Visit
from pages.ui.i18n import _, duration, moment, number
from pages.ui.labels import run_state
from pages.ui.markup import plain
from pages.ui.reference_clips import reference_clips
from pages.ui.run_panel import last_run, stage_run, start_run
from pages.ui.settings_form import stage_form
from pages.ui.state import CLIP_SET, SAID, shown

SET: Final = "clip_set"
_FIRST: Final = ("name", "note", "accepted_only", "references")
_ROW, _MOST_ROWS = 35, 6
_MOST_SHOWN: Final = 20


def sets_room(visit: Visit, recordings: Mapping[str, Recording]) -> None:
    """Show the form that freezes a set, the references it would mark, and the sets there are."""
    with (
        st.expander(_("Freeze a set"), icon=":material/ac_unit:", expanded=not last_run(visit, SET)),
        st.form("freeze", border=False),
    ):
        values = stage_form(visit.studio, SET, first=_FIRST, omit={"recording_ids", "speakers", "without"})
        chosen = st.multiselect(
            _("Recordings"), list(recordings), default=list(recordings), format_func=lambda one: recordings[one].name
        )
        without = st.multiselect(
            _("Leave out what these rules object to, unless it was accepted"),
            list(RULES),
            default=list(RULES),
            format_func=lambda one: _(RULES[one].title),
        )
        asked = st.form_submit_button(_("Freeze"), type="primary", icon=":material/ac_unit:")
    if asked:
        start_run(visit, {**values, "recording_ids": chosen, "without": without}, kind=SET)
    stage_run(visit, kind=SET)
    reference_clips(visit)
    _sets(visit)


@st.fragment
def _sets(visit: Visit) -> None:
    tell()
    sets = {one.id: one for one in visit.studio.store.clip_sets.sets(visit.persona.id)}
    st.subheader(_("Frozen sets"), anchor=False)
    if not sets:
        st.caption(_("No set is frozen yet. A voice is trained on one."))
        return
    chosen = sets.get(CLIP_SET.get()) or next(iter(sets.values()))
    _table(list(sets.values()), chosen)
    _head(visit, chosen)
    with told_to_the_user():
        _take_along(visit, chosen)
        _figures(chosen)
        if len(sets) > 1:
            _differences(visit, chosen, sets)


def _table(sets: Sequence[ClipSet], chosen: ClipSet) -> None:
    key = f"sets.{hash(tuple(one.id for one in sets))}"
    st.dataframe(
        {
            _("Set"): [one.name for one in sets],
            _("Frozen"): [moment(one.created_at) for one in sets],
            _("Clips"): [one.clips for one in sets],
            _("Duration"): [duration(one.seconds) for one in sets],
            _("Fingerprint"): [one.fingerprint[:12] for one in sets],
            _("Note"): [one.note for one in sets],
        },
        hide_index=True,
        height=(min(len(sets), _MOST_ROWS) + 1) * _ROW + 3,
        on_select=partial(_choose, key, [one.id for one in sets]),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [sets.index(chosen)]}},
        key=key,
    )


def _choose(key: str, ids: Sequence[str]) -> None:
    picked = (shown(key) or {}).get("selection", {}).get("rows", [])
    if picked and picked[0] < len(ids):
        CLIP_SET.set(ids[picked[0]])


def _head(visit: Visit, clip_set: ClipSet) -> None:
    used = visit.studio.store.clip_sets.usage(clip_set.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="set-head"):
        st.markdown(f"#### {plain(clip_set.name)}", width="content")
        st.caption(_("fingerprint {fingerprint}").format(fingerprint=f"`{clip_set.fingerprint[:16]}`"), width="content")
        st.space("stretch")
        with st.popover(_("Delete"), icon=":material/delete:", type="tertiary", key="set-delete-box"):
            if used:
                runs = _(", ").join(f"{run.id} ({run_state(run.state)})" for run in used)
                st.markdown(_("It is in use and cannot be deleted: {users}.").format(users=plain(runs)))
            else:
                st.markdown(_("The set goes for good. Its clips and recordings stay."))
                st.button(
                    _("Delete {name}").format(name=plain(clip_set.name)),
                    icon=":material/delete:",
                    key="set-delete",
                    on_click=_delete,
                    args=(visit, clip_set),
                )
    if clip_set.note:
        st.markdown(plain(clip_set.note))


@careful
def _delete(visit: Visit, clip_set: ClipSet) -> None:
    visit.studio.store.clip_sets.delete(clip_set.id, who=visit.who)
    CLIP_SET.clear()
    SAID.set(_("{name} is deleted.").format(name=clip_set.name))


def _take_along(visit: Visit, clip_set: ClipSet) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="set-export"):
        format = st.selectbox(
            _("Format"),
            list(VOICE_FORMATS),
            format_func=lambda one: _(VOICE_FORMATS[one].title),
            width=300,
            key="set.format",
        )
        licence = st.text_input(
            _("Licence of the sound"),
            placeholder=_("as far as you know it"),
            max_chars=200,
            width=240,
            key="set.licence",
        )
        st.download_button(
            _("Download the zip"),
            partial(_packed, visit, clip_set, format, licence.strip()),
            file_name=f"{visit.persona.id}-{clip_set.name}.{format}.zip",
            mime="application/zip",
            icon=":material/folder_zip:",
            type="primary",
            on_click="ignore",
            key=f"set.export.{clip_set.id}.{format}.{licence}",
        )
    st.caption(_("In it: the clips, their list, and manifest.json: from where in which recording each was cut."))


def _packed(visit: Visit, clip_set: ClipSet, format: str, licence: str) -> bytes:
    store = visit.studio.store
    clips = store.clip_sets.clips(clip_set.id)
    about = known_about(clip_set, clips, store, licence=licence)
    out = io.BytesIO()  # Streamlit hands out whole files only; `python -m core voice export` writes as it goes
    export_archive(out, clip_set, clips, format=format, about=about, store=store)
    return out.getvalue()


def _figures(clip_set: ClipSet) -> None:
    figures = clip_set.statistics
    left_out: Mapping[str, int] = figures.get("left_out", {})
    if left_out:
        told = _(", ").join(f"{_why(name)} {number(count)}" for name, count in left_out.items())
        st.caption(_("Left out: {reasons}").format(reasons=told))
    if lengths := figures.get("lengths"):
        charts.columns(lengths, title=_("Clips by length"), x_title=_("seconds"), key=f"lengths.{clip_set.id}")


def _why(name: str) -> str:
    known = {
        "rejected": _("rejected"),
        "not_accepted": _("not reviewed"),
        "other_speakers": _("other speakers"),
        "repeated": _("the same sound twice"),
    }
    return known.get(name) or (_(RULES[name].title) if name in RULES else name)


def _differences(visit: Visit, clip_set: ClipSet, sets: Mapping[str, ClipSet]) -> None:
    with st.expander(_("How it differs from another"), icon=":material/difference:", on_change="rerun") as folded:
        if not folded.open:
            return
        others = [one for one in sets if one != clip_set.id]
        other = st.selectbox(
            _("Compared with"), others, format_func=lambda one: sets[one].name, width=260, key="set.other"
        )
        found = visit.studio.store.clip_sets.difference(other, clip_set.id)
        st.markdown(
            _("{added} added, {removed} removed, {changed} changed, {same} the same").format(
                added=number(len(found.added)),
                removed=number(len(found.removed)),
                changed=number(len(found.changed)),
                same=number(found.same),
            )
        )
        for sign, clips in (("+", found.added), ("−", found.removed)):
            for clip in clips[:_MOST_SHOWN]:
                st.markdown(f"`{sign}` {_told(clip)}")
        for was, now in found.changed[:_MOST_SHOWN]:
            st.markdown(f"`~` {_told(was)} → {_told(now)}")


def _told(clip: SetClip) -> str:
    return f"{plain(clip.text)} :gray[{number(clip.seconds, '0.0')} s]"
