"""Settings of a voice's training."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core.domain.voice_training import VoiceRecipe
from core.settings import preset_of, presets_of

_FIRST = "v2pro-gpu"
PRESETS = presets_of("voice_training", first=_FIRST)


class VoiceTrainingSettings(VoiceRecipe):
    """Read from `configs/voice_training.yaml` and the presets beside it; shown as a form by the page."""

    preset: str = Field(default=_FIRST, description="The preset these settings were taken from.")
    clip_set_id: str = Field(default="", description="Clip set to train on; empty for the newest.")
    name: str = Field(default="", max_length=80, description="The voice's name; empty for one made of model and clips.")
    held_out: int = Field(
        default=4, ge=0, le=20, description="Clips kept back from the training, to compare the saved weights with."
    )

    def recipe(self) -> VoiceRecipe:
        """Return the part that the trainer needs to know."""
        values: dict[str, Any] = self.model_dump(include=set(VoiceRecipe.model_fields))
        return VoiceRecipe.model_validate(values)


def preset_values(name: str) -> dict[str, Any]:
    """Return a preset's settings as plain values; SettingsError for an unknown name."""
    return preset_of("voice_training", VoiceTrainingSettings, name).model_dump(mode="json")
