"""A duel on the page: two unnamed replies, the vote, then whose they were and a way to the curator."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import StudioError
from core.stages.evaluation.arena.duel import Duel, Reply, drawn, prompts
from core.store.votes import BOTH, FIRST, SECOND
from pages.ui.arena_keys import arena_keys_help
from pages.ui.decisions import careful
from pages.ui.errors import show_failure, told_to_the_user
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.makers import makers
from pages.ui.markup import plain
from pages.ui.state import DUEL, DUEL_ASKED, SAID

Told = dict[str, Any]
"""A reply in the session: name, text, line, failure, sound, silence."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants compared."""

    names: Sequence[str]
    prompt: str
    """Empty to draw one."""
    voice: str


def names_of(visit: Visit) -> dict[str, str]:
    """Return what people call everybody who may have met, by the name votes give him."""
    registered = {one.id: one.name for one in visit.studio.store.models.all(visit.persona.id, removed=True)}
    return {**registered, **{one.id: _(one.title) for one in visit.studio.chat.arena_choices(visit.persona)}}


def wishes(visit: Visit, titles: Mapping[str, str]) -> Wishes:
    """Ask who may meet, on which words and with which voice."""
    competitors = [one.id for one in visit.studio.chat.arena_choices(visit.persona)]
    chosen = st.multiselect(
        _("Who may meet"), competitors, default=competitors, format_func=lambda one: titles[one], key="arena.names"
    )
    words, voice = st.columns([3, 1], vertical_alignment="top")
    prompt = words.text_input(
        _("What both are asked"),
        placeholder=_("Empty: one is drawn"),
        help=_("Drawn from what one asks her, and from scenes kept back from training."),
        key="arena.prompt",
    )
    silent = ["", *(one for one in visit.studio.chat.voice_choices(visit.persona) if one)]
    spoken = voice.selectbox(_("Voice"), silent, format_func=makers(visit).voice, key="arena.voice")
    return Wishes(chosen, prompt, spoken or "")


def duel(visit: Visit, wanted: Wishes, titles: Mapping[str, str]) -> None:
    """Draw the two replies and what can be said of them, or the way to the first two."""
    if len(wanted.names) < 2:
        st.info(_("Choose at least two who may meet."), icon=":material/group:")
        return
    if DUEL_ASKED.get():
        _ask(visit, wanted)
        DUEL_ASKED.clear()  # only now: a press meanwhile draws the page anew, and then they are asked again
    told = json.loads(DUEL.get() or "{}")
    if not told or told["persona"] != visit.persona.id:
        st.button(_("Let them answer"), key="arena-next", icon=":material/balance:", type="primary", on_click=_next)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(told['prompt'])}**", width="stretch")
        arena_keys_help()
    for column, side in zip(st.columns(2), (FIRST, SECOND), strict=True):
        with column, st.container(border=True, key=f"arena-reply-{side}"):
            _reply(visit, told, side, titles)
    if told["vote"]:
        st.button(_("The next two"), key="arena-next", icon=":material/arrow_forward:", type="primary", on_click=_next)
    elif _failed(told):
        st.caption(_("Without both replies there is nothing to vote on."))
        st.button(_("Let two others answer"), key="arena-next", icon=":material/refresh:", on_click=_next)
    else:
        _answers(visit)


def _answers(visit: Visit) -> None:
    answers = {
        "first": (_("The first is more like her"), ":material/arrow_back:"),
        "none": (_("No difference"), ":material/arrow_downward:"),
        "second": (_("The second is more like her"), ":material/arrow_forward:"),
    }
    with st.container(horizontal=True, horizontal_alignment="center", key="arena-answers"):
        for answer, (words, icon) in answers.items():
            st.button(words, key=f"arena-{answer}", icon=icon, on_click=_vote, args=(visit, answer))
        st.button(_("Pass over"), key="arena-pass", type="tertiary", on_click=_next)


