"""What may be done to a clip's sound; every effect keeps the sample rate, and only trimming changes the length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.errors import InvalidInputError
from core.stages.voice_dataset.sound.activity import HOP_MS, active, profile_of, runs
from core.stages.voice_dataset.sound.loudness import normalised
from core.stages.voice_dataset.sound.sound_file import Samples
from core.translation import N_

DENOISE, NORMALISE, TRIM = "denoise", "normalise", "trim"
LONGEST_NOISE = 30.0
"""Seconds of noise that are listened to."""

_SHORTEST_NOISE = 0.1
_AWAY = 5
"""Hops around the words that are not listened to as noise."""


class _Effect(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Denoise(_Effect):
    """Takes noise out by spectral gating (noisereduce; Sainburg, 2019)."""

    effect: Literal["denoise"] = "denoise"
    strength: float = Field(default=0.95, gt=0, le=1, description="Share of the noise that is taken out.")
    stationary: bool = Field(default=True, description="Whether the noise is steady, like a fan.")
    noise: tuple[float, float] | None = Field(
        default=None, description="From where to where the recording holds nothing but noise, in seconds."
    )


class Normalise(_Effect):
    """Turns the whole clip to a loudness; the limit on the true peak wins over it."""

    effect: Literal["normalise"] = "normalise"
    lufs: float = Field(default=-23.0, ge=-60, le=-5, description="Loudness aimed at, in LUFS.")
    peak_db: float = Field(default=-1.0, ge=-20, le=0, description="Highest true peak, in dBTP.")


class Trim(_Effect):
    """Takes the silence off both ends."""

    effect: Literal["trim"] = "trim"
    keep_ms: int = Field(default=50, ge=0, le=1_000, description="Milliseconds of silence that stay.")


Effect = Annotated[Denoise | Normalise | Trim, Field(discriminator="effect")]
NoiseOf = Callable[[float, float], Samples]
"""Returns the recording's samples from second to second."""

_EFFECT: TypeAdapter[Denoise | Normalise | Trim] = TypeAdapter(Effect)


def denoise_step(
    strength: float = 0.95, *, stationary: bool = True, noise: tuple[float, float] | None = None
) -> dict[str, Any]:
    """Return the effect as a clip's recipe keeps it; `noise` is from where to where, in seconds of the recording."""
    step = {"effect": DENOISE, "strength": strength, "stationary": stationary}
    return step if noise is None else {**step, "noise": list(noise)}


def normalise_step(lufs: float = -23.0, *, peak_db: float = -1.0) -> dict[str, Any]:
    """Return the effect as a clip's recipe keeps it."""
    return {"effect": NORMALISE, "lufs": lufs, "peak_db": peak_db}


def trim_step(keep_ms: int = 50) -> dict[str, Any]:
    """Return the effect as a clip's recipe keeps it."""
    return {"effect": TRIM, "keep_ms": keep_ms}


def checked_effects(effects: Sequence[Mapping[str, Any]]) -> list[Denoise | Normalise | Trim]:
    """Return the steps of a recipe; InvalidInputError for one that is unknown or whose settings are not right."""
    return [_checked(effect) for effect in effects]


