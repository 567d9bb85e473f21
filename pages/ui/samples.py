"""A sample as people read it: who says what, in the order a trainer sees it, each line linked to its passage."""

from __future__ import annotations

import streamlit as st

from core.domain.text import Sample, TurnRole
from core.lifecycle import stage
from pages.ui.frame import Visit, script
from pages.ui.i18n import _, number
from pages.ui.markup import plain

_LONG = 400
"""Characters from which a sample scrolls in a frame of its own."""


def show_sample(visit: Visit, sample: Sample) -> None:
    """Show one conversation and the way back to its first line in the book."""
    long = sum(len(turn.text) for turn in sample.turns) > _LONG
    with st.container(border=True, height=360 if long else "content", key=f"sample-{sample.ordinal}"):
        for turn in sample.turns:
            hers = turn.role is TurnRole.PERSONA
            name = f":green[**{plain(turn.speaker)}**]" if hers else f":gray[**{plain(turn.speaker)}**]"
            st.markdown(f"{name}　{plain(turn.text)}")
        lines = [line for turn in sample.turns for line in turn.utterance_ids]
        if lines:
            st.page_link(
                script(stage("corpus")),
                label=_("In the book, chapter {number}").format(number=number(sample.chapter)),
                icon=":material/menu_book:",
                query_params={"passage": lines[0].rpartition(".")[0].rpartition(".")[0], "line": lines[0]},
            )
        else:
            st.caption(_("From what she knows about herself"))
