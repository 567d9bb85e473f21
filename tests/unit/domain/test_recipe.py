"""What can be asked of a training: what cannot run is refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from core.domain.recipe import Adapter, Intervals, Launcher, Optimizer, Recipe, TinyBase
from core.errors import SettingsError
from core.settings import validated


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"precision": "float16"}, "A CPU computes in float32"),
        ({"launcher": {"deepspeed": "deepspeed_zero2"}}, "DeepSpeed needs GPUs"),
        ({"launcher": {"machines": 2}}, "need a rendezvous"),
        ({"launcher": {"slurm_options": ["--partition=gpu", "rm -r /"]}}, "begins with a dash"),
        ({"launcher": {"rendezvous": "node-1"}}, "launcher.rendezvous"),
        ({"launcher": {"devices": 0}}, "launcher.devices"),
    ],
)
def test_what_cannot_run_is_refused_with_the_reason(values: dict[str, Any], reason: str):
    with pytest.raises(SettingsError) as failure:
        validated(Recipe, values)

    assert reason in str(failure.value)
    assert "Value error" not in str(failure.value)


@pytest.mark.parametrize(
    "values",
    [
        {"device": "gpu", "precision": "float16", "launcher": {"devices": 4, "deepspeed": "deepspeed_zero3"}},
        {"launcher": {"machines": 2, "rendezvous": "10.0.0.7:29500"}},
        {"launcher": {"machines": 2, "scheduler": "slurm", "slurm_options": ["-p=gpu", "--exclusive"]}},
    ],
)
def test_what_can_run_is_accepted(values: dict[str, Any]):
    assert validated(Recipe, values).launcher.processes >= 2


@pytest.mark.parametrize("model", [Recipe, Adapter, Optimizer, Intervals, Launcher, TinyBase])
def test_every_field_is_explained_in_a_sentence(model: type[BaseModel]):
    for name, field in model.model_fields.items():
        assert (field.description or "")[-1:] == ".", name
