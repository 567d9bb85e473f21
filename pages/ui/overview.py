"""Home: the map of the lifecycle for one persona, what each stage holds, and the one next thing to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from core.lifecycle import STAGES, Stage, stage
from core.translation import N_
from pages.ui.bubbles import BUBBLES, last_words
from pages.ui.frame import Visit, begin, roles, script
from pages.ui.holdings import Holding, holdings
from pages.ui.i18n import _

LINES: Final[Sequence[tuple[str, Sequence[str]]]] = (
    (N_("Her words"), ("corpus", "dialogues", "dataset", "finetuning")),
    (N_("Her voice, the test, the talk"), ("voice_dataset", "voice_training", "evaluation", "chat")),
)
"""How the stages stand on Home."""

_SHORTEST_WAY: Final = ("corpus", "dialogues", "dataset", "finetuning", "chat")


def overview() -> None:
    """Draw Home."""
    visit = begin("home")
    held = holdings(visit)
    _greeting(visit, held)
    for title, ids in LINES:
        _lane(visit, title, ids, held)
    st.subheader(_("Last words"), anchor=False)
    talks = visit.studio.store.talks.conversations(visit.persona.id, owner=visit.owner, limit=1)
    last_words(visit.persona, visit.studio.store.talks.messages(talks[0].id, last=BUBBLES) if talks else ())


def next_step(held: dict[str, Holding]) -> Stage:
    """Return the stage to work at next: the first without holdings on the shortest way to a talk, then the others."""
    first = [stage(stage_id) for stage_id in _SHORTEST_WAY]
    order = [*first, *(one for one in STAGES if one not in first)]
    return next((one for one in order if one.next_step and not held[one.id].amount), stage("chat"))


def _greeting(visit: Visit, held: dict[str, Holding]) -> None:
    upcoming = next_step(held)
    st.title(_("{name} of {book}").format(name=visit.persona.name, book=visit.persona.book), anchor=False)
    st.caption(_("From the book to a voice that answers: every stage, what it holds, and the next thing to do."))
    if upcoming.role not in roles(visit.studio):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            _(upcoming.next_step), type="primary", icon=f":material/{upcoming.icon}:", key="next-step", width="content"
        ):
            st.switch_page(script(upcoming))
        st.caption(_(upcoming.summary), width="content")


def _lane(visit: Visit, title: str, ids: Sequence[str], held: dict[str, Holding]) -> None:
    st.subheader(_(title), anchor=False)
    for column, stage_id in zip(st.columns(len(ids)), ids, strict=True):
        with column:
            _card(visit, stage(stage_id), held[stage_id])


def _card(visit: Visit, one: Stage, holding: Holding) -> None:
    with st.container(border=True, height="stretch", key=f"card-{one.id}"):
        if one.role in roles(visit.studio):
            st.page_link(script(one), label=f"**{_(one.title)}**", icon=f":material/{one.icon}:")
        else:
            st.markdown(f":material/{one.icon}: **{_(one.title)}**")
        st.html(f'<div class="stage-count">{holding.count} <small>{holding.of_what}</small></div>')
        st.caption(holding.detail or _(one.summary))
        if holding.running:
            st.badge(_("running"), color="blue", icon=":material/sync:")
