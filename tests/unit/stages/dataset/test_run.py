"""Building freezes a version that says where each word came from."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.domain.text import DatasetVersion, ReviewStatus, SourceKind, Split, TurnRole, UtteranceKind
from core.errors import MissingArtifactError, SettingsError
from core.stages.corpus.run import read_source
from core.stages.corpus.settings import UploadedText
from core.stages.dataset.export import export
from core.stages.dataset.run import run
from core.stages.dataset.settings import DatasetSettings
from core.stages.dialogues.extractors import extractor_for
from core.store import Store
from core.store.utterances import UtteranceFilter
from tests.unit.stages.runs import begun

BOOK = "\n".join(
    f"第{number}回　雨\n陆远道：“第{number}日了，冷么？”青儿笑道：“不冷，第{number}杯茶还是热的。”\n"
    f"陆远道：“好{number}。”青儿想道：“他怎么知道。”青儿道：“你坐第{number}把椅子。”"
    for number in "一二三四五"
)


def extracted(store: Store, text: str = BOOK, kind: SourceKind = SourceKind.NOVEL, source_id: str = "src-1") -> None:
    """Put a text and its lines into the store."""
    data = text.encode()
    upload = UploadedText(sha256=store.files.put(data), name="书.txt")
    source, passages = read_source(data, upload, source_id=source_id, persona_id="a-qing", kind=kind)
    store.corpus.add(source, passages)
    row = extractor_for(kind)
    lines = row.extract(passages, store.personas.get("a-qing").alias_table())
    store.utterances.replace(source_id, row.name, lines, None)


def built(store: Store, run_id: str = "run-0000000001", **settings: Any) -> DatasetVersion:
    """Build a version."""
    result = run(DatasetSettings(**settings), context=begun(store, "dataset", run_id=run_id), store=store)
    return store.datasets.get(result["version"])


def test_a_version_holds_conversations_and_what_she_knows_of_herself(store):
    extracted(store)

    version = built(store)

    samples = store.datasets.samples(version.id)
    first = [(turn.speaker, turn.text) for turn in samples[0].turns]
    assert first == [
        ("陆远", "第一日了，冷么？"),
        ("沈青", "不冷，第一杯茶还是热的。"),
        ("陆远", "好一。"),
        ("沈青", "你坐第一把椅子。"),
    ]
    assert [turn.text for turn in samples[-1].turns] == ["你是谁？", "我是沈青。"]
    assert (version.train_samples, version.held_out_samples) == (5, 1)
    assert version.run_id == "run-0000000001"
    assert version.name == "v1"


def test_every_turn_of_a_scene_leads_back_to_its_lines(store):
    extracted(store)

    version = built(store, self_knowledge=False)

    for sample in store.datasets.samples(version.id):
        for turn in sample.turns:
            words = [store.utterances.get(one).text for one in turn.utterance_ids]
            assert words
            assert all(word in turn.text for word in words)


def test_the_same_lines_give_the_same_fingerprint_and_other_lines_another(store):
    extracted(store)
    first = built(store)
    again = built(store, run_id="run-0000000002")
    line = next(store.utterances.iterate(UtteranceFilter("a-qing", speaker="沈青")))
    store.review.edit(line.id, line.revision, who="anna", text="有点冷。")

    changed = built(store, run_id="run-0000000003")

    assert first.fingerprint == again.fingerprint
    assert changed.fingerprint != first.fingerprint
    assert [first.name, again.name, changed.name] == ["v1", "v2", "v3"]


def test_kept_out_chapters_share_no_chapter_with_training(store):
    extracted(store)

    version = built(store, held_out_share=0.4)

    chapters: dict[Split, set[int]] = {Split.TRAIN: set(), Split.HELD_OUT: set()}
    for sample in store.datasets.samples(version.id):
        chapters[sample.split].add(sample.chapter)
    assert len(chapters[Split.HELD_OUT]) == 2
    assert not chapters[Split.TRAIN] & chapters[Split.HELD_OUT]


def test_rejected_lines_are_left_out_and_only_accepted_ones_may_be_asked_for(store):
    extracted(store)
    first, second, *_ = store.utterances.iterate(UtteranceFilter("a-qing", speaker="沈青", kind=UtteranceKind.SPEECH))
    store.review.edit(first.id, 0, who="anna", status=ReviewStatus.REJECTED)
    accepted = next(store.utterances.iterate(UtteranceFilter("a-qing", speaker="陆远", chapter=2)))
    reply = next(store.utterances.iterate(UtteranceFilter("a-qing", speaker="沈青", chapter=2)))
    for one in (accepted, reply):
        store.review.edit(one.id, 0, who="anna", status=ReviewStatus.ACCEPTED)

    version = built(store, self_knowledge=False)
    strict = built(store, run_id="run-0000000002", self_knowledge=False, accepted_only=True)

    texts = [turn.text for sample in store.datasets.samples(version.id) for turn in sample.turns]
    assert first.text not in texts
    assert second.text in texts
    assert [[turn.text for turn in one.turns] for one in store.datasets.samples(strict.id)] == [
        [accepted.text, reply.text]
    ]


def test_collected_quotes_answer_a_neutral_opening(store):
    extracted(store, "我不怕雨。\n竹子也有心事。", SourceKind.QUOTES)

    version = built(store, self_knowledge=False)

    for sample in store.datasets.samples(version.id):
        opening, reply = sample.turns
        assert (opening.role, reply.role) == (TurnRole.COUNTERPART, TurnRole.PERSONA)
        assert opening.text
        assert not opening.utterance_ids
        assert reply.utterance_ids


def test_statistics_count_what_is_there(store):
    extracted(store)

    version = built(store)

    assert version.statistics["samples"] == version.train_samples + version.held_out_samples
    assert version.statistics["exchanges"] == 11
    assert version.statistics["counterparts"] == {"陆远": 10}
    assert sum(version.statistics["reply_lengths"].values()) == 11
    assert sum(row["samples"] for row in version.statistics["by_chapter"]) == version.statistics["samples"]


def test_an_attempt_after_a_crash_finds_the_version_the_first_had_stored(store):
    extracted(store)
    first, second = begun(store, "dataset"), begun(store, "dataset")
    first.step = second.step = lambda name, work: "ver-0000000001"  # type: ignore[method-assign,assignment,return-value]

    results = [run(DatasetSettings(), context=context, store=store) for context in (first, second)]

    assert results[0] == results[1]
    assert len(store.datasets.versions("a-qing")) == 1


def test_building_without_lines_says_what_to_do(store):
    with pytest.raises(MissingArtifactError, match="Extract the dialogues"):
        built(store)


def test_a_version_is_exported_as_xtuner_reads_it(store):
    extracted(store)
    version = built(store)
    samples = store.datasets.samples(version.id)

    conversations = json.loads(export(version, samples, format="xtuner"))

    assert len(conversations) == len(samples)
    assert conversations[0]["conversation"] == [
        {"system": "你是沈青。", "input": "第一日了，冷么？", "output": "不冷，第一杯茶还是热的。"},
        {"input": "好一。", "output": "你坐第一把椅子。"},
    ]


def test_an_unknown_format_is_refused(store):
    extracted(store)
    version = built(store)

    with pytest.raises(SettingsError, match="xtuner"):
        export(version, [], format="papyrus")