def listens(effects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a step of the recipe looks for noise around the clip."""
    found = [one for one in checked_effects(effects) if isinstance(one, Denoise)]
    return any(one.stationary and one.noise is None for one in found)


def with_effects(
    samples: Samples,
    sample_rate: int,
    effects: Sequence[Mapping[str, Any]],
    *,
    noise_of: NoiseOf | None = None,
    around: Samples | None = None,
) -> Samples:
    """Return mono samples with the effects applied in order; InvalidInputError for an unknown one.

    `noise_of` reads the stretch of the recording that a denoise step names as its noise; where it names none, what is
    quiet in `around`, the sound itself and more of its recording, is the noise.
    """
    for effect in checked_effects(effects):
        if isinstance(effect, Denoise):
            noise = _noise(samples if around is None else around, sample_rate, effect, noise_of)
            samples = _denoised(samples, sample_rate, effect, noise)
        elif isinstance(effect, Normalise):
            samples = normalised(samples, sample_rate, lufs=effect.lufs, peak_db=effect.peak_db)
        else:
            samples = _trimmed(samples, sample_rate, effect.keep_ms)
    return samples


def prepare() -> None:
    """Load what takes noise out, which takes seconds the first time in a process: it looks for torch on its way."""
    import noisereduce  # noqa: F401  # here because of those seconds


def _checked(effect: Mapping[str, Any]) -> Denoise | Normalise | Trim:
    if effect.get("effect") not in (DENOISE, NORMALISE, TRIM):
        raise InvalidInputError(
            N_("This clip has an effect that is not known here: {effect}."),
            remedy=N_("Cut the clip anew."),
            effect=effect.get("effect"),
        )
    try:
        return _EFFECT.validate_python(dict(effect))
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(
            N_("The setting {key} of the effect {effect} is not right: {problem}."),
            remedy=N_("Choose another value."),
            key=".".join(str(part) for part in first["loc"][1:]),
            effect=effect["effect"],
            problem=first["msg"],
        ) from None


def _denoised(samples: Samples, sample_rate: int, effect: Denoise, noise: Samples | None) -> Samples:
    # Here because it imports for seconds: it looks for torch, which is not used.
    from noisereduce import reduce_noise

    if len(samples) < 2 or not samples.any():
        return samples
    cleaned = reduce_noise(
        y=samples,
        sr=sample_rate,
        y_noise=noise,
        prop_decrease=effect.strength,
        stationary=effect.stationary,
        **_gate(sample_rate, stationary=effect.stationary),
    )
    return np.asarray(cleaned, dtype=np.float32)[: len(samples)]


def _noise(samples: Samples, sample_rate: int, effect: Denoise, noise_of: NoiseOf | None) -> Samples | None:
    """Return what is listened to as noise: the stretch that is named, else what is quiet; None for the whole sound.

    Against the whole sound the gate takes the words for noise: it makes speech at 10 dB worse, not better (measured).
    """
    if not effect.stationary:
        return None
    if effect.noise is None or noise_of is None:
        quiet = quiet_in(samples, sample_rate)
        return quiet if len(quiet) >= _SHORTEST_NOISE * sample_rate else None
    noise = noise_of(effect.noise[0], min(effect.noise[1], effect.noise[0] + LONGEST_NOISE))
    if len(noise) < _SHORTEST_NOISE * sample_rate:
        raise InvalidInputError(
            N_("The noise to take out is shorter than {seconds:g} s."),
            remedy=N_("Mark a longer stretch without any voice."),
            seconds=_SHORTEST_NOISE,
        )
    return noise


def quiet_in(samples: Samples, sample_rate: int) -> Samples:
    """Return what lies between the words, stretch after stretch, a little away from them."""
    near = np.convolve(active(profile_of(samples, sample_rate)), np.ones(2 * _AWAY + 1), mode="same") > 0.5
    begins, ends = runs(~near)
    hop = sample_rate * HOP_MS / 1000
    parts = [samples[round(begin * hop) : round(end * hop)] for begin, end in zip(begins, ends, strict=True)]
    return np.concatenate([np.zeros(0, np.float32), *parts])


def _gate(sample_rate: int, *, stationary: bool) -> dict[str, Any]:
    """Return the gate's sizes: windows of some 12 ms whatever the rate, the narrowest smoothing of the mask they allow.

    With noise to listen to, 12 ms and 25 ms of smoothing gave the sound nearest to the clean one, of 512 to 2048 points
    at 44.1 kHz and 25 to 80 ms; see docs/decisions/0014-sound.md.
    """
    size = 1 << round(np.log2(sample_rate * (0.012 if stationary else 0.024)))
    return {
        "n_fft": size,
        "hop_length": size // 4,
        "padding": 4 * size,  # its own 30,000 zeros on both sides cost more than a short clip
        "chunk_size": 600_000,
        "freq_mask_smooth_hz": max(200, 2 * sample_rate // size + 1),
        "time_mask_smooth_ms": 25,
        "n_std_thresh_stationary": 1.5,
        "time_constant_s": 5.0,
        "thresh_n_mult_nonstationary": 1,
    }


def _trimmed(samples: Samples, sample_rate: int, keep_ms: int) -> Samples:
    """Return the samples from shortly before the first voice to shortly after the last; all of them without any."""
    heard = np.flatnonzero(active(profile_of(samples, sample_rate)))
    if not len(heard):
        return samples
    first = (int(heard[0]) * HOP_MS - keep_ms) * sample_rate // 1000
    last = ((int(heard[-1]) + 1) * HOP_MS + keep_ms) * sample_rate // 1000
    return samples[max(first, 0) : last]
