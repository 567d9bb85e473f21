"""A voice's recipe says what cannot work before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from core.domain.voice_training import GptStage, Sampling, SovitsStage, TrainedVoice, VoiceRecipe, VoiceTraining


@pytest.mark.parametrize("stage", [SovitsStage, GptStage])
def test_epochs_that_would_not_be_saved_are_refused(stage):
    assert stage(epochs=8, save_every=4).epochs == 8
    with pytest.raises(ValidationError, match="multiple"):
        stage(epochs=8, save_every=3)
    with pytest.raises(ValidationError, match="multiple"):
        stage(epochs=2, save_every=4)


@pytest.mark.parametrize("wrong", [{"precision": "float16"}, {"precision": "float32", "gpus": 2}])
def test_a_cpu_computes_in_float32_and_alone(wrong):
    with pytest.raises(ValidationError, match="GPU"):
        VoiceRecipe(device="cpu", **wrong)


def test_gpus_are_taken_by_number():
    with pytest.raises(ValidationError, match="number"):
        VoiceTraining(folder=Path("/run"), clips=(), recipe=VoiceRecipe(), gpus=("MIG-1a-2b",))
    with pytest.raises(ValidationError, match="at least one"):
        VoiceTraining(folder=Path("/run"), clips=(), recipe=VoiceRecipe())


@pytest.mark.parametrize(("version", "rate"), [("v2", 32_000), ("v2Pro", 32_000), ("v3", 24_000), ("v4", 48_000)])
def test_a_voice_knows_its_sample_rate(version, rate):
    path = Path("/a")

    assert TrainedVoice(version=version, gpt=path, sovits=path, reference=path).sample_rate == rate


@pytest.mark.parametrize("model", [VoiceRecipe, SovitsStage, GptStage, Sampling])
def test_every_setting_is_explained(model: type[BaseModel]):
    assert [name for name, one in model.model_fields.items() if not one.description] == []
