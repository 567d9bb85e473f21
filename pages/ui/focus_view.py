"""One line at a time: in its passage on the left, everything one decides with on the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.domain.text import Reading, ReviewStatus, Utterance
from core.errors import NotFoundError
from core.stages.dialogues.reasons import explained
from pages.ui.conflict_choice import choose_version
from pages.ui.decisions import (
    accept,
    back,
    begin_task,
    give_to,
    merge,
    reject,
    restore,
    skip,
    take,
    waiting_changes,
)
from pages.ui.frame import Visit
from pages.ui.i18n import _, filled, number
from pages.ui.labels import STATUS_LOOKS, extractor, review_status, utterance_kind
from pages.ui.likely_speakers import likely_speakers
from pages.ui.line_forms import edit_form, split_form
from pages.ui.line_history import history
from pages.ui.markup import plain
from pages.ui.queues import Queue, nothing_left
from pages.ui.scene import Scene, scene_of, show_scene
from pages.ui.state import TASK, UTTERANCE, WAY, shown

NOBODY = "—"


def focus(visit: Visit, queue: Queue, names: Sequence[str], books: Mapping[str, str]) -> None:
    """Show the line the reader is at; `names` are the known speakers, `books` the texts' names by id."""
    line = _line(visit, queue)
    if line is None:
        nothing_left(queue)
        return
    scene = scene_of(visit, line)
    readings = visit.studio.store.utterances.readings(line.id)
    passage, panel = st.columns([10, 10], gap="medium")
    with passage:
        show_scene(visit, line, scene, book=books.get(line.source_id, "") if len(books) > 1 else "")
    with panel, st.container(key="review-panel"):
        _headline(line)
        mine = waiting_changes(line.id)
        if mine is not None:
            choose_version(visit, queue, line, mine)
        elif TASK.get() == "edit":
            edit_form(visit, queue, line, names)
        elif TASK.get() == "split":
            split_form(visit, line, names)
        else:
            _deciding(visit, queue, line, readings, scene, names)
        history(visit, line)


def _line(visit: Visit, queue: Queue) -> Utterance | None:
    if wanted := UTTERANCE.get():
        try:
            return visit.studio.store.utterances.get(wanted)
        except NotFoundError:  # joined with another, or gone with its text
            UTTERANCE.clear()
    line = queue.first(visit)
    if line is not None:
        UTTERANCE.set(line.id)
    return line


def _headline(line: Utterance) -> None:
    colour, symbol = STATUS_LOOKS[line.status]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="review-headline"):
        st.markdown(f"**{plain(line.speaker or _('nobody named'))}**", width="content")
        st.badge(utterance_kind(line.kind), color="gray")
        st.badge(review_status(line.status), color=colour, icon=symbol)
        if line.disputed:
            st.badge(_("disputed"), color="orange", icon=":material/call_split:")


def _deciding(
    visit: Visit, queue: Queue, line: Utterance, readings: Sequence[Reading], scene: Scene, names: Sequence[str]
) -> None:
    with st.container(horizontal=True, gap="xsmall", key="review-decide"):
        for name, title, icon, key, verb in (
            ("accept", _("Accept"), ":material/check:", "A", accept),
            ("reject", _("Reject"), ":material/close:", "X", reject),
            ("skip", _("Skip"), ":material/arrow_forward:", "J", skip),
        ):
            st.button(
                title,
                icon=icon,
                shortcut=key,
                key=f"review-{name}",
                type="primary" if verb is accept else "secondary",
                on_click=verb,
                args=(visit, queue, line),
            )
        st.button(
            "",
            icon=":material/arrow_back:",
            help=_("Back to the line before"),
            shortcut="K",
            key="review-back",
            disabled=not WAY.begun(),
            on_click=back,
            args=(visit,),
        )
    _speakers(visit, queue, line, likely_speakers(line, readings, scene.spoken, persona=visit.persona.name), names)
    if len({(one.speaker, one.kind, one.text) for one in readings}) > 1:
        _readings(visit, queue, line, readings)
    _why(line)
    _tools(visit, line)


def _speakers(visit: Visit, queue: Queue, line: Utterance, likely: Sequence[str], names: Sequence[str]) -> None:
    st.caption(_("Who says it? A name accepts the line as theirs."))
    with st.container(horizontal=True, gap="xsmall", key="review-speakers"):
        for place, name in enumerate(likely, start=1):
            st.button(
                plain(name),
                shortcut=str(place),
                key=f"review-speaker-{place}",
                on_click=give_to,
                args=(visit, queue, line, name),
            )
        box = f"review-other-speaker.{line.id}"
        st.selectbox(
            _("Somebody else"),
            [one for one in names if one not in likely],
            index=None,
            placeholder=_("somebody else"),
            accept_new_options=True,
            label_visibility="collapsed",
            width=180,
            key=box,
            on_change=_give_to_other,
            args=(visit, queue, line, box),
        )


def _give_to_other(visit: Visit, queue: Queue, line: Utterance, box: str) -> None:
    if name := str(shown(box) or "").strip():
        give_to(visit, queue, line, name)


def _readings(visit: Visit, queue: Queue, line: Utterance, readings: Sequence[Reading]) -> None:
    with st.container(border=True, gap="xsmall", key="review-readings"):
        st.caption(_("The extractors disagree:"))
        for one in readings:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                who, sure = plain(one.speaker or NOBODY), number(one.confidence, "#,##0 %")
                words = f"**{extractor(one.extractor)}**: {who} · {utterance_kind(one.kind)} · {sure}"
                if one.text != line.text:
                    words += f"  \n:gray[:small[{plain(one.text)}]]"
                st.markdown(words, width="stretch")
                st.button(
                    _("Take"),
                    icon=":material/check:",
                    key=f"review-take-{one.extractor}",
                    on_click=take,
                    args=(visit, queue, line, one),
                )


def _why(line: Utterance) -> None:
    sentence, values = explained(line.reason)
    why = filled(sentence, {name: plain(words) for name, words in values.items()})
    sure = _("{extractor}, {share} sure").format(
        extractor=extractor(line.extractor), share=number(line.confidence, "#,##0 %")
    )
    st.markdown(f"{why}  \n:small[:gray[{sure} · `{line.reason}`]]")


def _tools(visit: Visit, line: Utterance) -> None:
    with st.container(horizontal=True, gap="xsmall", key="review-tools"):
        for name, title, icon, key in (
            ("edit", _("Edit"), ":material/edit:", "E"),
            ("split", _("Split"), ":material/content_cut:", "S"),
        ):
            st.button(
                title,
                icon=icon,
                shortcut=key,
                type="tertiary",
                key=f"review-{name}",
                disabled=name == "split" and len(line.text) < 2,
                on_click=begin_task,
                args=(name, line),
            )
        st.button(
            _("Join with next"),
            icon=":material/merge:",
            shortcut="M",
            type="tertiary",
            key="review-merge",
            on_click=merge,
            args=(visit, line),
        )
        if line.revision and line.status is not ReviewStatus.MERGED:
            st.button(
                _("Restore"),
                icon=":material/settings_backup_restore:",
                help=_("Make it again what its extractor read, to be reviewed."),
                type="tertiary",
                key="review-restore",
                on_click=restore,
                args=(visit, line),
            )
