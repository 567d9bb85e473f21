"""Doubtful lines wait until somebody rejects or dismisses them; on each database."""

from __future__ import annotations

import pytest

from core.domain.cleaning import Suspicion
from core.domain.identity import now
from core.domain.text import Expansion, ReviewStatus, Utterance
from core.errors import ConflictError
from core.store import Store
from tests.contract.stores import filled


def doubt(one: Utterance, rule: str = "too short") -> Suspicion:
    return Suspicion(one.id, rule, "Only {count} characters.", {"count": 3}, one.text)


def waiting(store: Store) -> list[tuple[str, str]]:
    return [(one.suspicion.rule, one.line.id) for one in store.suspicions.page("a-qing").rows]


def test_doubtful_lines_come_page_by_page_with_the_reason_and_the_line(store: Store) -> None:
    lines = filled(store, 3)
    store.suspicions.replace("a-qing", [doubt(one) for one in lines])

    first = store.suspicions.page("a-qing", limit=2)
    rest = store.suspicions.page("a-qing", after=first.next_cursor, limit=2)

    assert [one.line for one in (*first.rows, *rest.rows)] == lines
    assert (first.rows[0].suspicion, rest.next_cursor) == (doubt(lines[0]), None)
    assert store.suspicions.counts("a-qing") == {"too short": 3}
    assert store.suspicions.page("a-qing", rule="garbled").rows == ()


def test_a_rejected_line_leaves_the_queue_and_its_events_say_why(store: Store) -> None:
    lines = filled(store, 2)
    store.suspicions.replace("a-qing", [doubt(lines[0]), doubt(lines[0], "garbled"), doubt(lines[1])])

    rejected = store.suspicions.reject({lines[0].id: 0}, who="anna")

    assert rejected == 1
    assert store.utterances.get(lines[0].id).status is ReviewStatus.REJECTED
    assert waiting(store) == [("too short", lines[1].id)]
    reasons = [event.after for event in store.events.history("suspicion", lines[0].id)]
    assert reasons == [
        {"rule": rule, "reason": "Only {count} characters.", "values": {"count": 3}}
        for rule in ("too short", "garbled")
    ]
    with pytest.raises(ConflictError):
        store.suspicions.reject({lines[1].id: 7}, who="anna")


def test_the_review_takes_a_rejection_back_and_the_doubt_returns(store: Store) -> None:
    lines = filled(store, 2)
    store.suspicions.replace("a-qing", [doubt(one) for one in lines])
    store.suspicions.reject({one.id: 0 for one in lines}, who="anna")

    undone = store.review.undo("anna", "a-qing")

    assert undone is not None
    assert undone.records == 2
    assert len(waiting(store)) == 2


def test_what_was_dismissed_is_not_brought_up_again_for_the_same_words_and_rule(store: Store) -> None:
    lines = filled(store, 2)
    store.suspicions.replace("a-qing", [doubt(one) for one in lines])
    store.suspicions.dismiss(lines[0].id, "too short", who="anna")

    left = waiting(store)
    found = store.suspicions.replace("a-qing", [doubt(lines[0]), doubt(lines[0], "garbled"), doubt(lines[1])])

    assert left == [("too short", lines[1].id)]
    assert found == 2
    assert waiting(store) == [("garbled", lines[0].id), ("too short", lines[1].id)]


def test_a_dismissal_is_taken_back(store: Store) -> None:
    lines = filled(store, 1)
    store.suspicions.replace("a-qing", [doubt(lines[0])])
    store.suspicions.dismiss(lines[0].id, "too short", who="anna")
    store.suspicions.bring_back(lines[0].id, "too short", who="anna")

    assert waiting(store) == [("too short", lines[0].id)]
    assert [one.action for one in store.events.of("suspicion", lines[0].id)] == ["bring back", "dismiss"]


def test_a_line_that_was_edited_or_accepted_is_in_doubt_no_more(store: Store) -> None:
    lines = filled(store, 2)
    store.suspicions.replace("a-qing", [doubt(one) for one in lines])
    store.review.edit(lines[0].id, 0, who="anna", text="别的话。")
    store.review.edit(lines[1].id, 0, who="anna", status=ReviewStatus.ACCEPTED)

    assert waiting(store) == []


def test_synthetic_lines_wait_in_a_queue_of_their_own(store: Store) -> None:
    quote = filled(store, 1)[0]
    written = Expansion("exp-1", "a-qing", quote.id, 0, "陆远", "手机响了？", "m", now())
    store.expansions.put([written])
    store.suspicions.replace(
        "a-qing", [Suspicion("exp-1", "anachronism", "{word}", {"word": "手机"}, written.text, synthetic=True)]
    )

    assert waiting(store) == []
    assert [one.line for one in store.suspicions.page("a-qing", synthetic=True).rows] == [written]
