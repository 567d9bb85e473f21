"""Where a reply comes from: the line of the book, the memories it was shown, the model, its run and data, the voice."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import streamlit as st

from core.domain.chat import Message
from core.errors import NotFoundError
from core.lifecycle import ExtraPage, Stage, stage
from pages.ui.frame import Visit, entries, roles, script
from pages.ui.i18n import _, number
from pages.ui.markup import plain

_LONGEST: Final = 160


def origin(visit: Visit, message: Message) -> None:
    """Draw the chain from a reply back to the book."""
    custody = visit.studio.store.custody.of_message(message)
    if custody.utterance and custody.passage and custody.source:
        st.markdown(_("This is a line of the book:"))
        st.markdown(f"> {plain(custody.utterance.text)}")
        st.caption(
            _("{source}, chapter {chapter}, characters {start} to {end} of the file").format(
                source=plain(custody.source.name),
                chapter=number(custody.utterance.chapter),
                start=number(custody.passage.start + custody.utterance.start),
                end=number(custody.passage.start + custody.utterance.end),
            )
        )
        _link(
            visit,
            stage("corpus"),
            label=_("Read it in its passage"),
            icon=":material/menu_book:",
            query_params={"passage": custody.passage.id, "line": custody.utterance.id},
        )
    _memories(visit, message)
    if custody.model:
        st.markdown(
            _("Written by the model **{name}**, trained from {base}.").format(
                name=plain(custody.model.name), base=plain(custody.model.base)
            )
        )
    if custody.run_id:
        _link(
            visit,
            entries()["runs"],
            label=_("The run that trained it"),
            icon=":material/play_circle:",
            query_params={"run": custody.run_id},
        )
    if custody.dataset_version:
        _link(
            visit,
            stage("dataset"),
            label=_("The dataset version {name}").format(name=plain(custody.dataset_version.name)),
            icon=":material/dataset:",
            query_params={"part": "versions", "version": custody.dataset_version.id},
        )
    if custody.voice:
        st.markdown(
            _("Spoken by the voice **{name}**, {base}.").format(
                name=plain(custody.voice.name), base=plain(custody.voice.base)
            )
        )
        if custody.voice.run_id:
            _link(
                visit,
                entries()["runs"],
                label=_("The run that trained the voice"),
                icon=":material/record_voice_over:",
                query_params={"run": custody.voice.run_id},
            )
    if not (custody.utterance or message.memories or custody.model or custody.voice):
        st.caption(_("Nothing more is known about this reply."))


def _link(visit: Visit, to: Stage | ExtraPage, *, label: str, icon: str, query_params: dict[str, str]) -> None:
    """Draw a link to a page that is this person's; the others are not in their menu."""
    if to.role in roles(visit.studio):
        st.page_link(script(to), label=label, icon=icon, query_params=query_params)


def _memories(visit: Visit, message: Message) -> None:
    """Cite what came back to her: lines of hers, or passages that speak of her; what was deleted is left out."""
    if not message.memories:
        return
    store = visit.studio.store
    st.markdown(_("This came back to her from the book when she was asked:"))
    for cited in message.memories:
        with suppress(NotFoundError):
            line = None
            with suppress(NotFoundError):
                line = store.utterances.get(cited)
            passage = store.corpus.passage(line.passage_id if line else cited)
            words = line.text if line else passage.text
            st.markdown(f"> {plain(words[:_LONGEST] + ('…' if len(words) > _LONGEST else ''))}")
            _link(
                visit,
                stage("corpus"),
                label=_("Read it in its passage"),
                icon=":material/menu_book:",
                query_params={"passage": passage.id, **({"line": line.id} if line else {})},
            )
