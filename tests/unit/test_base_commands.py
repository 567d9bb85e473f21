"""The commands about base models do what the page does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.__main__ import app
from tests.little_base import INTERNLM2, base_files, write_base

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DAIYU_WORKSPACE", str(tmp_path / "workspace"))
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


def test_a_folder_is_brought_in_and_listed(command: Command, tmp_path: Path) -> None:
    folder = write_base(tmp_path / "little")

    brought = command("base", "import", "--source", "folder", folder, "--name", "竹影", "--json")
    listed = command("base", "list", "--json")

    assert brought.exit_code == 0, brought.output
    told = json.loads(brought.stdout)
    assert told["architecture"] == "LlamaForCausalLM"
    [base] = json.loads(listed.stdout)["bases"]
    assert (base["id"], base["name"]) == (told["base"], "竹影")
    assert (tmp_path / "workspace" / base["folder"] / "model.safetensors").exists()


def test_a_folder_is_checked_without_being_brought_in(command: Command, tmp_path: Path) -> None:
    converted = command("base", "check", write_base(tmp_path / "internlm2", base_files(INTERNLM2)))
    broken = command("base", "check", write_base(tmp_path / "broken", {"config.json": b"{}"}))

    assert "It is converted to the Llama form" in converted.output
    assert "model.safetensors is missing" in broken.output
    assert not (tmp_path / "workspace").exists()


def test_a_name_that_is_none_is_refused_in_plain_words(command: Command) -> None:
    refused = command("base", "import", "nowhere")

    assert refused.exit_code != 0
    assert "owner/name" in str(refused.exception)
