"""A sample as people read it: who says what, in the order a trainer sees it, linked to its passage."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.domain.text import DatasetVersion, Sample, Split, Turn, TurnRole
from core.lifecycle import stage
from pages.ui.frame import Visit, script
from pages.ui.i18n import _, number
from pages.ui.labels import split_name
from pages.ui.markup import plain
from pages.ui.state import Slot, Trail, shown
from pages.ui.tables import pager, place_of

SIDE: Final = Slot("samples.side", Split.TRAIN.value, link="side")
PLACES: Final = Trail("samples")
PER_PAGE: Final = 5
_LONG: Final = 400
"""Characters from which a sample scrolls in a frame of its own."""


@st.fragment
def samples(visit: Visit, version: DatasetVersion) -> None:
    """Show a page of a version's samples, of the side one chooses."""
    side = Split(SIDE.get()) if SIDE.get() in list(Split) else Split.TRAIN
    st.segmented_control(
        _("Side"),
        list(Split),
        default=side,
        required=True,
        format_func=split_name,
        label_visibility="collapsed",
        key=f"side.{side}",
        on_change=_choose_side,
        args=(f"side.{side}",),
    )
    place = place_of(PLACES, f"{version.id}.{side}")
    after = place[0] if place else -1
    found = visit.studio.store.datasets.samples(version.id, split=side, after=after, limit=PER_PAGE + 1)
    for sample in found[:PER_PAGE]:
        show_sample(sample)
    more = (found[PER_PAGE - 1].ordinal,) if len(found) > PER_PAGE else None
    total = version.train_samples if side is Split.TRAIN else version.held_out_samples
    pager(PLACES, next_cursor=more, total=total, per_page=PER_PAGE)


def show_sample(sample: Sample) -> None:
    """Show one conversation and the way back to its first line in the book."""
    long = sum(len(turn.text) for turn in sample.turns) > _LONG
    with st.container(border=True, height=360 if long else "content", key=f"sample-{sample.ordinal}"):
        st.markdown("\n\n".join(told(turn) for turn in sample.turns))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _origin(sample)
            if sample.synthetic:
                st.badge(_("synthetic"), color="violet", icon=":material/auto_awesome:")
            if any(turn.context for turn in sample.turns):
                st.caption(_("Gray: only read, learnt in another sample."), width="content")


def told(turn: Turn) -> str:
    """Return a turn as Markdown: her name in green where the reply is learnt, gray where it is only context."""
    name, text = plain(turn.speaker or "—"), plain(turn.text)
    if turn.role is not TurnRole.PERSONA:
        return f":gray[**{name}**]　{text}"
    return f":gray[**{name}**　{text}]" if turn.context else f":green[**{name}**]　{text}"


def _origin(sample: Sample) -> None:
    lines = [line for turn in sample.turns for line in turn.utterance_ids]
    if not lines:
        told = any(turn.speaker for turn in sample.turns if turn.role is TurnRole.PERSONA)
        words = _("From what she knows about herself") if told else _("From a file that was brought along")
        st.caption(words, width="content")
        return
    st.page_link(
        script(stage("corpus")),
        label=_("In the book, chapter {number}").format(number=number(sample.chapter)),
        icon=":material/menu_book:",
        query_params={"passage": lines[0].rpartition(".")[0].rpartition(".")[0], "line": lines[0]},
    )


def _choose_side(key: str) -> None:
    SIDE.set(str(Split(shown(key)).value))
