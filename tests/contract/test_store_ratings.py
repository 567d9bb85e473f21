"""Ratings: one for each person and reply, every change an event, the bad ones before the curator; on each database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.domain.chat import Message, Speaker, Verdict
from core.domain.identity import now
from core.errors import InvalidInputError, NotFoundError
from core.store import Store
from core.store.ratings import RatingCounts, RatingCursor


@pytest.fixture(autouse=True)
def _a_talk(store: Store) -> None:
    """The visitor asks once, and is answered five times."""
    talk = store.talks.start("a-qing", "雨天")
    store.talks.say(Message("asked", talk.id, 0, Speaker.VISITOR, "冷么？", now()))
    for number in range(5):
        reply = Message(f"m-{number}", talk.id, 0, Speaker.PERSONA, f"{number}。", now(), parent_id="asked")
        store.talks.say(reply)


def test_a_rating_comes_back_and_a_second_one_takes_its_place(store: Store) -> None:
    first = store.ratings.rate("m-0", Verdict.UP, who="anna")
    second = store.ratings.rate("m-0", Verdict.DOWN, " 太冷淡 ", who="anna")
    other = store.ratings.rate("m-0", Verdict.UP, who="bert")

    assert (second.id, second.value, second.reason) == (first.id, Verdict.DOWN, "太冷淡")
    assert store.ratings.of_messages(["m-0", "m-1"]) == {"m-0": [second, other]}
    assert store.ratings.of_messages(["m-0"], who="bert") == {"m-0": [other]}
    assert [one.action for one in store.events.of("rating", first.id)] == ["rate", "rate"]
    changed = store.events.of("rating", first.id)[0]
    assert ("value", "up", "down") in changed.changed


def test_the_same_rating_again_changes_nothing(store: Store) -> None:
    first = store.ratings.rate("m-0", Verdict.DOWN, "冷", who="anna")
    store.ratings.settle(first.id, who="cora")

    again = store.ratings.rate("m-0", Verdict.DOWN, "冷", who="anna")

    assert again.settled_by == "cora"
    assert len(store.events.of("rating", first.id)) == 2


def test_a_withdrawn_rating_is_gone_and_its_event_stays(store: Store) -> None:
    given = store.ratings.rate("m-0", Verdict.UP, who="anna")

    store.ratings.withdraw("m-0", who="bert")
    store.ratings.withdraw("m-0", who="anna")
    store.ratings.withdraw("m-0", who="anna")

    assert store.ratings.of_messages(["m-0"]) == {}
    assert [one.action for one in store.events.of("rating", given.id)] == ["withdraw", "rate"]


def test_only_replies_that_are_there_are_rated(store: Store) -> None:
    with pytest.raises(InvalidInputError):
        store.ratings.rate("asked", Verdict.UP, who="anna")
    with pytest.raises(InvalidInputError):
        store.ratings.rate("m-0", Verdict.UP, "长" * 2001, who="anna")
    with pytest.raises(NotFoundError):
        store.ratings.rate("m-9", Verdict.UP, who="anna")
    with pytest.raises(NotFoundError):
        store.ratings.settle("rating-9", who="anna")


def test_whoever_rates_at_once_the_last_one_stands(store: Store) -> None:
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda number: store.ratings.rate("m-0", Verdict.UP, f"{number}", who="anna"), range(24)))

    assert len(store.ratings.of_messages(["m-0"])["m-0"]) == 1


def test_the_curator_sees_what_was_rated_down_until_it_is_settled(store: Store) -> None:
    store.ratings.rate("m-1", Verdict.UP, who="anna")
    first = store.ratings.rate("m-2", Verdict.DOWN, who="anna")
    second = store.ratings.rate("m-3", Verdict.DOWN, "答非所问", who="bert")

    rows = store.ratings.for_curator("a-qing").rows
    assert [(one.rating, one.reply.id, one.said and one.said.text) for one in rows] == [
        (second, "m-3", "冷么？"),
        (first, "m-2", "冷么？"),
    ]
    assert store.ratings.counts("a-qing") == RatingCounts(up=1, down=2, waiting=2)
    store.ratings.settle(second.id, who="cora")
    store.ratings.settle(second.id, who="dora")
    assert [one.rating for one in store.ratings.for_curator("a-qing").rows] == [first]
    assert store.ratings.counts("a-qing") == RatingCounts(up=1, down=2, waiting=1)
    settled = store.ratings.of_messages(["m-3"])["m-3"][0]
    assert (settled.settled_by, settled.value) == ("cora", Verdict.DOWN)
    store.ratings.rate("m-3", Verdict.DOWN, "还是答非所问", who="bert")
    assert store.ratings.counts("a-qing").waiting == 2


def test_the_curators_list_pages_and_loses_none(store: Store) -> None:
    for number in range(5):
        store.ratings.rate(f"m-{number}", Verdict.DOWN, who="anna")

    seen: list[str] = []
    after: RatingCursor | None = None
    while True:
        page = store.ratings.for_curator("a-qing", after=after, limit=2)
        seen += [one.reply.id for one in page.rows]
        after = page.next_cursor
        if after is None:
            break
        store.ratings.withdraw(page.rows[-1].reply.id, who="anna")  # where the next page begins may go meanwhile

    assert seen == ["m-4", "m-3", "m-2", "m-1", "m-0"]
    assert store.ratings.for_curator("somebody-else").rows == ()
    assert store.ratings.counts("somebody-else") == RatingCounts()
