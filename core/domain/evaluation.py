"""Scores: what was measured, on what, of which model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

FIDELITY: Final = "fidelity"
"""Mode of the scores of a persona test."""
ORIGINAL, OTHERS = "original", "others"
"""Columns of a persona test beside the model's own: her real held-out lines, and other people's."""


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
    """Per cent, unless the metric says otherwise; None where the evaluator reported `-`."""
    reason: str = ""
    """Why there is no value, in the evaluator's words; empty where it does not say."""


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


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of a benchmark, as the model was asked it, and how its reply was judged."""

    dataset: str
    number: int
    """Place in its dataset, from 0."""
    prompt: str
    """What the model read, worked examples before it included; turns are told apart by `[…]` lines."""
    reply: str
    """What the model wrote."""
    chosen: str
    """What the evaluator took the reply for."""
    wanted: str
    correct: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How many questions of a dataset were answered rightly."""

    right: int
    asked: int


@dataclass(frozen=True, slots=True)
class Paired:
    """How two models answered the same questions, counted."""

    both: int
    """Rightly by both."""
    first: int
    """Rightly by the first alone."""
    second: int
    neither: int

    @property
    def asked(self) -> int:
        """All questions."""
        return self.both + self.first + self.second + self.neither
