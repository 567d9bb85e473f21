"""Whatever people do, the events tell it: they replay to what is there, and taken back one by one to what was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.identity import now
from core.domain.text import ReviewStatus, UtteranceKind
from core.errors import ConflictError, InvalidInputError
from core.store import Store
from core.store.events import Event, replayed, rewound
from core.store.records import plain
from core.store.utterances import UtteranceFilter
from tests.contract.curators import book

NUMBERS = count()
VERBS = ("edit", "accept", "everything", "chosen", "split", "merge", "restore", "undo", "redo")
DEEDS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 3), st.integers(1, 5)), max_size=12)
LENIENT = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def begun(store: Store) -> dict[str, Any]:
    """Put the four lines back to where they were, in a book of their own for each example."""
    for source in store.corpus.sources("a-qing"):
        store.corpus.delete(source.id, who="test")
    return {line_id: dict(line) for line_id, line in book(store, "a-qing", 4).items()}


def present(store: Store) -> dict[str, Any]:
    where = UtteranceFilter("a-qing")
    merged = replace(where, status=ReviewStatus.MERGED)
    return {line.id: plain(line) for one in (where, merged) for line in store.utterances.iterate(one)}


def do(store: Store, who: str, deed: tuple[str, int, int]) -> None:
    verb, position, at = deed
    lines = list(store.utterances.iterate(UtteranceFilter("a-qing")))
    line, review = lines[position % len(lines)], store.review
    seen: tuple[str, int] = (line.id, line.revision)
    match verb:
        case "edit":
            review.edit(*seen, who=who, speaker=f"{at}", text=f"{at}好。", kind=UtteranceKind.THOUGHT)
        case "accept":
            review.edit(*seen, who=who, status=ReviewStatus.ACCEPTED)
        case "everything":
            review.edit_all(UtteranceFilter("a-qing"), who=who, speaker=None if at % 2 else f"{at}")
        case "chosen":
            review.edit_these(dict([seen, (lines[0].id, lines[0].revision)]), who=who, status=ReviewStatus.REJECTED)
        case "split":
            review.split(*seen, at, who=who)
        case "undo" | "redo":
            getattr(review, verb)(who, "a-qing")
        case _:
            getattr(review, verb)(*seen, who=who)


def lived(store: Store, who: str, deeds: list[tuple[str, int, int]]) -> None:
    for deed in deeds:
        try:
            do(store, who, deed)
        except (InvalidInputError, ConflictError):
            continue  # not every verb fits every line


def without_revisions(lines: Mapping[str, Any]) -> dict[str, Any]:
    return {line_id: {**line, "revision": 0} for line_id, line in lines.items()}


@LENIENT
@given(DEEDS)
def test_the_events_of_each_line_replay_to_what_it_is(store: Store, deeds: list[tuple[str, int, int]]) -> None:
    start = begun(store)
    who = f"anna-{next(NUMBERS)}"
    lived(store, who, deeds)

    end = present(store)
    for line_id in {*start, *end}:
        history = [one for one in store.events.history("utterance", line_id) if one.who == who]
        assert replayed(start.get(line_id), history) == end.get(line_id)
        assert rewound(end.get(line_id), history) == start.get(line_id)


@LENIENT
@given(DEEDS)
def test_all_can_be_taken_back_and_done_again(store: Store, deeds: list[tuple[str, int, int]]) -> None:
    start = begun(store)
    who = f"bert-{next(NUMBERS)}"
    lived(store, who, deeds)
    while store.review.redo(who, "a-qing"):
        pass
    end = present(store)

    while store.review.undo(who, "a-qing"):
        pass
    back = present(store)
    while store.review.redo(who, "a-qing"):
        pass

    assert without_revisions(back) == without_revisions(start)
    assert without_revisions(present(store)) == without_revisions(end)


def test_a_change_that_does_not_begin_where_the_last_one_ended_is_noticed():
    def event(number: int, before: str, after: str) -> Event:
        return Event(number, now(), "anna", "utterance", "x", "edit", {"text": before}, {"text": after}, None)

    assert replayed({"text": "a"}, [event(1, "a", "b"), event(2, "b", "c")]) == {"text": "c"}
    with pytest.raises(ValueError, match="event 2"):
        replayed({"text": "a"}, [event(1, "a", "b"), event(2, "a", "c")])
