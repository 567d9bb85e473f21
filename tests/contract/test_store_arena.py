"""Votes of the arena keep the replies, page newest first, and bring a reply before the curator; on each database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.training import Vote
from core.errors import NotFoundError
from core.store import Store

BEGIN = now()


def vote(number: int, *, minute: int | None = None) -> Vote:
    moment = BEGIN + timedelta(minutes=number if minute is None else minute)
    return Vote(
        f"vote-{number}", "a-qing", None, "外头还下雨吗？", "retrieval", "openai", "openai", "anna", moment,
        first_reply="雨停了。", second_reply="下着呢。", first_line="s-1.1.0",
    )  # fmt: skip


def test_a_vote_comes_back_with_both_replies_and_the_line_one_of_them_is(store: Store) -> None:
    store.votes.add_to_arena(vote(1))

    assert store.votes.get("vote-1") == vote(1)


def test_the_arena_pages_newest_first_and_loses_none_of_one_moment(store: Store) -> None:
    for number in range(5):
        store.votes.add_to_arena(vote(number, minute=number // 3))

    seen: list[str] = []
    after: tuple[str] | None = None
    while True:
        page = store.votes.in_arena("a-qing", after=after[0] if after else None, limit=2)
        seen += [one.id for one in page.rows]
        after = page.next_cursor
        if after is None:
            break

    assert seen == ["vote-4", "vote-3", "vote-2", "vote-1", "vote-0"]
    assert store.votes.count_in_arena("a-qing") == 5
    assert len(store.votes.in_arena("a-qing", limit=None).rows) == 5


def test_votes_on_sounds_of_a_run_and_votes_about_others_are_not_in_the_arena(store: Store) -> None:
    store.runs.add(Run("run-1", "voice_ranking", "a-qing", "gpu", RunState.SUCCEEDED, {}, {}, now(), "anna"))
    store.votes.add(replace(vote(1), run_id="run-1", first_reply=None, second_reply=None))
    store.votes.add(replace(vote(2), first_reply=None, second_reply=None))

    assert store.votes.in_arena("a-qing").rows == ()
    assert store.votes.in_arena("somebody-else").rows == ()


def test_a_vote_without_its_replies_is_none_of_the_arenas(store: Store) -> None:
    with pytest.raises(TypeError):
        store.votes.add_to_arena(replace(vote(1), second_reply=None))


def test_a_vote_that_is_in_the_arena_already_stands_as_it_was_given(store: Store) -> None:
    store.votes.add_to_arena(vote(1))

    store.votes.add_to_arena(replace(vote(1), winner="retrieval"))

    assert store.votes.in_arena("a-qing").rows == (vote(1),)
    with pytest.raises(IntegrityError):  # nobody's vote
        store.votes.add_to_arena(replace(vote(2), persona_id="nobody"))


def test_a_flagged_reply_waits_with_its_reasons_until_it_is_settled_and_the_vote_stands(store: Store) -> None:
    for number in (1, 2):
        store.votes.add_to_arena(vote(number))

    store.votes.flag("vote-1", "second", "词不像书里的", who="anna")
    flagged = store.votes.flag("vote-1", "first", "答非所问", who="bert")

    assert (flagged.flagged, flagged.reason) == ("both", "词不像书里的\n答非所问")
    assert store.votes.in_arena("a-qing", flagged=True).rows == (flagged,)
    store.votes.settle("vote-1", who="bert")
    assert store.votes.in_arena("a-qing", flagged=True).rows == ()
    assert store.votes.get("vote-1") == vote(1)
    assert [event.action for event in store.events.of("vote", "vote-1")] == ["settle", "flag", "flag"]


def test_a_vote_that_never_was_cannot_be_flagged(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.votes.flag("vote-9", "first", "", who="anna")
