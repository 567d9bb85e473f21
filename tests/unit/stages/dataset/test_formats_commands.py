"""`python -m core dataset export` and `dataset check`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.__main__ import app
from core.domain.text import Passage, PassageKind
from core.errors import InvalidInputError
from core.services import open_services
from core.settings import load_settings
from core.stages.dataset.formats import FORMATS
from tests.unit.stages.dataset.makers import line
from tests.unit.stages.dataset.talks import SAMPLES, SOURCES, VERSION

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line on a workspace with one version in it."""
    from tests.conftest import persona_a_qing

    monkeypatch.setenv("DAIYU_WORKSPACE", str(tmp_path / "workspace"))
    with_store = open_services(load_settings())
    store = with_store.store
    store.personas.put(persona_a_qing())
    passages = [
        Passage("src-1", number, 1, number, PassageKind.PARAGRAPH, 0, 9, "一二三四五六七八九") for number in range(2)
    ]
    store.corpus.add(SOURCES["src-1"], passages)
    store.utterances.replace("src-1", "rules", [line("陆远", "冷么？", 0), line("沈青", "=不冷。", 1)], None)
    store.datasets.add(VERSION, SAMPLES)
    with_store.close()
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_exported_and_checked(command: Command, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.zip"

    exported = command("dataset", "export", VERSION.id, out, "--format", name)
    checked = command("dataset", "check", out, "--json")

    assert exported.exit_code == 0, exported.output
    found = json.loads(checked.output)
    assert (found["read"], found["refused"]) == (2 if name.startswith("card") else 3, 0)


def test_labels_are_taken_from_the_lines_of_the_store(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"

    command("dataset", "export", VERSION.id, out, "--format", "label-studio")

    from core.stages.dataset.formats.archive import unpacked

    tasks = json.loads(unpacked(out.read_bytes(), "a.zip")["tasks.json"])
    assert [one["model_version"] for one in tasks[0]["predictions"]] == ["rules"]


def test_a_format_of_several_files_is_refused_as_one(command: Command, tmp_path: Path) -> None:
    done = command("dataset", "export", VERSION.id, tmp_path / "out.json", "--format", "sharegpt")

    assert isinstance(done.exception, InvalidInputError)
    assert not (tmp_path / "out.json").exists()


def test_a_check_says_what_was_wrong_line_by_line(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "chats.jsonl"
    good = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'
    file.write_text(f"{good}\n{{}}\n", encoding="utf-8")

    said = command("dataset", "check", file).output.splitlines()

    assert said == [
        "1 read, 0 of them repaired, 1 refused",
        "chats.jsonl:2: refused: there is no list of messages",
    ]
