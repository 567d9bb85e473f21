"""Versions: compared row by row with the reasons, put on top again, deleted only when nothing was made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.identity import new_id, now
from core.domain.run import Run, RunState
from core.domain.text import DatasetVersion, ReviewStatus, Sample, Split, Turn, TurnRole, Utterance
from core.domain.training import Model, ModelKind
from core.errors import ConflictError, NotFoundError
from core.store import Store
from core.store.differences import Cause, Difference, DifferentRow, RowChange
from tests.contract.stores import filled


def sample(ordinal: int, *lines: Utterance, split: Split = Split.TRAIN, text: str = "") -> Sample:
    """Return a conversation in which she says these lines."""
    turns = [
        turn
        for one in lines
        for turn in (
            Turn(TurnRole.COUNTERPART, "陆远", "问。"),
            Turn(TurnRole.PERSONA, "沈青", text or one.text, (one.id,)),
        )
    ]
    return Sample(ordinal, "source-1", 1, split, tuple(turns))


def version(store: Store, *samples: Sample, minutes: int = 0, **changes: object) -> DatasetVersion:
    """Store a version that was built so many minutes from now."""
    made = DatasetVersion(
        new_id("ver"), "a-qing", store.datasets.free_name("a-qing"), "", "f" * 64, "你是沈青。", {"max_exchanges": 6},
        len(samples), 0, now() + timedelta(minutes=minutes),
    )  # fmt: skip
    made = replace(made, **changes)  # type: ignore[arg-type]
    store.datasets.add(made, samples)
    return made


def finetuning(store: Store, *, state: RunState = RunState.FAILED, **settings: str) -> Run:
    run = Run(
        new_id("run"), "finetuning", "a-qing", "gpu", state, {"dataset_version_id": "", **settings}, {}, now(), "anna"
    )  # fmt: skip
    store.runs.add(run)
    return run


def rows_of(store: Store, difference: Difference) -> list[DifferentRow]:
    return store.datasets.different_rows(difference, difference.rows)


def test_rows_are_added_removed_and_changed(store: Store) -> None:
    lines = filled(store, 5)
    before = version(store, sample(0, lines[0]), sample(1, lines[1]), sample(2, lines[2], lines[3]), minutes=-1)
    after = version(store, sample(0, lines[0]), sample(1, lines[2], text="改了。"), sample(2, lines[4]))

    difference = store.datasets.difference(before, after)

    assert difference.unchanged == 1
    assert [(row.change, row.before, row.after) for row in difference.rows] == [
        (RowChange.CHANGED, 2, 1),
        (RowChange.ADDED, None, 2),
        (RowChange.REMOVED, 1, None),
    ]
    assert difference.count(RowChange.ADDED) == 1
    shown = rows_of(store, difference)
    assert [(row.before is None, row.after is None) for row in shown] == [(False, False), (True, False), (False, True)]
    assert {row.causes for row in shown} == {(Cause.OTHER,)}


def test_equal_versions_do_not_differ_whatever_their_lines_are_called(store: Store) -> None:
    lines = filled(store, 2)
    before = version(store, sample(0, lines[0]), sample(1, lines[1]), minutes=-1)
    renamed = [replace(one, source_id="source-9") for one in lines]
    after = version(store, *(sample(number, one) for number, one in enumerate(renamed)))

    difference = store.datasets.difference(before, after)

    assert (difference.unchanged, difference.rows, difference.settings) == (2, (), ())


def test_a_row_differs_because_somebody_edited_its_line(store: Store) -> None:
    lines = filled(store, 1)
    store.review.edit(lines[0].id, 0, who="ben", status=ReviewStatus.ACCEPTED)
    before = version(store, sample(0, lines[0]))
    edited = store.review.edit(lines[0].id, 1, who="anna", text="改了。")
    after = version(store, sample(0, edited), minutes=1)

    (row,) = rows_of(store, store.datasets.difference(before, after))

    assert row.causes == (Cause.REVIEW,)
    assert [(event.who, event.changed) for event in row.events] == [("anna", [("text", lines[0].text, "改了。")])]


def test_a_row_differs_because_only_its_side_or_the_settings_changed(store: Store) -> None:
    lines = filled(store, 1)
    before = version(store, sample(0, lines[0]), minutes=-1)
    after = version(
        store, sample(0, lines[0], split=Split.HELD_OUT), settings={"max_exchanges": 2}, system_prompt="你是她。"
    )

    difference = store.datasets.difference(before, after)

    assert difference.settings == (("max_exchanges", 6, 2), ("system prompt", "你是沈青。", "你是她。"))
    assert [row.causes for row in rows_of(store, difference)] == [(Cause.SIDE, Cause.SETTINGS)]


def test_an_old_version_is_put_on_top_with_its_fingerprint(store: Store) -> None:
    lines = filled(store, 2)
    old = version(store, sample(0, lines[0]), minutes=-2)
    version(store, sample(0, lines[1]), minutes=-1, fingerprint="e" * 64)

    restored = store.datasets.restore(old.id, who="anna", note="the better one")

    assert store.datasets.versions("a-qing")[0] == restored
    assert (restored.name, restored.fingerprint) == ("v3", old.fingerprint)
    assert restored.note == f"= v1 ({old.id})\nthe better one"
    assert store.datasets.samples(restored.id) == store.datasets.samples(old.id)
    assert {one for one, _ in store.datasets.containing(lines[0].id)} == {old.id, restored.id}
    assert store.events.of("dataset_version", restored.id)[0].who == "anna"


def test_a_version_says_what_was_made_of_it_and_stays_then(store: Store) -> None:
    made = version(store, sample(0, *filled(store, 1)))
    run = finetuning(store, dataset_version_id=made.id)
    model = Model("model-1", "a-qing", ModelKind.TEXT, "first", None, made.id, "tiny", "models/1", now())
    store.models.add(model)

    used = store.datasets.usage(made.id)

    assert ([one.id for one in used.runs], used.models) == ([run.id], (model,))
    with pytest.raises(ConflictError, match=rf"first, {run.id}"):
        store.datasets.delete(made.id, who="anna")
    assert store.datasets.count(made.id) == 1


def test_a_version_nothing_was_made_of_can_be_deleted_and_its_number_is_not_given_twice(store: Store) -> None:
    lines = filled(store, 1)
    first = version(store, sample(0, lines[0]))
    version(store, sample(0, lines[0]))

    store.datasets.delete(first.id, who="anna")

    with pytest.raises(NotFoundError):
        store.datasets.get(first.id)
    assert store.datasets.samples(first.id) == []
    assert store.datasets.free_name("a-qing") == "v3"
    assert store.events.of("dataset_version", first.id)[0].action == "delete"
