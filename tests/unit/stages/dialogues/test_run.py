"""Extraction puts every source's lines into the store, once."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.text import ReviewStatus, SourceKind
from core.errors import MissingArtifactError, RunCancelledError
from core.stages.corpus.run import read_source
from core.stages.corpus.settings import UploadedText
from core.stages.dialogues.run import run
from core.stages.dialogues.settings import DialogueSettings
from core.store import Store
from core.store.utterances import UtteranceFilter
from tests.unit.stages.runs import begun

BOOK = "第一回　雨\n青儿笑道：“好雨。”\n陆公子道：“有什么好？”\n"
ALL = UtteranceFilter("a-qing")


def imported(
    store: Store, text: str, kind: SourceKind, source_id: str = "src-1", *, persona_id: str = "a-qing"
) -> None:
    """Put a text into the corpus."""
    data = text.encode()
    upload = UploadedText(sha256=store.files.put(data), name="书.txt")
    store.corpus.add(*read_source(data, upload, source_id=source_id, persona_id=persona_id, kind=kind))


def extracted(store: Store, run_id: str = "run-0000000001", **settings: Any) -> dict[str, Any]:
    """Run the extraction."""
    return run(DialogueSettings(**settings), context=begun(store, "dialogues", run_id=run_id), store=store)


def test_lines_are_kept_with_speaker_place_and_run(store):
    imported(store, BOOK, SourceKind.NOVEL)

    result = extracted(store)

    lines = list(store.utterances.iterate(ALL))
    assert [(line.speaker, line.text) for line in lines] == [("沈青", "好雨。"), ("陆远", "有什么好？")]
    assert {line.run_id for line in lines} == {"run-0000000001"}
    assert (result["lines"], result["persona_lines"], result["speakers"]) == (2, 1, 2)
    assert all(store.corpus.passage(line.passage_id).text[line.start] == "“" for line in lines)


def test_each_kind_of_source_is_read_its_own_way(store):
    imported(store, BOOK, SourceKind.NOVEL)
    imported(store, "陆远：冷么？\n青儿（笑）：不冷。", SourceKind.SCREENPLAY, "src-2")
    imported(store, "我不怕雨。", SourceKind.QUOTES, "src-3")

    extracted(store)

    assert {(line.extractor, line.source_id) for line in store.utterances.iterate(ALL)} == {
        ("rules", "src-1"),
        ("screenplay", "src-2"),
        ("quotes", "src-3"),
    }
    assert dict(store.utterances.speakers("a-qing")) == {"沈青": 3, "陆远": 2}


def test_extracting_again_changes_nothing_and_keeps_what_was_reviewed(store):
    imported(store, BOOK, SourceKind.NOVEL)
    extracted(store)
    first, second = store.utterances.iterate(ALL)
    store.review.edit(first.id, first.revision, who="anna", status=ReviewStatus.ACCEPTED, speaker="陆远")

    extracted(store, run_id="run-0000000002")

    again = list(store.utterances.iterate(ALL))
    assert [line.id for line in again] == [first.id, second.id]
    assert (again[0].status, again[0].speaker) == (ReviewStatus.ACCEPTED, "陆远")


def test_without_the_cast_names_are_those_of_the_text(store):
    imported(store, "青儿道：“一。”青儿道：“二。”青儿道：“三。”", SourceKind.NOVEL)

    extracted(store, use_cast=False)

    assert store.utterances.speakers("a-qing") == [("青儿", 3)]


def test_a_chosen_source_is_read_alone(store):
    imported(store, BOOK, SourceKind.NOVEL)
    imported(store, "青儿道：“晴了。”", SourceKind.NOVEL, "src-2")

    extracted(store, source_ids=("src-2",))

    assert [line.text for line in store.utterances.iterate(ALL)] == ["晴了。"]


def test_a_persona_without_a_corpus_is_told_what_to_do(store):
    with pytest.raises(MissingArtifactError, match="Import a text"):
        extracted(store)


def test_a_stopped_run_leaves_the_lines_as_they_were(store):
    imported(store, BOOK, SourceKind.NOVEL)
    context = begun(store, "dialogues")
    store.runs.request_stop(context.run.id)

    with pytest.raises(RunCancelledError):
        run(DialogueSettings(), context=context, store=store)

    assert store.utterances.count(ALL) == 0