def _reply(visit: Visit, told: Told, side: str, titles: Mapping[str, str]) -> None:
    reply: Told = told[side]
    title = _("First") if side == FIRST else _("Second")
    open_now = told["vote"] or reply["failure"]
    name = titles.get(reply["name"], reply["name"])
    mark = f" · :green[:material/check_circle: {_('preferred')}]" if told["winner"] == reply["name"] else ""
    st.caption(f"{title} · {plain(name)}{mark}" if open_now else title)
    if reply["failure"]:
        show_failure(*reply["failure"])
        return
    st.markdown(plain(reply["text"]))
    if reply["sound"]:
        st.audio(visit.studio.store.files.read(reply["sound"]), format="audio/wav")
    if reply["silence"]:
        message, remedy, values = reply["silence"]
        st.caption(_("The voice failed; the words can be judged all the same."))
        show_failure(message, remedy, values)
    if told["vote"]:
        _to_the_curator(visit, told, side)


def _to_the_curator(visit: Visit, told: Told, side: str) -> None:
    vote = visit.studio.store.votes.get(told["vote"])
    if vote.flagged in (side, BOTH):
        st.caption(f":material/flag: {_('It waits for the curator, below.')}")
        return
    with st.popover(_("Send to the curator"), icon=":material/flag:", type="tertiary", key=f"arena-flag-{side}"):
        if told[side]["line"]:
            st.caption(_("This is a line of the book: it goes back into the queue of the review."))
        else:
            st.caption(_("A model wrote this: it is put on the curator's list, with your reason."))
        with st.form(f"flag.{side}.{vote.id}", border=False):
            reason = st.text_input(_("What is wrong with it"), max_chars=200)
            if st.form_submit_button(_("Send"), icon=":material/send:"):
                with told_to_the_user():
                    visit.studio.chat.flag_reply(vote.id, side, reason, who=visit.who)
                    SAID.set(_("The curator will find it."))
                    st.rerun()


def _next() -> None:
    DUEL.clear()
    DUEL_ASKED.set(True)


@careful
def _vote(visit: Visit, answer: str) -> None:
    told = json.loads(DUEL.get() or "{}")
    if not told or told["vote"]:
        return  # a key was pressed twice
    winner = told[answer]["name"] if answer in (FIRST, SECOND) else None
    first, second = (Reply(told[one]["name"], told[one]["text"], told[one]["line"]) for one in (FIRST, SECOND))
    vote = visit.studio.chat.arena_vote(visit.persona, Duel(told["prompt"], first, second), winner, who=visit.who)
    DUEL.set(json.dumps({**told, "vote": vote.id, "winner": winner}))
    SAID.set(_("Your vote is counted."))


def _ask(visit: Visit, wanted: Wishes) -> None:
    studio, chance = visit.studio, random.Random()
    with told_to_the_user(), st.spinner(_("Both are thinking…"), show_time=True):
        votes = studio.store.votes.in_arena(visit.persona.id, limit=None).rows
        first, second = drawn(wanted.names, votes, chance)
        prompt = wanted.prompt.strip()
        if not prompt:
            asked = {one.prompt for one in votes}
            known = prompts(visit.persona, studio.store)
            prompt = chance.choice([one for one in known if one not in asked] or known or [_("Who are you?")])
        held = studio.chat.duel(visit.persona, prompt, first, second)
        replies = {FIRST: _told(visit, held.first, wanted.voice), SECOND: _told(visit, held.second, wanted.voice)}
        kept = {"persona": visit.persona.id, "prompt": held.prompt, "vote": "", "winner": "", **replies}
        DUEL.set(json.dumps(kept, default=str))


def _told(visit: Visit, reply: Reply, voice: str) -> Told:
    told: Told = {"name": reply.name, "text": reply.text, "line": reply.line_id, "failure": None}
    told |= {"sound": "", "silence": None}
    if reply.failure is not None:
        return {**told, "failure": _plainly(reply.failure)}
    try:
        sound = visit.studio.chat.duel_sound(voice, visit.persona, reply.text)
    except StudioError as failure:
        return {**told, "silence": _plainly(failure)}
    return {**told, "sound": visit.studio.store.files.put(sound.wav)} if sound else told


def _plainly(failure: StudioError) -> list[Any]:
    return [failure.message, failure.remedy, failure.values]


def _failed(told: Told) -> bool:
    return any(told[side]["failure"] for side in (FIRST, SECOND))
