"""Clip sets are accepted by the programs they are for: their own readers where they install, their rules where not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from core.stages.voice_dataset.export import export_folder, known_about
from tests.unit.stages.voice_dataset.sets import clip_set, recording, set_clip, wav

SET = clip_set()


@pytest.fixture
def exported(store, tmp_path) -> Any:
    """Write a set of three clips as that format, and return the folder and the clips."""
    store.voice.add_recording(recording())
    clips = [set_clip(number, sha256=store.files.put(wav(number)), effects=()) for number in range(3)]
    clips[2] = set_clip(2, sha256=clips[2].sha256, utterance_id=None)

    def written(form: str, *, absolute: bool = False) -> tuple[Path, list[Any]]:
        folder = tmp_path / f"沈 青 {form}"
        known = known_about(SET, clips, store)
        export_folder(folder, SET, clips, format=form, about=known, store=store, absolute=absolute)
        return folder, clips

    return written


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `datasets.load_dataset` reads of a folder, row by row.

    Its own reader is asked for its rows: making a table of them needs torchcodec, even to leave the sound be.
    """
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")

    def rows(*arguments: Any, **named: Any) -> list[dict[str, Any]]:
        reader = datasets.load_dataset_builder(*arguments, cache_dir=str(tmp_path / "cache"), **named)
        (side,) = reader._split_generators(datasets.DownloadManager())
        assert str(side.name) == "train"
        assert type(reader.info.features["audio"]) is datasets.Audio
        return [row for _, row in reader._generate_examples(**side.gen_kwargs)]

    return rows


@pytest.mark.parametrize("by", ["card", "builder"])
def test_datasets_reads_the_audio_folder(exported, read, by):
    folder, clips = exported("audio-folder")

    rows = read(str(folder)) if by == "card" else read("audiofolder", data_dir=str(folder))

    assert len(rows) == 3
    found = sorted(rows, key=lambda row: row["clip_id"])
    assert [row["text"] for row in found] == [clip.text for clip in clips]
    assert [Path(row["audio"]).read_bytes() for row in found] == [wav(number) for number in range(3)]
    assert [row["utterance_id"] for row in found] == ["src-1.0.0", "src-1.0.1", ""]
    assert [row["reference"] for row in found] == [True, False, False]
    assert found[0]["recording"] == "第一集.wav"
    assert found[1]["start"] == 15.0


def test_the_hub_reads_the_head_of_the_card(exported):
    from huggingface_hub import DatasetCard

    folder, _ = exported("audio-folder")
    told = DatasetCard((folder / "README.md").read_text(encoding="utf-8")).data.to_dict()

    assert told["language"] == ["zh"]
    assert told["configs"][0]["data_files"] == [{"split": "train", "path": "data/**"}]
    assert told["license"] == "unknown"


def lines_as_gpt_sovits_reads_them(listing: Path, inp_wav_dir: str) -> list[tuple[str, str, str]]:
    """Return path, text and language as its `1-get-text.py` and `2-get-hubert-wav32k.py` (48b1a01) make them out."""
    known = {"ZH", "zh", "JP", "jp", "JA", "ja", "EN", "en", "En", "KO", "Ko", "ko", "yue", "YUE", "Yue"}
    read = []
    for line in listing.read_text(encoding="utf8").strip("\n").split("\n"):
        wav_name, _speaker, language, text = line.split("|")
        if language in known:
            place = os.path.join(inp_wav_dir, os.path.basename(wav_name)) if inp_wav_dir else wav_name  # noqa: PTH118, PTH119
            read.append((place, text, language))
    return read


@pytest.mark.parametrize("absolute", [False, True])
def test_gpt_sovits_finds_every_wav_and_every_text(exported, absolute):
    folder, clips = exported("gpt-sovits", absolute=absolute)

    read = lines_as_gpt_sovits_reads_them(folder / "clips.list", "" if absolute else str(folder / "wavs"))

    assert [Path(place).read_bytes() for place, _, _ in read] == [wav(number) for number in range(3)]
    assert [(text, language) for _, text, language in read] == [(clip.text, clip.language) for clip in clips]
