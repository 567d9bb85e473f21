"""The clips' workplace: one clip with everything one decides with, beside the list it stands in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Recording
from core.errors import NotFoundError
from core.stages.voice_dataset.complaints import RULES
from core.store.clips import ClipFilter
from pages.ui import clip_decisions as verbs
from pages.ui.clip_bulk import bulk_actions, for_many
from pages.ui.clip_focus import focus
from pages.ui.clip_keys import clip_keys_help, listen_for_clips
from pages.ui.clip_queues import ClipQueue, chosen_clip_queue
from pages.ui.decisions import tell
from pages.ui.frame import Visit
from pages.ui.i18n import _, duration, number
from pages.ui.labels import review_status
from pages.ui.state import CLIP, CLIP_QUEUE, CLIP_SORT, CLIP_WAY, CLIPS, MANY_CLIPS, TABLE, shown
from pages.ui.tables import pager, place_of

_PER_PAGE: Final = 50
_HEIGHT: Final = 560


@st.fragment
def clip_desk(visit: Visit, recordings: Mapping[str, Recording]) -> None:
    """Draw the workplace; a decision draws it anew and leaves the rest of the page alone."""
    for slot in (CLIP_QUEUE, CLIP_SORT, CLIP):
        slot.keep()
    tell()
    listen_for_clips()
    _head(visit)
    queue, count = chosen_clip_queue(visit, recordings)
    if not count and not CLIP.get():
        _nothing(queue)
        return
    # Looked up first, so that the list can mark it.
    clip = None if MANY_CLIPS.get() else _clip(visit, queue)
    panel, list_ = st.columns([11, 10], gap="medium")
    with list_:
        rows = _list(visit, queue, count)
    with panel:
        if MANY_CLIPS.get():
            bulk_actions(visit, rows)
        elif clip is not None:
            focus(visit, queue, clip, recordings)
        else:
            _nothing(queue)


def _head(visit: Visit) -> None:
    store, persona = visit.studio.store, visit.persona.id
    counts = store.clips.counts(persona)
    decided, total = counts[ReviewStatus.ACCEPTED] + counts[ReviewStatus.REJECTED], sum(counts.values())
    kept = store.clips.seconds(ClipFilter(persona, status=ReviewStatus.ACCEPTED))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="desk-head"):
        with st.container(key="clips-progress"):
            st.progress(
                decided / total if total else 0.0,
                text=_("{decided} of {total} clips decided, {time} accepted").format(
                    decided=number(decided), total=number(total), time=duration(kept) if kept else number(0)
                ),
            )
        for_many(visit)
        for name, icon, shortcut, title, verb, possible in (
            ("undo", "undo", "Ctrl+Z", _("Undo"), verbs.undo, store.clips.undoable(visit.who, persona)),
            ("redo", "redo", "Ctrl+Shift+Z", _("Redo"), verbs.redo, store.clips.redoable(visit.who, persona)),
        ):
            st.button(
                "",
                icon=f":material/{icon}:",
                shortcut=shortcut,
                type="tertiary",
                key=f"review-{name}",
                help=title,
                disabled=possible is None,
                on_click=verb,
                args=(visit,),
            )
        clip_keys_help()


def _clip(visit: Visit, queue: ClipQueue) -> Clip | None:
    if wanted := CLIP.get():
        try:
            return visit.studio.store.clips.get(wanted)
        except NotFoundError:  # joined with another, deleted, or gone with its recording
            CLIP.clear()
    clip = queue.first(visit)
    if clip is not None:
        CLIP.set(clip.id)
    return clip


def _list(visit: Visit, queue: ClipQueue, count: int) -> Sequence[Clip]:
    """Draw a page of the queue; return the rows that are ticked."""
    where = f"{queue.where}.{queue.order}.{queue.descending}"
    after = place_of(CLIPS, where)
    page = visit.studio.store.clips.page(
        queue.where, order=queue.order, descending=queue.descending, after=after, limit=_PER_PAGE
    )
    ids = [clip.id for clip in page.rows]
    many = MANY_CLIPS.get()
    at = [ids.index(CLIP.get())] if CLIP.get() in ids else []
    # The key names rows and choice, so that the mark follows the clip on the screen.
    key = f"clips.{TABLE.key()}.{many}.{hash(tuple(ids))}.{'' if many else at}"
    event = st.dataframe(
        _columns(page.rows),
        hide_index=True,
        height=_HEIGHT,
        on_select="rerun" if many else lambda: _look_at(key, ids),
        selection_mode="multi-row" if many else "single-row",
        selection_default=None if many else {"selection": {"rows": at}},
        key=key,
        column_config={
            _("Words"): st.column_config.TextColumn(width="medium"),
            _("Sure"): st.column_config.NumberColumn(format="percent"),
            _("Seconds"): st.column_config.NumberColumn(format="%.1f"),
            _("Loudness"): st.column_config.NumberColumn(format="%.0f", help=_("LUFS")),
            _("Over noise"): st.column_config.NumberColumn(format="%.0f", help=_("dB")),
            _("Oddness"): st.column_config.NumberColumn(format="%.1f"),
        },
    )
    if count > _PER_PAGE:
        pager(CLIPS, next_cursor=page.next_cursor, total=count, per_page=_PER_PAGE)
    ticked = event["selection"]["rows"] if many else []
    return [page.rows[row] for row in ticked if row < len(page.rows)]


def _columns(clips: Sequence[Clip]) -> dict[str, list[Any]]:
    return {
        _("Words"): [clip.text or "—" for clip in clips],
        _("Seconds"): [clip.seconds for clip in clips],
        _("Sure"): [clip.confidence for clip in clips],
        _("Over noise"): [clip.measures.snr_db if clip.measures else None for clip in clips],
        _("Loudness"): [clip.measures.loudness if clip.measures else None for clip in clips],
        _("Objections"): [_objections(clip) for clip in clips],
        _("Status"): [review_status(clip.status) for clip in clips],
        _("Oddness"): [clip.oddness for clip in clips],
    }


def _objections(clip: Clip) -> str:
    return _(", ").join(_(RULES[name].title) for name in clip.complaints if name in RULES)


def _look_at(key: str, ids: Sequence[str]) -> None:
    picked = (shown(key) or {}).get("selection", {}).get("rows", [])
    if picked and picked[0] < len(ids) and ids[picked[0]] != CLIP.get():
        CLIP_WAY.leave(CLIP.get())
        CLIP.set(ids[picked[0]])
        verbs.leave_task()


def _nothing(queue: ClipQueue) -> None:
    with st.container(border=True, horizontal_alignment="center", key="nothing-left"):
        done = queue.name in ("pending", "objections")
        st.markdown(
            f":material/done_all: {_('Nothing waits here: every clip that these filters find is decided.')}"
            if done
            else f":material/filter_list_off: {_('No clip is like that. Loosen the filters.')}",
            width="content",
        )
