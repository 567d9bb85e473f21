"""What may be done to a clip's sound; every effect keeps the sample rate and the length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import InvalidInputError
from core.stages.voice_dataset.sound_file import Samples
from core.translation import N_

DENOISE = "denoise"


def denoise_step(strength: float, *, stationary: bool) -> dict[str, Any]:
    """Return the effect as a clip's recipe keeps it."""
    return {"effect": DENOISE, "strength": strength, "stationary": stationary}


def with_effects(samples: Samples, sample_rate: int, effects: Sequence[Mapping[str, Any]]) -> Samples:
    """Return mono samples with the effects applied in order; InvalidInputError for an unknown one."""
    for effect in effects:
        if effect.get("effect") != DENOISE:
            raise InvalidInputError(
                N_("This clip has an effect that is not known here: {effect}."),
                remedy=N_("Cut the clip anew."),
                effect=effect.get("effect"),
            )
        samples = _denoised(samples, sample_rate, strength=effect["strength"], stationary=effect["stationary"])
    return samples


def _denoised(samples: Samples, sample_rate: int, *, strength: float, stationary: bool) -> Samples:
    import noisereduce  # here because it imports for seconds

    cleaned = noisereduce.reduce_noise(y=samples, sr=sample_rate, prop_decrease=strength, stationary=stationary)
    return np.asarray(cleaned, dtype=np.float32)[: len(samples)]
