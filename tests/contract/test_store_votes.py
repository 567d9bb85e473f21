"""Votes are kept as they were given, in the order they came; on each database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.training import Vote
from core.store import Store

BEGIN = now()
LINE = "你来了，外头冷不冷？"


@pytest.fixture(autouse=True)
def _two_runs(store: Store) -> None:
    for run_id in ("run-1", "run-2"):
        store.runs.add(Run(run_id, "voice_ranking", "a-qing", "gpu", RunState.SUCCEEDED, {}, {}, now(), "anna"))


def vote(number: int, run_id: str | None = "run-1", winner: str | None = "8+15", after: int | None = None) -> Vote:
    moment = BEGIN + timedelta(seconds=number if after is None else after)
    return Vote(f"vote-{number}", "a-qing", run_id, LINE, "4+5", "8+15", winner, "anna", moment)


def test_votes_come_back_as_they_were_given_oldest_first(store: Store) -> None:
    given = [vote(1), vote(2, winner=None), vote(3, winner="4+5")]
    for one in reversed(given):
        store.votes.add(one)

    assert store.votes.of_run("run-1") == given


def test_votes_of_one_moment_have_one_order(store: Store) -> None:
    for number in (3, 1, 2):
        store.votes.add(vote(number, after=0))

    assert [one.id for one in store.votes.of_run("run-1")] == ["vote-1", "vote-2", "vote-3"]


def test_a_run_has_its_own_votes_only(store: Store) -> None:
    store.votes.add(vote(1))
    store.votes.add(vote(2, run_id=None))

    assert [one.id for one in store.votes.of_run("run-1")] == ["vote-1"]
    assert store.votes.of_run("run-2") == []


def test_a_vote_is_not_cast_twice_nor_changed(store: Store) -> None:
    store.votes.add(vote(1))

    with pytest.raises(IntegrityError):
        store.votes.add(vote(1, winner="4+5"))
    assert store.votes.of_run("run-1") == [vote(1)]


def test_a_vote_on_a_run_that_never_was_is_refused(store: Store) -> None:
    with pytest.raises(IntegrityError):
        store.votes.add(vote(1, run_id="run-of-nobody"))
