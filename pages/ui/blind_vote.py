"""Two takes of one sentence, unnamed: which is more like her? Votes are kept and counted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.run import Run
from core.stages.voice_training.scoring import preferences
from pages.ui.decisions import careful, tell
from pages.ui.frame import Visit
from pages.ui.i18n import _, number
from pages.ui.markup import plain
from pages.ui.state import SAID, VOTES
from pages.ui.voice_pairs import Told, key_of, name_of, play_take, spoke, take_of


@dataclass(frozen=True, slots=True)
class _Ballot:
    """Two pairs that said the same sentence, in the order they are heard."""

    sentence: int
    first: Told
    second: Told


def blind_vote(visit: Visit, ranking: Run, pairs: Sequence[Told], sentences: Sequence[str]) -> None:
    """Draw the next two takes, the three answers, and what the votes so far say."""
    tell()
    ballot = _drawn(visit, ranking.id, pairs, sentences)
    if ballot is None:
        st.caption(_("A vote needs two pairs of weights that have spoken."))
        return
    st.markdown(f"**{plain(sentences[ballot.sentence])}**")
    for column, pair, title in zip(
        st.columns(2), (ballot.first, ballot.second), (_("First"), _("Second")), strict=True
    ):
        with column, st.container(border=True):
            st.caption(title)
            play_take(visit, take_of(pair, ballot.sentence))
    answers = {"first": _("The first is more like her"), "second": _("The second is"), "": _("No difference")}
    with st.container(horizontal=True, key="vote-answers"):
        for answer, words in answers.items():
            asked = (visit, ranking, ballot, answer, sentences[ballot.sentence])
            st.button(words, key=f"vote.{answer or 'none'}", on_click=_vote, args=asked)
        st.button(_("Pass over"), type="tertiary", key="vote.pass", on_click=_pass)
    _counted(visit, ranking, pairs)


def _drawn(visit: Visit, ranking_id: str, pairs: Sequence[Told], sentences: Sequence[str]) -> _Ballot | None:
    """Draw two pairs and a sentence both have said, by chance but the same until the vote."""
    chance = random.Random(f"{ranking_id}.{VOTES.get()}")
    order = list(range(len(sentences)))
    chance.shuffle(order)
    for sentence in order:
        heard = [pair for pair in pairs if spoke(visit, take_of(pair, sentence))]
        if len(heard) > 1:
            first, second = chance.sample(heard, 2)
            return _Ballot(sentence, first, second)
    return None


@careful
def _vote(visit: Visit, ranking: Run, ballot: _Ballot, answer: str, sentence: str) -> None:
    first, second = key_of(ballot.first), key_of(ballot.second)
    winner = {"first": first, "second": second}.get(answer)
    visit.studio.vote(ranking.id, sentence, first, second, winner, who=visit.who)
    _pass()
    SAID.set(_("Your vote is counted. Here are the next two."))


def _pass() -> None:
    VOTES.set(VOTES.get() + 1)


def _counted(visit: Visit, ranking: Run, pairs: Sequence[Told]) -> None:
    counted = preferences(visit.studio.store.votes.of_run(ranking.id))
    if not counted:
        return
    with st.expander(_("What the votes say"), icon=":material/how_to_vote:"):
        shown = {key_of(pair): pair for pair in pairs}
        st.dataframe(
            [
                {
                    _("pair"): name_of(shown[one.name]),
                    _("preferred"): one.wins,
                    _("not preferred"): one.losses,
                    _("no difference"): one.ties,
                    _("share"): number(one.share, "0 %"),
                    _("between"): f"{number(one.low, '0 %')} – {number(one.high, '0 %')}",
                }
                for one in counted
                if one.name in shown
            ],
            hide_index=True,
        )
        st.caption(_("With few votes the share says little: it lies between the two bounds in 95 of 100 cases."))
