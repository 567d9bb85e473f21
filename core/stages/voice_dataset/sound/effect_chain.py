"""The chain of effects as a curator chooses it: which steps, in the one order that makes sense."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core.domain.section import Section
from core.stages.voice_dataset.sound.effects import denoise_step, normalise_step, trim_step


class EffectChain(Section):
    """What is done to a clip's sound: noise out first, then silence off its ends, loudness last."""

    denoise: bool = Field(default=False, description="Take the noise out; the sample rate stays.")
    strength: float = Field(default=0.95, gt=0, le=1, description="Share of the noise that is taken out.")
    stationary: bool = Field(
        default=True, description="Treat the noise as steady, like a fan; switch off for noise that comes and goes."
    )
    noise: tuple[float, float] | None = Field(
        default=None, description="From where to where the recording holds nothing but noise, in seconds."
    )
    trim: bool = Field(default=False, description="Take the silence off both ends.")
    keep_ms: int = Field(default=50, ge=0, le=1_000, description="Milliseconds of silence that stay when trimmed.")
    normalise: bool = Field(default=False, description="Turn every clip to the same loudness.")
    lufs: float = Field(default=-23.0, ge=-60, le=-5, description="Loudness aimed at, in LUFS.")
    peak_db: float = Field(default=-1.0, ge=-20, le=0, description="Highest true peak, in dBTP; it wins over LUFS.")

    def steps(self) -> tuple[dict[str, Any], ...]:
        """Return the steps as a clip's recipe keeps them."""
        steps = []
        if self.denoise:
            steps.append(denoise_step(self.strength, stationary=self.stationary, noise=self.noise))
        if self.trim:
            steps.append(trim_step(self.keep_ms))
        if self.normalise:
            steps.append(normalise_step(self.lufs, peak_db=self.peak_db))
        return tuple(steps)
