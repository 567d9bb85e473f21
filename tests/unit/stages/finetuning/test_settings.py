"""Presets: each is whole, and the default one is what the form starts with."""

from __future__ import annotations

import pytest

from core.errors import SettingsError
from core.settings import stage_defaults
from core.stages.finetuning.settings import PRESETS, FinetuneSettings, preset_values


def test_the_default_preset_is_what_the_settings_say_by_themselves():
    assert preset_values(PRESETS[0]) == FinetuneSettings().model_dump(mode="json")
    assert stage_defaults("finetuning", FinetuneSettings) == FinetuneSettings()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_named_after_its_file(name: str):
    assert preset_values(name)["preset"] == name


def test_every_field_of_the_form_is_explained_in_a_sentence():
    for name, field in FinetuneSettings.model_fields.items():
        assert (field.description or "")[-1:] == ".", name


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(SettingsError) as failure:
        preset_values("gigantic")

    assert "tiny-cpu" in str(failure.value)
