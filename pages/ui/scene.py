"""The place of a line in its book: its paragraph, a few around it, and the lines that stand in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import streamlit as st

from core.domain.text import Passage, Utterance
from core.errors import NotFoundError
from core.lifecycle import stage
from pages.ui.frame import Visit, script
from pages.ui.i18n import _, number
from pages.ui.reader import show_passages
from pages.ui.state import AROUND

_FURTHER: Final = 4
_HEIGHT: Final = 430


@dataclass(frozen=True, slots=True)
class Scene:
    """Some passages in a row and the lines in them, by passage id."""

    passages: Sequence[Passage]
    lines: Mapping[str, Sequence[Utterance]]

    @property
    def spoken(self) -> list[Utterance]:
        """Every line of the scene, in order."""
        return [line for passage in self.passages for line in self.lines[passage.id]]


def scene_of(visit: Visit, line: Utterance) -> Scene:
    """Return the line's passages with as many before and after as the reader asked for."""
    store, far = visit.studio.store, AROUND.get()
    passages = []
    for ordinal in range(max(0, line.ordinal - far), line.ordinal + line.runs_on + far + 1):
        with suppress(NotFoundError):  # the book ends here
            passages.append(store.corpus.passage(f"{line.source_id}.{ordinal}"))
    return Scene(passages, {one.id: store.utterances.of_passage(one.id) for one in passages})


def show_scene(visit: Visit, line: Utterance, scene: Scene, *, book: str) -> None:
    """Show the scene with the line highlighted, where it is in the book, and the way there."""
    shown = {place: [one for one in lines if not _hides(one, line)] for place, lines in scene.lines.items()}
    with st.container(height=_HEIGHT, border=True, key="scene"):
        show_passages(scene.passages, shown, persona=visit.persona.name, chosen=line.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="scene-place"):
        st.caption(_place(line, book), width="stretch")
        far = AROUND.get() > 1
        st.button(
            _("Less") if far else _("More"),
            icon=":material/unfold_less:" if far else ":material/unfold_more:",
            help=_("Fewer paragraphs around it") if far else _("More paragraphs around it"),
            key="review-around",
            type="tertiary",
            on_click=AROUND.set,
            args=(1 if far else _FURTHER,),
        )
        st.page_link(
            script(stage("corpus")),
            label=_("Read on"),
            icon=":material/menu_book:",
            query_params={"passage": line.passage_id, "line": line.id},
        )


def _hides(other: Utterance, line: Utterance) -> bool:
    """Whether the other line, were it marked, would leave no place for this one that stands inside it."""
    around = other.ordinal == line.ordinal and other.start <= line.start and line.end <= other.end
    return around and other.id != line.id


def _place(line: Utterance, book: str) -> str:
    if not line.chapter:
        return book
    place = _("chapter {chapter}, paragraph {paragraph}").format(
        chapter=number(line.chapter), paragraph=number(line.para + 1)
    )
    return f"{book} · {place}" if book else place
