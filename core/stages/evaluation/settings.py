"""Settings of the evaluation, read from `configs/evaluation.yaml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EvaluationSettings(BaseModel):
    """What summaries are taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_summary_kb: int = Field(default=2048, ge=1, le=102_400, description="Largest summary file, in kB.")
