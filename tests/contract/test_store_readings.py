"""Several extractors read the same lines, and each line shows the reading that stands; on each database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.text import ReviewStatus, Utterance, UtteranceKind
from core.store import Store
from core.store.utterances import Order, UtteranceFilter
from tests.contract.stores import filled, line, passages, source

ALL = UtteranceFilter("a-qing")


def kor(row: Utterance, **changes: object) -> Utterance:
    return replace(row, extractor="kor", confidence=0.8, reason="asked", **changes)  # type: ignore[arg-type]


def present(store: Store) -> list[Utterance]:
    return list(store.utterances.iterate(ALL))


def opinions(store: Store, row: Utterance) -> dict[str, str | None]:
    return {one.extractor: one.speaker for one in store.utterances.readings(row.id)}


def test_two_that_agree_make_a_line_surer(store: Store) -> None:
    row = filled(store, 1)[0]

    store.utterances.replace("source-1", "kor", [kor(row)], None)

    shown = store.utterances.get(row.id)
    assert (shown.extractor, shown.disputed) == ("rules", False)
    assert shown.confidence == pytest.approx(0.98)
    assert [one.confidence for one in store.utterances.readings(row.id)] == [0.9, 0.8]


def test_two_that_disagree_make_it_disputed_until_somebody_decides(store: Store) -> None:
    row = filled(store, 1)[0]
    store.utterances.replace("source-1", "kor", [kor(row, speaker="陆远")], None)
    queue = replace(ALL, disputed=True)
    waiting = store.utterances.page(queue).rows

    store.review.edit(row.id, 0, who="anna", speaker="陆远")

    assert [(one.speaker, one.confidence) for one in waiting] == [("沈青", 0.9)]
    assert store.utterances.page(queue).rows == ()
    store.review.undo("anna", "a-qing")
    assert len(store.utterances.page(queue).rows) == 1


def test_an_extractor_that_finds_a_line_no_more_takes_back_only_its_own_opinion(store: Store) -> None:
    first, second = filled(store, 2)
    store.utterances.replace("source-1", "kor", [kor(second, speaker="陆远")], None)

    store.utterances.replace("source-1", "rules", [first], None)

    assert [(one.id, one.extractor, one.speaker) for one in present(store)] == [
        (first.id, "rules", "沈青"),
        (second.id, "kor", "陆远"),
    ]
    store.utterances.replace("source-1", "kor", [], None)
    assert [one.id for one in present(store)] == [first.id]


def test_a_new_opinion_on_a_reviewed_line_is_kept_beside_the_decision(store: Store) -> None:
    row = filled(store, 1)[0]
    decided = store.review.edit(row.id, 0, who="anna", speaker=None, status=ReviewStatus.ACCEPTED)

    store.utterances.replace("source-1", "kor", [kor(row, speaker="陆远")], None)
    store.utterances.replace("source-1", "rules", [], None)

    assert store.utterances.get(row.id) == decided
    assert opinions(store, row) == {"kor": "陆远"}


def test_a_reading_that_begins_elsewhere_is_about_the_line_it_shares_most_with(store: Store) -> None:
    store.corpus.add(source(), passages(1))
    long, other = replace(line(1), end=20), replace(line(1, 20), end=30)
    store.utterances.replace("source-1", "rules", [long, other], None)

    beside = kor(line(1, 1), end=19)
    over_both = kor(line(1, 11), end=30, speaker="陆远")
    store.utterances.replace("source-1", "kor", [beside, over_both], None)

    assert [one.id for one in present(store)] == [long.id, other.id]
    assert (opinions(store, long), opinions(store, other)) == (
        {"rules": "沈青", "kor": "沈青"},
        {"rules": "沈青", "kor": "陆远"},
    )


def test_a_reading_that_shares_little_is_a_line_of_its_own(store: Store) -> None:
    store.corpus.add(source(), passages(1))
    row = replace(line(1), end=10)
    store.utterances.replace("source-1", "rules", [row], None)

    apart = kor(line(1, 8), end=20)
    store.utterances.replace("source-1", "kor", [apart], None)

    assert [one.id for one in present(store)] == [row.id, apart.id]


def test_a_quotation_inside_another_stays_a_line_when_its_extractor_reads_again(store: Store) -> None:
    store.corpus.add(source(), passages(1))
    outer, inner = replace(line(1), end=20), replace(line(1, 5), end=9)
    store.utterances.replace("source-1", "rules", [outer, inner], None)
    store.review.edit(outer.id, 0, who="anna", status=ReviewStatus.ACCEPTED)
    store.utterances.replace("source-1", "kor", [kor(outer)], None)

    store.utterances.replace("source-1", "rules", [outer, inner], None)

    assert [one.id for one in present(store)] == [outer.id, inner.id]


def test_readings_are_added_place_by_place(store: Store) -> None:
    rows = filled(store, 4)
    store.utterances.replace("source-1", "kor", [kor(row) for row in rows[:3]], None)

    added = store.utterances.add_readings(
        "source-1", "kor", [kor(rows[1], speaker="陆远"), kor(rows[3])], None, places=[rows[0].id, rows[1].id]
    )

    assert added == 2
    assert [opinions(store, row).get("kor") for row in rows] == [None, "陆远", "沈青", "沈青"]
    assert [one.disputed for one in present(store)] == [False, True, False, False]


def test_a_merged_line_does_not_come_back_by_another_extraction(store: Store) -> None:
    rows = filled(store, 2)
    merged = store.review.merge(rows[0].id, 0, who="anna")

    store.utterances.replace("source-1", "rules", rows, None)
    store.utterances.replace("source-1", "kor", [kor(row) for row in rows], None)

    assert present(store) == [merged]
    restored = store.review.restore(rows[0].id, 1, who="anna")
    assert restored.confidence == pytest.approx(0.98)
    assert len(present(store)) == 2


def test_lines_are_paged_in_the_order_of_doubt(store: Store) -> None:
    store.corpus.add(source(), passages(9))
    rows = [replace(line(n + 1), confidence=sure) for n, sure in enumerate((0.5, 0.3, 0.9, 0.3, 0.7))]
    store.utterances.replace("source-1", "rules", rows, None)
    seen: list[float] = []
    cursor = None

    while True:
        page = store.utterances.page(replace(ALL, confidence_below=0.8), after=cursor, limit=2, order=Order.DOUBT)
        seen += [one.confidence for one in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [0.3, 0.3, 0.5, 0.7]


def test_the_lines_of_a_whole_source_are_filtered_by_whose_reading_stands(store: Store) -> None:
    rows = filled(store, 2)
    sure = replace(kor(rows[1]), confidence=0.95, kind=UtteranceKind.THOUGHT)
    store.utterances.replace("source-1", "kor", [sure], None)

    assert [one.id for one in store.utterances.page(replace(ALL, extractor="kor")).rows] == [rows[1].id]
    assert store.utterances.count(replace(ALL, kind=UtteranceKind.THOUGHT)) == 1
