"""Settings of the fine-tuning room."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core.domain.recipe import TINY, Recipe, TinyBase
from core.domain.section import Section
from core.settings import preset_of, presets_of

_FIRST = "tiny-cpu"
PRESETS = presets_of("finetuning", first=_FIRST)


class Subject(Section):
    """What is trained on what."""

    preset: str = Field(default=_FIRST, description="The preset these settings were taken from.")
    dataset_version_id: str = Field(default="", description="Dataset version to train on; empty for the newest.")
    name: str = Field(default="", max_length=80, description="The model's name; empty for one made of base and data.")
    base: str = Field(
        default=TINY,
        min_length=1,
        description="Base model: “tiny” builds a small one on the spot; else the id of one in the list of base models, "
        "or a folder, absolute or in the workspace.",
    )
    questions: tuple[str, ...] = Field(
        default=("你是谁？", "今日天气可好？"),
        max_length=8,
        description="Probe questions, one a line: asked during the training, to see the voice change.",
    )
    trainer: str = Field(default="xtuner", description="The training program.")


class FinetuneSettings(Recipe, Subject):
    """Read from `configs/finetuning.yaml` and the presets in `configs/finetuning/`; shown as a form by the page."""

    tiny: TinyBase = Field(default=TinyBase(), description="The tiny base model, where it is the one chosen.")

    def recipe(self) -> Recipe:
        """Return the part that the trainer needs to know."""
        values: dict[str, Any] = self.model_dump(include=set(Recipe.model_fields))
        return Recipe.model_validate(values)


def preset_values(name: str) -> dict[str, Any]:
    """Return a preset's settings as plain values; SettingsError for an unknown name."""
    return preset_of("finetuning", FinetuneSettings, name).model_dump(mode="json")
