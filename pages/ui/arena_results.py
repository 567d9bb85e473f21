"""What the votes of the arena come to: ratings with intervals, chances, what waits for the curator, the history."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from core.domain.training import Vote
from core.lifecycle import stage
from core.stages.evaluation.arena.ratings import Rating, ratings, win_chance
from core.store.votes import BOTH, FIRST, SECOND
from pages.ui.charts import Estimate, intervals
from pages.ui.decisions import careful
from pages.ui.frame import Visit, script
from pages.ui.i18n import _, _n, moment, number
from pages.ui.markup import plain
from pages.ui.state import ARENA_VOTES, SAID
from pages.ui.tables import pager, place_of

_COLUMNS = (
    *("id", "voted_at", "voted_by", "prompt", "first", "first_name", "first_reply"),
    *("second", "second_name", "second_reply", "winner", "flagged", "reason"),
)
"""Of the exported table; not translated, for other programs read it."""
_PER_PAGE = 20
_FLAGGED = 50
"""Votes with something for the curator that are drawn at once."""


def results(visit: Visit, titles: Mapping[str, str]) -> None:
    """Draw everything below the duel; a hint where nobody has voted."""
    votes = visit.studio.store.votes.in_arena(visit.persona.id, limit=None).rows
    if not votes:
        st.caption(_("Ratings appear here with the first vote."))
        return
    st.subheader(_("Ratings"), anchor=False)
    _rated(ratings(votes), titles)
    _for_the_curator(visit, titles)
    _history(visit, votes, titles)


def _rated(rated: Sequence[Rating], titles: Mapping[str, str]) -> None:
    groups = sorted({one.group for one in rated})
    if len(groups) > 1:
        st.info(
            _("No vote leads from one group to the other yet, so their ratings have no common scale."),
            icon=":material/call_split:",
        )
    for group in groups:
        own = [one for one in rated if one.group == group]
        called = {one.name: titles.get(one.name, one.name) for one in own}
        intervals(
            [Estimate(called[one.name], one.strength, one.low, one.high) for one in own],
            title=_("Strength by votes") if len(groups) == 1 else _("Group {number}").format(number=number(group + 1)),
            x_title=_("points, with 95 % intervals"),
            key=f"arena.chart.{group}",
        )
        st.dataframe([_row(one, called) for one in own], hide_index=True, key=f"arena.ratings.{group}")
        st.dataframe([_chances(one, own, called) for one in own], hide_index=True, key=f"arena.chances.{group}")
    st.caption(
        _(
            "The mean is 1000, and 400 points more are ten wins for a loss. The second table says how likely the one "
            "on the left is preferred to the one above, where somebody prefers one."
        )
    )


def _row(one: Rating, called: Mapping[str, str]) -> dict[str, str]:
    return {
        _("contestant"): called[one.name],
        _("points"): number(one.strength, "0"),
        _("between"): f"{number(one.low, '0')} – {number(one.high, '0')}",
        _("preferred"): number(one.wins),
        _("not preferred"): number(one.losses),
        _("no difference"): number(one.ties),
    }


def _chances(one: Rating, own: Sequence[Rating], called: Mapping[str, str]) -> dict[str, str]:
    row = {_("contestant"): called[one.name]}
    for other in own:
        chance = None if other is one else win_chance(one, other)
        row[_("beats {name}").format(name=called[other.name])] = "—" if chance is None else number(chance, "0 %")
    return row


def _for_the_curator(visit: Visit, titles: Mapping[str, str]) -> None:
    flagged = visit.studio.store.votes.in_arena(visit.persona.id, flagged=True, limit=_FLAGGED)
    if not flagged.rows:
        return
    st.subheader(_("For the curator"), anchor=False)
    for vote in flagged.rows:
        with st.container(border=True, key=f"arena-flagged-{vote.id}"):
            st.markdown(f"**{plain(vote.prompt)}**")
            for side, name, text, line in _sides(vote):
                if vote.flagged not in (side, BOTH):
                    continue
                st.markdown(f"> {plain(text)}")
                st.caption(plain(titles.get(name, name)))
                if line:
                    st.page_link(
                        script(stage("dialogues")),
                        label=_("Review this line"),
                        icon=":material/rate_review:",
                        query_params={"queue": "all", "line": line},
                    )
            told = f"{plain(vote.reason)} · " if vote.reason else ""
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(f":material/flag: {told}{plain(vote.voted_by)} · {moment(vote.voted_at)}", width="stretch")
                st.button(
                    _("Done"), icon=":material/check:", key=f"settle.{vote.id}", on_click=_settle, args=(visit, vote.id)
                )
    if flagged.next_cursor:
        st.caption(_("More follow when these are done."))


@careful
def _settle(visit: Visit, vote_id: str) -> None:
    visit.studio.store.votes.settle(vote_id, who=visit.who)
    SAID.set(_("It is off the list."))


def _history(visit: Visit, votes: Sequence[Vote], titles: Mapping[str, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(_("Votes so far"), anchor=False, width="stretch")
        st.download_button(
            _("Download as CSV"),
            partial(_csv, votes, dict(titles)),
            file_name="arena-votes.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="arena.csv",
        )
    # A vote begins the list anew: what is newest stands on the first page.
    place = place_of(ARENA_VOTES, f"{visit.persona.id}.{len(votes)}")
    page = visit.studio.store.votes.in_arena(visit.persona.id, after=place[0] if place else None, limit=_PER_PAGE)
    st.dataframe(
        [
            {
                _("when"): moment(one.voted_at),
                _("asked"): one.prompt,
                _("first"): titles.get(one.first, one.first),
                _("second"): titles.get(one.second, one.second),
                _("preferred"): titles.get(one.winner, one.winner) if one.winner else _("no difference"),
                _("first reply"): one.first_reply,
                _("second reply"): one.second_reply,
                _("by"): one.voted_by,
            }
            for one in page.rows
        ],
        hide_index=True,
        key="arena.history",
    )
    if len(votes) > _PER_PAGE:
        pager(ARENA_VOTES, next_cursor=page.next_cursor, total=len(votes), per_page=_PER_PAGE)
    else:
        st.caption(_n("{count} vote", "{count} votes", len(votes)))


def _sides(vote: Vote) -> list[tuple[str, str, str, str | None]]:
    return [
        (FIRST, vote.first, vote.first_reply or "", vote.first_line),
        (SECOND, vote.second, vote.second_reply or "", vote.second_line),
    ]


def _csv(votes: Sequence[Vote], titles: Mapping[str, str]) -> bytes:
    """Return the votes as a table that spreadsheets read as UTF-8, newest first."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(_COLUMNS)
    for one in votes:
        row = [one.id, one.voted_at.isoformat(), one.voted_by, one.prompt]
        row += [one.first, titles.get(one.first, ""), one.first_reply or ""]
        row += [one.second, titles.get(one.second, ""), one.second_reply or ""]
        row += [one.winner or "", one.flagged or "", one.reason or ""]
        table.writerow(_inert(value) for value in row)
    return written.getvalue().encode("utf-8-sig")


def _inert(value: str) -> str:
    """Return the words so that no spreadsheet takes them for a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
