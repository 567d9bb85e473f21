"""What charts are told of the lines; on each database."""

from __future__ import annotations

from dataclasses import replace

from core.domain.text import ReviewStatus, Utterance, UtteranceKind
from core.store import Store
from core.store.charts import ChapterLines, ChapterProgress, Exchange
from core.store.utterances import UtteranceFilter
from tests.contract.stores import line, passages, source

TALK = ("沈青", "陆远", "沈青", None, "沈青", "陆远", "沈青", "沈青")


def talked(store: Store) -> list[Utterance]:
    store.corpus.add(source(), passages(40))
    rows = [line(n + 1, speaker=name) for n, name in enumerate(TALK)]
    rows[5] = replace(rows[5], kind=UtteranceKind.THOUGHT)
    rows[7] = replace(rows[7], chapter=2, ordinal=9)
    store.utterances.replace("source-1", "rules", rows, None)
    return rows


def test_the_progress_is_told_for_all_and_for_the_persona(store: Store) -> None:
    rows = talked(store)
    store.review.edit(rows[0].id, 0, who="anna", status=ReviewStatus.ACCEPTED)
    store.review.edit(rows[1].id, 0, who="anna", status=ReviewStatus.REJECTED)

    progress = store.charts.progress("a-qing")

    assert progress.everybody == {ReviewStatus.PENDING: 6, ReviewStatus.ACCEPTED: 1, ReviewStatus.REJECTED: 1}
    assert progress.own == {ReviewStatus.PENDING: 4, ReviewStatus.ACCEPTED: 1, ReviewStatus.REJECTED: 0}
    assert store.charts.progress_by_chapter("a-qing") == [
        ChapterProgress("source-1", 1, 5, 1, 1),
        ChapterProgress("source-1", 2, 1, 0, 0),
    ]


def test_merged_lines_are_in_no_chart(store: Store) -> None:
    rows = talked(store)
    store.review.merge(rows[0].id, 0, who="anna")

    assert sum(store.charts.progress("a-qing").everybody.values()) == 7
    assert store.charts.lines_per_chapter("a-qing", None, ["陆远"]) == [ChapterLines("source-1", 1, "陆远", 1)]
    assert dict(store.utterances.speakers("a-qing")) == {"沈青": 5, "陆远": 1}


def test_lines_are_counted_by_chapter_for_those_who_are_asked_for(store: Store) -> None:
    talked(store)

    assert store.charts.lines_per_chapter("a-qing", "source-1", ["沈青"]) == [
        ChapterLines("source-1", 1, "沈青", 4),
        ChapterLines("source-1", 2, "沈青", 1),
    ]


def test_one_speaks_to_whoever_answers_in_the_same_chapter(store: Store) -> None:
    talked(store)

    assert store.charts.who_speaks_to_whom("a-qing", "source-1") == [
        Exchange("沈青", "陆远", 1),
        Exchange("陆远", "沈青", 1),
    ]
    assert store.charts.who_speaks_to_whom("a-qing", top=1) == []


def test_an_answer_far_away_is_none(store: Store) -> None:
    store.corpus.add(source(), passages(9))
    store.utterances.replace("source-1", "rules", [line(1, speaker="沈青"), line(5, speaker="陆远")], None)

    assert store.charts.who_speaks_to_whom("a-qing") == []
    assert store.utterances.count(UtteranceFilter("a-qing")) == 2
