"""Scores: what was measured, on what, of which model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Score:
    """One cell of a scorecard."""

    dataset: str
    metric: str
    mode: str
    version: str
    """Prompt hash, as the evaluator gives it."""
    model: str
    """The column's name in the evaluator's own summary."""
    value: float | None
    """Per cent; None where the evaluator reported `-`."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything one evaluation said."""

    id: str
    persona_id: str
    name: str
    origin: str
    """`import` or the run's id."""
    sha256: str
    """The summary file in the content store."""
    created_at: datetime
    scores: tuple[Score, ...]
    model_id: str | None = None
    """The registered model, where known."""
