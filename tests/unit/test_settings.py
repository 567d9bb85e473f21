"""Settings come from files and the environment, checked, and say what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from core.errors import SettingsError
from core.settings import PROJECT, load_settings, validated


class Toy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    wheels: int = 4

    @model_validator(mode="after")
    def _even(self) -> Self:
        if self.wheels % 2:
            raise ValueError("an odd number of wheels.")
        return self


def test_the_shipped_settings_are_valid_and_bind_to_this_machine_only() -> None:
    settings = load_settings()

    assert settings.server.address == "127.0.0.1"
    assert settings.store_url.startswith("sqlite:///")


def test_the_environment_overrules_one_key_and_leaves_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAIYU_JOBS__QUEUES__CPU", "3")

    queues = load_settings().jobs.queues

    assert (queues.cpu, queues.llm) == (3, 4)


def test_a_relative_workspace_lies_in_the_project_and_an_absolute_one_where_it_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inside = load_settings().workspace
    monkeypatch.setenv("DAIYU_WORKSPACE", str(tmp_path))

    assert inside == PROJECT / "workspace"
    assert load_settings().workspace == tmp_path


def test_an_unknown_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAIYU_SPEED", "fast")

    with pytest.raises(SettingsError, match="DAIYU_SPEED"):
        load_settings()


@pytest.mark.parametrize(
    ("content", "named"),
    [("speed: 3\n", "speed"), ("server: {port: 99999}\n", "server.port"), ("server: [", "not valid YAML")],
)
def test_a_wrong_file_is_refused_with_the_key(tmp_path: Path, content: str, named: str) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(content)

    with pytest.raises(SettingsError, match=named):
        load_settings(file)


def test_values_of_a_form_are_checked_like_those_of_a_file() -> None:
    assert validated(Toy, {"wheels": 2}) == Toy(wheels=2)
    with pytest.raises(SettingsError, match="wings"):
        validated(Toy, {"wings": 2})


def test_values_that_do_not_go_together_are_refused_in_plain_words_and_without_a_key() -> None:
    with pytest.raises(SettingsError, match=r"^The settings do not go together: an odd number of wheels\. "):
        validated(Toy, {"wheels": 3})
