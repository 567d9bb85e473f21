"""What a format writes it reads again, and an export reads as what was exported."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings

from core.domain.conversations import learnt_only
from core.domain.text import Sample, Split
from core.errors import InvalidInputError
from core.stages.dataset.export import export, export_archive
from core.stages.dataset.formats import FORMATS
from core.stages.dataset.formats.archive import packed, unpacked
from core.stages.dataset.formats.rows import Carried, Format
from core.stages.dataset.formats.upload import read_upload
from tests.conftest import persona_a_qing
from tests.unit.stages.dataset.talks import ORIGINS, SAMPLES, VERSION, samples

HER = persona_a_qing()
TALKS = [row for row in FORMATS.values() if Carried.TURNS in row.carries]
CARDS = [row for row in FORMATS.values() if Carried.PERSONA in row.carries]
named = pytest.mark.parametrize("row", TALKS, ids=lambda row: row.name)
card = pytest.mark.parametrize("row", CARDS, ids=lambda row: row.name)


def as_carried(those: Sequence[Sample], row: Format) -> list[Sample]:
    """Return the samples without what the format says it does not carry."""
    kept = []
    for one in those:
        if Carried.ORIGINS not in row.carries:
            bare = tuple(replace(turn, utterance_ids=(), expansion_id="") for turn in one.turns)
            one = replace(one, ordinal=0, source_id="", chapter=0, turns=bare, synthetic=False)
        if Carried.LOSS not in row.carries:
            told = tuple(replace(turn, expansion_id="") for turn in one.turns)
            one = replace(one, ordinal=0, turns=told, synthetic=False)
        if Carried.SPEAKERS not in row.carries:
            one = replace(one, turns=tuple(replace(turn, speaker="") for turn in one.turns))
        kept.append(one)
    return sorted(kept, key=lambda one: one.split)


def numbered(those: Iterable[Sample]) -> list[Sample]:
    """Return the samples with numbers of their own, where two share one."""
    kept = list(those)
    twice = len({one.ordinal for one in kept}) < len(kept)
    return [replace(one, ordinal=number) for number, one in enumerate(kept)] if twice else kept


@named
@settings(max_examples=60, deadline=None)
@given(those=samples())
def test_a_format_reads_what_it_writes(row, those):
    those = row.choose(those)
    files = row.write(VERSION, those, HER, ORIGINS)

    found = row.read(files)

    assert as_carried(found.samples, row) == as_carried(those, row)
    assert (found.report.repaired, found.report.refused) == (0, 0)
    assert found.report.unknown_fields == {}
    assert found.system_prompt == (VERSION.system_prompt if Carried.SYSTEM in row.carries else "")


@named
@settings(max_examples=40, deadline=None)
@given(those=samples())
def test_an_export_comes_back_whole(row, those):
    found = read_upload(export_archive(VERSION, those, format=row.name, persona=HER, origins=ORIGINS), "a.zip")

    kept = those if Carried.LOSS in row.carries else numbered(learnt_only(those))
    assert list(found.samples) == kept
    assert found.system_prompt == VERSION.system_prompt
    assert found.report.read == len(kept)


@card
def test_a_card_brings_the_persona_and_her_examples(row):
    found = read_upload(export_archive(VERSION, SAMPLES, format=row.name, persona=HER, origins=ORIGINS), "a.zip")

    assert found.persona == HER
    assert found.card is not None
    assert found.card.rest["data"]["tags"] == ["竹声"]
    assert [one.turns[-1].text for one in found.samples] == ["=不冷。\n真的。", "我是沈青。"]


@card
def test_the_manifest_of_a_card_tells_of_its_examples_only(row):
    many = [replace(SAMPLES[0], ordinal=number) for number in range(100)]

    files = unpacked(export_archive(VERSION, many, format=row.name, persona=HER, origins=ORIGINS), "a.zip")

    assert [one["ordinal"] for one in json.loads(files["manifest.json"])["samples"]] == [8 * n for n in range(12)]


@pytest.mark.parametrize("row", FORMATS.values(), ids=lambda row: row.name)
def test_the_same_content_gives_the_same_bytes(row):
    first, second = (export_archive(VERSION, SAMPLES, format=row.name, persona=HER, origins=ORIGINS) for _ in range(2))

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(archive.namelist())


def test_the_manifest_says_where_everything_comes_from():
    files = unpacked(export_archive(VERSION, SAMPLES, format="xtuner", persona=HER, origins=ORIGINS), "a.zip")

    said = json.loads(files["manifest.json"])

    assert said["dataset_version"]["id"] == "ver-1"
    assert said["dataset_version"]["fingerprint"] == "f" * 64
    assert said["tool"]["name"] == "chat-daiyu"
    assert said["tool"]["version"]
    assert said["sources"] == {"src-1": {"name": "竹声.txt", "sha256": "a" * 64, "kind": "novel"}}
    assert said["counts"] == {"samples": 3, "train": 2, "held_out": 1, "turns": 7, "replies": 4}
    assert said["samples"][0]["chapter"] == 1
    assert said["samples"][0]["turns"][1] == {
        "speaker": "沈青",
        "utterances": ["src-1.1.0", "src-1.1.9"],
        "context": False,
        "expansion": "",
    }
    assert {name: mark["sha256"] for name, mark in said["files"].items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "manifest.json"
    }


def test_the_sides_are_files_of_their_own():
    files = unpacked(export_archive(VERSION, SAMPLES, format="openai", persona=HER, origins=ORIGINS), "a.zip")

    assert len(files["train.jsonl"].splitlines()) == 2
    assert len(files["test.jsonl"].splitlines()) == 1


def test_a_side_of_nothing_has_no_file():
    trained = [one for one in SAMPLES if one.split is Split.TRAIN]

    files = unpacked(export_archive(VERSION, trained, format="huggingface", persona=HER, origins=ORIGINS), "a.zip")

    assert sorted(files) == ["README.md", "data/train.jsonl", "manifest.json"]
    assert "test" not in files["README.md"].decode().partition("---\n\n")[0]


def test_a_file_that_was_changed_keeps_its_words_and_loses_its_origins():
    files = unpacked(export_archive(VERSION, SAMPLES, format="xtuner", persona=HER, origins=ORIGINS), "a.zip")
    files["train.json"] = files["train.json"].replace("冷么".encode(), "热么".encode())

    found = read_upload(packed(files), "a.zip")

    assert found.samples[0].turns[0].text == "热么？"
    assert found.samples[0].source_id == ""
    assert "not as they were exported" in found.report.findings[-1].message


def test_an_export_packed_again_with_its_folder_is_known():
    files = unpacked(export_archive(VERSION, SAMPLES, format="huggingface", persona=HER, origins=ORIGINS), "a.zip")

    found = read_upload(packed({f"daiyu/{name}": data for name, data in files.items()}), "a.zip")

    assert list(found.samples) == SAMPLES
    assert found.report.findings == ()


def test_one_file_holds_both_sides():
    assert len(json.loads(export(VERSION, SAMPLES))) == 3
    assert [one.split for one in read_upload(export(VERSION, SAMPLES, format="csv"), "a.csv").samples] == [
        one.split for one in SAMPLES
    ]


@pytest.mark.parametrize("name", ["sharegpt", "alpaca", "huggingface", "label-studio"])
def test_a_format_of_several_files_wants_a_zip(name):
    with pytest.raises(InvalidInputError, match=r"\.zip"):
        export(VERSION, SAMPLES, format=name)


def test_a_sample_without_her_words_is_in_no_export():
    silent = replace(SAMPLES[0], turns=SAMPLES[0].turns[:1])

    for row in TALKS:
        zipped = export_archive(VERSION, [silent, *SAMPLES], format=row.name, persona=HER, origins=ORIGINS)

        assert len(read_upload(zipped, "a.zip").samples) == 3


def test_an_empty_version_is_exported_as_nothing():
    assert json.loads(export(VERSION, [])) == []
    for row in FORMATS.values():
        assert export_archive(VERSION, [], format=row.name, persona=HER, origins=ORIGINS)
