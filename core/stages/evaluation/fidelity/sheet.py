"""A persona test's figures on their way to a scorecard: columns of the model and of what it is held beside."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from core.domain.evaluation import FIDELITY, ORIGINAL, OTHERS, Answer, Score
from core.stages.evaluation.summary import HEADER
from core.translation import N_

SHARE, AREA, NATS, MARK = "share", "auc", "nats a character", "mark"
"""Metrics: per cent of replies, area under the ROC curve in per cent, nats, a mark of a judge from 1 to 5."""

MEASURES: dict[str, tuple[str, str]] = {
    "style": (N_("Sounds like her"), N_("Replies that the style classifier takes for hers.")),
    "own-words": (N_("In her own words"), N_("Replies that are not mostly copied from the book.")),
    "overlap": (
        N_("Overlap with the book"),
        N_("How many sequences of four characters stand in the book; her real lines say how many are natural."),
    ),
    "distinct-1": (N_("Different characters"), N_("How varied her characters are; all columns over one length.")),
    "distinct-2": (N_("Different pairs"), N_("How varied her pairs of characters are; all columns over one length.")),
    "period": (N_("Of her time"), N_("Replies without a word of later times.")),
    "facts": (N_("Knows who she is"), N_("Questions about her name, home and people that she answers rightly.")),
    "negatives": (
        N_("Not taken in"),
        N_("Questions that take something false for true, which she does not go along with."),
    ),
    "role": (N_("Stays in her role"), N_("Attempts to talk her out of her role that fail.")),
    "ranking": (
        N_("Finds her real reply"),
        N_("Scenes in which the model finds her real reply among ten of hers; guessing finds 10 in 100."),
    ),
    "nats": (N_("Surprise at her replies"), N_("How unlikely her real replies are to the model; less is better.")),
    "style-lines": (
        N_("Classifier, single lines"),
        N_("How well style alone tells her held-out lines; 50 is guessing."),
    ),
    "style-bundles": (N_("Classifier, ten lines"), N_("The same with ten lines at a time; 50 is guessing.")),
    "judge-preferred": (
        N_("Judge prefers it"),
        N_("Replies that the judge prefers to her real ones in both orders, of those it decides."),
    ),
    "judge-agreement": (
        N_("Judge agrees with people"),
        N_("Votes of people in the arena that the judge decides likewise, of those it decides."),
    ),
}
"""Measure -> what it is called, and what it says; in the order in which they are shown. A judge's marks come after."""
MARKS = "judge-"


@dataclass(slots=True)
class Sheet:
    """Scores and answers of one test."""

    model: str
    version: str
    """The dataset version whose held-out chapters were the scenes."""
    scores: list[Score] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def put(
        self,
        measure: str,
        metric: str,
        value: float | None,
        *,
        original: float | None = None,
        others: float | None = None,
        reason: str = "",
    ) -> None:
        """Write a figure, and what her real lines and other people's reach, where that is known."""
        columns = ((self.model, value), (ORIGINAL, original), (OTHERS, others))
        self.scores += [
            Score(measure, metric, FIDELITY, self.version, column, one, "" if one is not None else reason)
            for column, one in columns
            if column == self.model or one is not None
        ]

    def tell(
        self,
        measure: str,
        answers: Sequence[Answer],
        *,
        original: float | None = None,
        others: float | None = None,
        reason: str = "",
    ) -> None:
        """Write the share of answers that are as they should be, with every one of them."""
        self.answers += answers
        value = percent([one.correct for one in answers])
        self.put(measure, SHARE, value, original=original, others=others, reason=reason)

    def summary(self) -> bytes:
        """Return the figures as an OpenCompass summary; a column a model."""
        columns = [self.model, ORIGINAL, OTHERS]
        known = {(one.dataset, one.model): one for one in self.scores}
        written = io.StringIO()
        table = csv.writer(written)
        table.writerow([*HEADER, *columns])
        for measure in dict.fromkeys(one.dataset for one in self.scores):
            cells = [known.get((measure, column)) for column in columns]
            first = next(one for one in cells if one is not None)
            values = ["-" if one is None or one.value is None else f"{one.value:.4f}" for one in cells]
            table.writerow([measure, first.version, first.metric, first.mode, *values])
        return written.getvalue().encode()


def percent(verdicts: Sequence[bool]) -> float | None:
    """Return how many of 100 are as they should be; None for none at all."""
    return 100 * sum(verdicts) / len(verdicts) if verdicts else None


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; None of nothing."""
    return fmean(values) if values else None
