"""Settings of the voice dataset, read from `configs/voice_dataset.yaml`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from core.domain.section import Section
from core.stages.voice_dataset.complaints import Complaints
from core.stages.voice_dataset.references import ReferenceSettings
from core.stages.voice_dataset.words.alignment import AlignmentSettings


class VoiceDatasetSettings(Section):
    """What recordings are taken, how clips are cut, and what is objected to."""

    max_minutes: float = Field(default=120, gt=0, le=600, description="Longest recording, in minutes.")
    sample_rate: int = Field(default=32_000, ge=8_000, le=96_000, description="Samples a second of a rendered clip.")
    shortest_clip: float = Field(default=0.3, gt=0, le=10, description="Shortest clip, in seconds.")
    longest_clip: float = Field(default=30, gt=0, le=300, description="Longest clip, in seconds.")
    alignment: AlignmentSettings = Field(
        default=AlignmentSettings(), description="How alike subtitles and book must be for a line to be found."
    )
    complaints: Complaints = Field(default=Complaints(), description="From where on a clip is objected to.")
    references: ReferenceSettings = Field(default=ReferenceSettings(), description="What a reference clip must be.")
    voiceprint: str = Field(default="mfcc", description="What tells voices apart: mfcc, or onnx with a model of yours.")
    voiceprint_model: Path | None = Field(default=None, description="The ONNX file of a voice embedding.")
