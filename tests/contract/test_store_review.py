"""Decisions about lines: each is whole, told by its events, and can be taken back; on each database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.text import Passage, PassageKind, ReviewStatus, Utterance, UtteranceKind
from core.errors import ConflictError, InvalidInputError
from core.store import Store
from core.store.events import replayed, rewound
from core.store.records import plain
from core.store.utterances import UtteranceFilter
from tests.contract.stores import filled, source

ALL = UtteranceFilter("a-qing")
SCENE = ("第一回", "青儿笑道：“好雨。天凉了。”", "“你也添件衣裳。", "“早些回来。”陆公子道：“知道了。”")


def scene(store: Store) -> list[Utterance]:
    """Put a chapter into the store: a line, one over two paragraphs, and an answer."""
    store.corpus.add(
        source(),
        [
            Passage("source-1", n, 1, n - 1, PassageKind.PARAGRAPH if n else PassageKind.HEADING, 0, len(text), text)
            for n, text in enumerate(SCENE)
        ],
    )
    lines = [
        found(1, "“好雨。天凉了。”", "沈青"),
        replace(found(2, "“你也添件衣裳。", "沈青"), end=7, runs_on=1, text="你也添件衣裳。早些回来。"),
        found(3, "“知道了。”", "陆远"),
    ]
    store.utterances.replace("source-1", "rules", lines, None)
    return lines


def found(ordinal: int, quoted: str, speaker: str | None, extractor: str = "rules", sure: float = 0.9) -> Utterance:
    start = SCENE[ordinal].index(quoted)
    place = ("source-1", ordinal, 1, ordinal - 1, start, start + len(quoted))
    return Utterance(*place, quoted.strip("“”"), UtteranceKind.SPEECH, speaker, extractor, sure, "cue")


def present(store: Store) -> list[Utterance]:
    return list(store.utterances.iterate(ALL))


def decided(line: Utterance) -> tuple[str, str | None, ReviewStatus]:
    return line.text, line.speaker, line.status


def test_a_decision_says_who_took_it(store: Store) -> None:
    line = filled(store, 1)[0]

    now = store.review.edit(line.id, 0, who="anna", speaker=None, status=ReviewStatus.ACCEPTED)

    assert now == store.utterances.get(line.id)
    assert (now.speaker, now.status, now.revision, now.reviewed_by) == (None, ReviewStatus.ACCEPTED, 1, "anna")
    assert store.utterances.count(replace(ALL, reviewed_by="anna")) == 1


def test_only_what_people_decide_can_be_edited(store: Store) -> None:
    line = filled(store, 1)[0]

    for change in ({"revision": 7}, {"status": ReviewStatus.MERGED}, {}):
        with pytest.raises(TypeError):
            store.review.edit(line.id, 0, who="anna", **change)


def test_all_lines_of_a_filter_change_at_once_and_are_undone_at_once(store: Store) -> None:
    lines = filled(store, 5)
    store.review.edit(lines[4].id, 0, who="bert", status=ReviewStatus.ACCEPTED)
    before = present(store)

    batch = store.review.edit_all(ALL, who="anna", status=ReviewStatus.ACCEPTED, speaker="陆远")
    changed = present(store)
    undone = store.review.undo("anna", "a-qing")

    assert batch.lines == 5
    assert {(one.status, one.speaker, one.reviewed_by) for one in changed} == {("accepted", "陆远", "anna")}
    assert undone is not None
    assert (undone.action, undone.records) == ("edit", 5)
    assert [replace(one, revision=0) for one in present(store)] == [replace(one, revision=0) for one in before]
    assert [one.revision for one in present(store)] == [2, 2, 2, 2, 3]


def test_lines_that_are_so_already_are_not_touched(store: Store) -> None:
    lines = filled(store, 3)
    store.review.edit(lines[0].id, 0, who="bert", speaker=None)

    assert store.review.edit_all(ALL, who="anna", speaker=None).lines == 2
    assert store.review.edit_all(ALL, who="anna", speaker=None).lines == 0
    assert store.utterances.get(lines[0].id).reviewed_by == "bert"


def test_chosen_lines_are_changed_at_once_but_not_those_that_somebody_changed_meanwhile(store: Store) -> None:
    lines = filled(store, 4)
    store.review.edit(lines[1].id, 0, who="bert", status=ReviewStatus.REJECTED)

    batch = store.review.edit_these({one.id: 0 for one in lines[:3]}, who="anna", status=ReviewStatus.ACCEPTED)

    assert (batch.lines, batch.stale) == (2, 1)
    assert [one.status for one in present(store)] == ["accepted", "rejected", "accepted", "pending"]
    undone = store.review.undo("anna", "a-qing")
    assert undone is not None
    assert undone.records == 2
    assert [one.status for one in present(store)] == ["pending", "rejected", "pending", "pending"]


def test_when_all_chosen_lines_were_changed_nothing_is_written(store: Store) -> None:
    line = filled(store, 1)[0]
    store.review.edit(line.id, 0, who="bert", text="一")

    with pytest.raises(ConflictError):
        store.review.edit_these({line.id: 0}, who="anna", text="二")


def test_undo_goes_back_step_by_step_and_redo_forward_again(store: Store) -> None:
    line = filled(store, 1)[0]
    for revision, text in enumerate(("一", "二", "三")):
        store.review.edit(line.id, revision, who="anna", text=text)
    words = []

    for verb in ("undo", "undo", "redo", "undo", "undo", "undo", "redo", "redo", "redo", "redo"):
        getattr(store.review, verb)("anna", "a-qing")
        words.append(store.utterances.get(line.id).text)

    assert words == ["二", "一", "二", "一", "第1句", "第1句", "一", "二", "三", "三"]


def test_after_a_new_change_there_is_nothing_to_redo(store: Store) -> None:
    line = filled(store, 1)[0]
    store.review.edit(line.id, 0, who="anna", text="一")
    store.review.undo("anna", "a-qing")

    store.review.edit(line.id, 2, who="anna", text="二")

    assert store.review.redoable("anna", "a-qing") is None
    assert store.review.redo("anna", "a-qing") is None
    assert store.utterances.get(line.id).text == "二"


def test_everybody_undoes_only_what_is_their_own(store: Store) -> None:
    first, second = filled(store, 2)
    store.review.edit(first.id, 0, who="anna", text="一")
    store.review.edit(second.id, 0, who="bert", text="二")

    store.review.undo("anna", "a-qing")

    assert [one.text for one in present(store)] == ["第1句", "二"]
    assert store.review.undoable("anna", "a-qing") is None
    assert store.review.undoable("bert", "somebody else") is None
    event = store.review.undoable("bert", "a-qing")
    assert event is not None
    assert (event.entity_id, event.records) == (second.id, 1)


def test_a_change_that_somebody_built_on_is_not_undone(store: Store) -> None:
    lines = filled(store, 3)
    store.review.edit_all(ALL, who="anna", status=ReviewStatus.REJECTED)
    store.review.edit(lines[1].id, 1, who="bert", status=ReviewStatus.ACCEPTED)

    with pytest.raises(ConflictError, match="bert"):
        store.review.undo("anna", "a-qing")

    assert [one.status for one in present(store)] == ["rejected", "accepted", "rejected"]


def test_what_went_with_its_source_is_passed_over(store: Store) -> None:
    line = filled(store, 1)[0]
    store.review.edit(line.id, 0, who="anna", text="一")
    store.corpus.delete("source-1", who="anna")

    assert store.review.undo("anna", "a-qing") is None


def test_a_line_is_split_where_its_words_stand(store: Store) -> None:
    line = scene(store)[0]

    first, second = store.review.split(line.id, 0, 3, who="anna", speakers=("沈青", "陆远"))

    passage = store.corpus.passage(line.passage_id).text
    assert (first.text, second.text) == ("好雨。", "天凉了。")
    assert passage[second.start :].startswith("天凉了。")
    assert passage[first.start : first.end] == "“好雨。"
    assert second.id == f"{line.passage_id}.{second.start}"
    assert present(store)[:2] == [first, second]
    assert (first.speaker, second.speaker, second.reviewed_by) == ("沈青", "陆远", "anna")


def test_a_line_over_two_paragraphs_is_split_between_them(store: Store) -> None:
    line = scene(store)[1]

    first, second = store.review.split(line.id, 0, 7, who="anna")

    assert (first.text, first.runs_on, first.end) == ("你也添件衣裳。", 0, len(SCENE[2]))
    assert (second.text, second.ordinal, second.start, second.para) == ("早些回来。", 3, 1, 2)
    assert (second.runs_on, second.end) == (0, 7)


def test_a_cut_that_cannot_be_placed_is_refused(store: Store) -> None:
    line = scene(store)[0]
    for at in (0, 7, 99, -1):
        with pytest.raises(InvalidInputError):
            store.review.split(line.id, 0, at, who="anna")
    store.review.edit(line.id, 0, who="anna", text="换了词。天凉了。")

    with pytest.raises(InvalidInputError, match="edited"):
        store.review.split(line.id, 1, 4, who="anna")

    assert len(present(store)) == 3


def test_a_split_is_undone_and_done_again(store: Store) -> None:
    line = scene(store)[0]
    before = present(store)
    store.review.split(line.id, 0, 3, who="anna")
    after = present(store)

    store.review.undo("anna", "a-qing")
    undone = [replace(one, revision=0) for one in present(store)]
    store.review.redo("anna", "a-qing")

    assert undone == before
    assert [replace(one, revision=1) for one in present(store)[:2]] == after[:2]
    assert [one.revision for one in present(store)] == [3, 2, 0, 0]


def test_merged_lines_are_one_until_the_first_is_restored(store: Store) -> None:
    first, second, third = scene(store)

    joined = store.review.merge(first.id, 0, who="anna")
    joined = store.review.merge(first.id, joined.revision, who="anna")

    assert joined.text == "好雨。天凉了。你也添件衣裳。早些回来。知道了。"
    assert (joined.runs_on, joined.end) == (2, third.end)
    assert present(store) == [joined]
    assert store.utterances.count(replace(ALL, status=ReviewStatus.MERGED)) == 2
    restored = store.review.restore(first.id, joined.revision, who="bert")
    assert replace(restored, revision=0) == first
    assert [decided(one) for one in present(store)] == [decided(one) for one in (first, second, third)]


def test_a_merge_is_undone_at_once(store: Store) -> None:
    lines = scene(store)
    store.review.merge(lines[0].id, 0, who="anna")

    undone = store.review.undo("anna", "a-qing")

    assert undone is not None
    assert (undone.action, undone.records, undone.first_id) == ("merge", 2, lines[0].id)
    assert [decided(one) for one in present(store)] == [decided(one) for one in lines]


def test_the_last_line_has_nothing_to_merge_with(store: Store) -> None:
    line = scene(store)[2]

    with pytest.raises(InvalidInputError, match="close enough"):
        store.review.merge(line.id, 0, who="anna")


def test_a_merged_line_is_not_edited_or_brought_back_alone(store: Store) -> None:
    first, second, _ = scene(store)
    store.review.merge(first.id, 0, who="anna")

    with pytest.raises(ConflictError):
        store.review.edit(second.id, 1, who="bert", text="x")
    with pytest.raises(InvalidInputError):
        store.review.restore(second.id, 1, who="bert")


def test_restoring_a_split_line_takes_its_other_part_away(store: Store) -> None:
    line = scene(store)[0]
    first, _ = store.review.split(line.id, 0, 3, who="anna")

    store.review.restore(line.id, first.revision, who="anna")

    assert next(decided(one) for one in present(store)) == decided(line)
    assert len(present(store)) == 3
    store.review.undo("anna", "a-qing")
    assert [one.text for one in present(store)][:2] == ["好雨。", "天凉了。"]


def test_the_history_of_a_line_replays_to_what_it_is(store: Store) -> None:
    lines = scene(store)
    store.review.edit(lines[0].id, 0, who="anna", text="好大的雨。")
    store.review.edit_all(ALL, who="bert", status=ReviewStatus.ACCEPTED)
    store.review.restore(lines[0].id, 2, who="bert")
    _, piece = store.review.split(lines[0].id, 3, 3, who="anna")
    store.review.merge(piece.id, piece.revision, who="anna")
    for verb in ("undo", "undo", "redo"):
        getattr(store.review, verb)("anna", "a-qing")

    for one in present(store):
        history = store.events.history("utterance", one.id)
        start = rewound(plain(one), history)
        assert replayed(start, history) == plain(one)
        assert start is None or start == plain(next(line for line in lines if line.id == one.id))
    assert len(present(store)) == 4
