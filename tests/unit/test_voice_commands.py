"""The path from a recording to what a trainer reads needs no browser."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.commands.voices import app
from core.errors import InvalidInputError, StudioError
from tests.unit.stages.voice_dataset.sounds import file_of, tones

SUBTITLES = """1
00:00:01,000 --> 00:00:03,500
窗外的雨下了一夜。

2
00:00:05,000 --> 00:00:08,000
你且坐下，听我慢慢说来。
"""

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DAIYU_WORKSPACE", str(tmp_path / "workspace"))
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def take(tmp_path: Path) -> Path:
    file = tmp_path / "第一 集.wav"
    file.write_bytes(file_of(tones((1, 3.5), (5, 8), seconds=9, noise=0.001)))
    file.with_suffix(".srt").write_text(SUBTITLES, encoding="utf-8")
    return file


@pytest.mark.slow
def test_a_recording_becomes_a_zip_for_a_trainer(command, take, tmp_path):
    out, folder = tmp_path / "她.zip", tmp_path / "她 的"
    imported = command("import", take, "--subtitles", take.with_suffix(".srt"), "--json")
    cut = command("cut", "--by", "subtitles", "--json")
    frozen = command("freeze", "--set", "accepted_only=false", "--set", "without=[]", "--json")
    exported = [command("export", "latest", out), command("export", "latest", folder, "--format", "audio-folder")]
    listed = command("export", "latest", tmp_path / "clips.list", "--root", "/数据")

    assert imported.exit_code == 0, imported.output
    assert json.loads(imported.output)["seconds"] == pytest.approx(9, abs=0.01)
    assert cut.exit_code == 0, cut.output
    assert json.loads(frozen.output)["clips"] == 2
    assert [one.exit_code for one in (*exported, listed)] == [0, 0, 0]
    with zipfile.ZipFile(out) as archive:
        lines = archive.read("clips.list").decode().splitlines()
    assert [line.split("|")[3] for line in lines] == ["窗外的雨下了一夜。", "你且坐下，听我慢慢说来。"]
    assert len(list((folder / "data").glob("*.wav"))) == 2
    assert (tmp_path / "clips.list").read_text(encoding="utf-8").startswith("/数据/wavs/")
    assert list(tmp_path.glob("*.draft")) == []


def test_each_step_says_what_must_come_first(command, tmp_path):
    assert isinstance(command("cut").exception, InvalidInputError)
    assert isinstance(command("export", "latest", tmp_path / "a.zip").exception, InvalidInputError)


def test_a_set_of_nothing_is_refused(command):
    refused = command("freeze").exception

    assert isinstance(refused, StudioError)
    assert "No clip is left" in str(refused)


def test_subtitles_that_are_none_are_refused_before_the_recording_is_taken_in(command, take, tmp_path):
    take.with_suffix(".srt").write_bytes(b"\x00\x01\x02" * 100)

    refused = command("import", take, "--subtitles", take.with_suffix(".srt"))

    assert isinstance(refused.exception, InvalidInputError)
    assert isinstance(command("cut").exception, InvalidInputError)
