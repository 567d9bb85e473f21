"""The registry of models from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.__main__ import app
from core.domain.identity import now
from core.domain.training import Model, ModelKind
from core.errors import ConflictError, InvalidInputError, NotFoundError, SettingsError
from core.services import Services, open_services
from core.stages.finetuning.registry import files_in

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DAIYU_WORKSPACE", str(tmp_path / "workspace"))
    return lambda *arguments: CliRunner().invoke(app, ["model", *arguments])


@pytest.fixture
def studio(command: Command) -> Iterator[Services]:
    opened = open_services()
    yield opened
    opened.close()


@pytest.fixture
def model(studio: Services) -> Model:
    home = studio.store.workspace / "models" / "model-00aa11bb22"
    home.mkdir(parents=True)
    (home / "config.json").write_text("{}")
    (home / "model.safetensors").write_bytes(b"weights")
    trial = {"base": {"held_out_loss": 4.5}, "merged": {"held_out_loss": 2.25}}
    manifest = {"trial": trial, "files": files_in(home)}
    kept = Model(
        home.name, studio.settings.persona, ModelKind.TEXT, "bamboo", None, None, "tiny", f"models/{home.name}", now(),
        manifest=manifest,
    )  # fmt: skip
    studio.store.models.add(kept)
    return kept


def test_the_list_says_what_came_of_the_training_and_which_model_answers(command: Command, model: Model):
    listed = command("list").output
    command("use", "latest")

    assert listed.strip() == "model-00aa11bb22  bamboo: from tiny, held-out loss 4.50 -> 2.25"
    assert command("list").output.startswith("* model-00aa11bb22")
    assert json.loads(command("list", "--json").output)["models"][0]["in_use"] is True


def test_her_own_lines_answer_again(command: Command, model: Model, studio: Services):
    command("use", model.id)
    result = command("use", "retrieval", "--json")

    assert json.loads(result.output) == {"in_use": None}
    assert studio.store.models.in_use(model.persona_id, ModelKind.TEXT) is None


def test_a_model_is_named_and_noted(command: Command, model: Model, studio: Services):
    command("rename", model.id, "autumn bamboo")
    result = command("note", "latest", "laughs too much", "--json")

    assert json.loads(result.output)["name"] == "autumn bamboo"
    assert studio.store.models.get(model.id).note == "laughs too much"
    assert studio.store.events.of("model", model.id)[0].who == "cli"


def test_a_model_is_exported(command: Command, model: Model, studio: Services):
    result = command("export", "latest", "--json")

    assert result.exit_code == 0, result.output
    folder = studio.store.workspace / json.loads(result.output)["folder"]
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert "bamboo" in (folder / "README.md").read_text(encoding="utf-8")


def test_a_part_that_is_none_is_refused(command: Command, model: Model):
    assert isinstance(command("export", "latest", "--part", "half").exception, SettingsError)


def test_a_model_is_removed_unless_it_answers(command: Command, model: Model, studio: Services):
    command("use", model.id)
    refused = command("remove", model.id)
    command("use", "retrieval")
    removed = command("remove", model.id)

    assert isinstance(refused.exception, ConflictError)
    assert removed.exit_code == 0, removed.output
    assert not (studio.store.workspace / model.folder).exists()
    assert command("list").output.strip() == "no models yet"


def test_a_model_that_is_not_there_is_refused(command: Command):
    assert isinstance(command("use", "latest").exception, InvalidInputError)
    assert isinstance(command("remove", "model-none").exception, NotFoundError)
