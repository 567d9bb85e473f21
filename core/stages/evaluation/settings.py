"""Settings of the evaluation, read from `configs/evaluation.yaml`."""

from __future__ import annotations

from pydantic import Field

from core.domain.section import Section


class EvaluationSettings(Section):
    """What summaries are taken."""

    max_summary_kb: int = Field(default=2048, ge=1, le=102_400, description="Largest summary file, in kB.")
