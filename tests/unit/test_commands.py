"""The command line does headless what the pages do, and speaks plainly when it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from core.__main__ import app
from core.errors import InvalidInputError

PROJECT = Path(__file__).resolve().parents[2]

STORY = """第一回　竹下听琴
陆远走进院来，笑道：“今日琴声倒好。”沈青道：“不过胡乱弹罢了，你又来笑我。”
陆远忙道：“我何曾笑你？”沈青冷笑道：“你不笑，难道风在笑么？”
第二回　雨夜论诗
沈青叹道：“这雨又下了一夜。”
"""

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DAIYU_WORKSPACE", str(tmp_path / "workspace"))
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def story(tmp_path: Path) -> Path:
    file = tmp_path / "story.txt"
    file.write_text(STORY, encoding="utf-8")
    return file


def rows_of(jsonl: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in jsonl.read_text(encoding="utf-8").splitlines()]


def test_extract_writes_one_utterance_a_line_with_its_place(command: Command, story: Path, tmp_path: Path) -> None:
    aliases, out = tmp_path / "aliases.json", tmp_path / "out.jsonl"
    aliases.write_text('{"沈青": ["青儿"], "陆远": ["远哥"]}', encoding="utf-8")

    result = command("extract", story, "--method", "rules", "--aliases", aliases, "--jsonl", out)

    assert result.exit_code == 0, result.output
    rows = rows_of(out)
    assert {"chapter", "para", "start", "end", "quote", "speaker", "type"} <= rows[0].keys()
    assert [(row["chapter"], row["para"], row["speaker"]) for row in rows] == [
        (1, 0, "陆远"),
        (1, 0, "沈青"),
        (1, 1, "陆远"),
        (1, 1, "沈青"),
        (2, 0, "沈青"),
    ]
    paragraph = STORY.splitlines()[1]
    assert paragraph[rows[0]["start"] : rows[0]["end"]] == f"“{rows[0]['quote']}”"


def test_the_path_from_a_text_to_a_reply_needs_no_browser(command: Command, story: Path, tmp_path: Path) -> None:
    out = tmp_path / "samples.json"

    hers = STORY.replace("沈青", "黛玉").replace("陆远", "宝玉")
    story.write_text(hers, encoding="utf-8")
    imported = command("import", story, "--json")
    extracted = command("extract", "--json")
    built = command("dataset", "build", "--json")
    exported = command("dataset", "export", "latest", out)
    replied = command("chat", "你今日可好？", "--json")

    assert json.loads(imported.output)["chapters"] == 2
    assert json.loads(extracted.output)["lines"] == 5
    assert built.exit_code == 0, built.output
    assert exported.exit_code == 0, exported.output
    assert json.loads(out.read_text(encoding="utf-8"))[0]["conversation"][0].keys() >= {"system", "input", "output"}
    assert json.loads(replied.output)["backend"] == "retrieval"


def test_doctor_names_each_thing_and_a_remedy_for_what_is_missing(command: Command) -> None:
    result = command("doctor", "--json")

    findings = {one["name"]: one for one in json.loads(result.output)["findings"]}
    assert findings["torch"]["fine"]
    assert "make run" in findings["worker"]["remedy"]
    assert findings["runs at once"]["detail"] == "cpu: 0, gpu: 0, llm: 0, servers: 0"
    assert {"xtuner", "opencompass"} <= findings.keys()


@pytest.mark.parametrize("pair", ["window", ""])
def test_a_setting_without_a_value_is_refused(command: Command, pair: str) -> None:
    result = command("dataset", "build", "--set", pair)

    assert isinstance(result.exception, InvalidInputError)


def test_a_refusal_is_one_plain_message_and_exit_code_two(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()

    done = subprocess.run(
        [sys.executable, "-m", "core", "extract", str(empty)], cwd=PROJECT, capture_output=True, check=False
    )

    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"empty" in done.stderr


def test_the_whole_novel_gives_its_quotes(command: Command, novel: Path, alias_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"

    result = command("extract", novel, "--aliases", alias_file, "--jsonl", out)

    assert result.exit_code == 0, result.output
    rows = rows_of(out)
    assert len(rows) >= 11_000
    assert max(row["chapter"] for row in rows) == 120


def test_the_check_before_a_training_says_what_forbids_it_and_ends_with_2(command: Command, story: Path) -> None:
    story.write_text(STORY.replace("沈青", "黛玉"), encoding="utf-8")
    command("import", story)
    command("extract")
    command("dataset", "build")

    fine = command("finetune", "--check", "--json")
    forbidden = command("finetune", "--check", "--set", "device=gpu", "--set", "launcher={devices: 64}")

    assert fine.exit_code == 0, fine.output
    assert json.loads(fine.output)["memory"]["total"] > 0
    assert forbidden.exit_code == 2
    assert "GPU" in forbidden.output
