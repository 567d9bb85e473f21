"""Near-duplicates: decisions are events, can be taken back, and stick to the words; on each database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.cleaning import DuplicateCluster, DuplicateMember, content_of
from core.domain.text import Utterance
from core.errors import ConflictError, InvalidInputError
from core.store import Store
from tests.contract.stores import filled, line, passages, source


def cluster(*lines: Utterance, similarity: float = 0.9) -> DuplicateCluster:
    """Return a cluster of these lines, the first one proposed to stay."""
    members = tuple(
        DuplicateMember(one.id, content_of(one.text), one.text, similarity, "variant", proposed=number == 0)
        for number, one in enumerate(lines)
    )
    return DuplicateCluster("dup-" + ".".join(one.id for one in lines)[-60:], "a-qing", members)


def searched(store: Store, *clusters: DuplicateCluster) -> int:
    return store.duplicates.replace("a-qing", clusters, None)


def kept(store: Store) -> list[list[bool | None]]:
    page = store.duplicates.clusters("a-qing", open_only=False)
    return [[member.kept for member in one.members] for one in page.rows]


def test_clusters_come_in_their_order_page_by_page(store: Store) -> None:
    lines = filled(store, 6)

    opened = searched(store, *(cluster(*lines[n : n + 2]) for n in (0, 2, 4)))
    first = store.duplicates.clusters("a-qing", limit=2)
    rest = store.duplicates.clusters("a-qing", after=first.next_cursor, limit=2)

    assert opened == store.duplicates.count("a-qing") == 3
    assert [one.members[0].utterance_id for one in (*first.rows, *rest.rows)] == [lines[n].id for n in (0, 2, 4)]
    assert rest.next_cursor is None
    assert store.duplicates.of_lines([lines[1].id, "nobody"]) == {lines[1].id: first.rows[0].id}


def test_what_is_not_kept_is_dropped_and_the_event_says_who(store: Store) -> None:
    lines = filled(store, 3)
    searched(store, cluster(*lines))
    asked = store.duplicates.clusters("a-qing").rows[0]

    decided = store.duplicates.decide(asked.id, 0, keep=[lines[0].id], who="anna")

    assert (decided.open, decided.decided_by, decided.revision) == (False, "anna", 1)
    assert store.duplicates.dropped("a-qing") == {lines[1].id, lines[2].id}
    assert store.duplicates.clusters("a-qing").rows == ()
    event = store.events.of("duplicates", asked.id)[0]
    assert (event.who, event.action) == ("anna", "decide")
    assert event.after == {"kept": {lines[0].id: True, lines[1].id: False, lines[2].id: False}, "revision": 1}


def test_several_all_or_none_may_be_kept(store: Store) -> None:
    lines = filled(store, 6)
    searched(store, cluster(*lines[:2]), cluster(*lines[2:4]), cluster(*lines[4:]))
    both, none, _open = store.duplicates.clusters("a-qing").rows

    store.duplicates.decide(both.id, 0, keep=[one.id for one in lines[:2]], who="anna")
    store.duplicates.decide(none.id, 0, keep=[], who="anna")

    assert store.duplicates.dropped("a-qing") == {lines[2].id, lines[3].id}
    assert store.duplicates.dropped("a-qing", proposed=True) == {lines[2].id, lines[3].id, lines[5].id}


def test_the_second_of_two_curators_is_told(store: Store) -> None:
    lines = filled(store, 2)
    searched(store, cluster(*lines))
    asked = store.duplicates.clusters("a-qing").rows[0]
    store.duplicates.decide(asked.id, 0, keep=[lines[0].id], who="anna")

    with pytest.raises(ConflictError):
        store.duplicates.decide(asked.id, 0, keep=[lines[1].id], who="ben")
    with pytest.raises(InvalidInputError):
        store.duplicates.decide(asked.id, 1, keep=["somebody-else"], who="ben")
    with pytest.raises(ConflictError):
        store.duplicates.get("dup-gone")


def test_a_decided_cluster_is_not_asked_again_unless_new_words_join_it(store: Store) -> None:
    lines = filled(store, 3)
    searched(store, cluster(*lines[:2]))
    asked = store.duplicates.clusters("a-qing").rows[0]
    store.duplicates.decide(asked.id, 0, keep=[lines[0].id], who="anna")

    again = searched(store, cluster(*lines[:2]))
    same = store.duplicates.get(asked.id)
    joined = searched(store, cluster(*lines))

    assert (again, same.decided_by) == (0, "anna")
    assert joined == 1
    assert kept(store) == [[True, False, None]]


def test_a_decision_holds_for_the_same_words_in_another_import(store: Store) -> None:
    lines = filled(store, 2)
    searched(store, cluster(*lines))
    asked = store.duplicates.clusters("a-qing").rows[0]
    store.duplicates.decide(asked.id, 0, keep=[lines[0].id], who="anna")
    store.corpus.add(source(2), passages(2, "source-2"))
    copies = [replace(line(n + 1), source_id="source-2") for n in range(2)]
    store.utterances.replace("source-2", "rules", copies, None)

    dropped = store.duplicates.dropped("a-qing")
    opened = searched(store, cluster(lines[0], copies[0], lines[1], copies[1]))

    assert dropped == {lines[1].id, copies[0].id, copies[1].id}
    assert opened == 0
    assert kept(store) == [[True, False, False, False]]


def test_decisions_are_taken_back_one_by_one(store: Store) -> None:
    lines = filled(store, 4)
    searched(store, cluster(*lines[:2]), cluster(*lines[2:]))
    one, other = store.duplicates.clusters("a-qing").rows
    store.duplicates.decide(one.id, 0, keep=[lines[0].id], who="anna")
    store.duplicates.decide(one.id, 1, keep=[lines[1].id], who="anna")
    store.duplicates.decide(other.id, 0, keep=[lines[2].id], who="ben")

    states = [kept(store)]
    while store.duplicates.undo("anna", "a-qing"):
        states.append(kept(store))

    assert states == [
        [[False, True], [True, False]],
        [[True, False], [True, False]],
        [[None, None], [True, False]],
    ]
    assert store.duplicates.dropped("a-qing") == {lines[3].id}
    assert store.duplicates.count("a-qing") == 1


def test_nobody_takes_back_what_somebody_else_decided_since(store: Store) -> None:
    lines = filled(store, 2)
    searched(store, cluster(*lines))
    asked = store.duplicates.clusters("a-qing").rows[0]
    store.duplicates.decide(asked.id, 0, keep=[lines[0].id], who="anna")
    store.duplicates.decide(asked.id, 1, keep=[lines[1].id], who="ben")

    with pytest.raises(ConflictError, match="ben"):
        store.duplicates.undo("anna", "a-qing")


def test_sure_proposals_are_accepted_at_once(store: Store) -> None:
    lines = filled(store, 4)
    searched(store, cluster(*lines[:2], similarity=1.0), cluster(*lines[2:]))

    assert store.duplicates.accept_proposals("a-qing", who="anna") == 1
    assert kept(store) == [[True, False], [None, None]]
