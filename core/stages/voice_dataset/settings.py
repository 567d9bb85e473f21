"""Settings of the voice dataset, read from `configs/voice_dataset.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class VoiceDatasetSettings(BaseModel):
    """What recordings are taken and how clips are cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_minutes: float = Field(default=120, gt=0, le=600, description="Longest recording, in minutes.")
    sample_rate: int = Field(default=32_000, ge=8_000, le=96_000, description="Samples a second of a rendered clip.")
    shortest_clip: float = Field(default=0.3, gt=0, le=10, description="Shortest clip, in seconds.")
    longest_clip: float = Field(default=30, gt=0, le=300, description="Longest clip, in seconds.")
    quiet_db: float = Field(
        default=35, gt=0, le=100, description="Sound this many decibels below the loudest counts as silence."
    )
    padding: float = Field(default=0.1, ge=0, le=2, description="Seconds kept before and after the speech proposed.")


class VoiceWork(BaseModel):
    """What a run does for the voice dataset: take the noise out of a clip, or find where somebody speaks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["denoise", "find_speech"] = Field(description="What to do.")
    clip_id: str = Field(default="", max_length=64, description="The clip to clean; the result is a clip of its own.")
    strength: float = Field(default=0.85, gt=0, le=1, description="Share of the noise that is taken out.")
    stationary: bool = Field(
        default=True, description="Treat the noise as steady, like a fan; switch off for noise that comes and goes."
    )
    recording_id: str = Field(default="", max_length=64, description="The recording to look through.")
    start: float = Field(default=0, ge=0, description="From where to look, in seconds.")
    end: float = Field(default=36_000, gt=0, description="Up to where to look, in seconds; two minutes at most.")
