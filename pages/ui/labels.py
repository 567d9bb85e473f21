"""What the records' closed sets are called on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from core.domain.run import RunState
from core.domain.text import ReviewStatus, SourceKind, Split, UtteranceKind
from core.services import Services
from core.stages.evaluation.fidelity.judge import TITLES as MARK_TITLES
from core.stages.evaluation.fidelity.sheet import MARK, MARKS, MEASURES, NATS
from core.stages.evaluation.subjects import title_of
from core.translation import N_
from pages.ui.i18n import _

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]

RUN_STATES: Final[Mapping[RunState, tuple[str, Colour, str]]] = {
    RunState.QUEUED: (N_("queued"), "gray", ":material/schedule:"),
    RunState.RUNNING: (N_("running"), "blue", ":material/sync:"),
    RunState.SUCCEEDED: (N_("succeeded"), "green", ":material/check_circle:"),
    RunState.FAILED: (N_("failed"), "red", ":material/error:"),
    RunState.CANCELLED: (N_("stopped"), "orange", ":material/stop_circle:"),
    RunState.LOST: (N_("lost"), "red", ":material/help:"),
}
"""State -> its word, its colour, its symbol."""

SOURCE_KINDS: Final[Mapping[SourceKind, str]] = {
    SourceKind.NOVEL: N_("novel"),
    SourceKind.SCREENPLAY: N_("screenplay"),
    SourceKind.QUOTES: N_("quotes"),
}

UTTERANCE_KINDS: Final[Mapping[UtteranceKind, str]] = {
    UtteranceKind.SPEECH: N_("speech"),
    UtteranceKind.THOUGHT: N_("thought"),
    UtteranceKind.RECITATION: N_("recitation"),
    UtteranceKind.FRAGMENT: N_("fragment"),
    UtteranceKind.NONSPEECH: N_("not speech"),
}

REVIEW_STATUSES: Final[Mapping[ReviewStatus, str]] = {
    ReviewStatus.PENDING: N_("to review"),
    ReviewStatus.ACCEPTED: N_("accepted"),
    ReviewStatus.REJECTED: N_("rejected"),
    ReviewStatus.MERGED: N_("merged into the line before"),
}

STATUS_LOOKS: Final[Mapping[ReviewStatus, tuple[Colour, str]]] = {
    ReviewStatus.PENDING: ("gray", ":material/pending:"),
    ReviewStatus.ACCEPTED: ("green", ":material/check:"),
    ReviewStatus.REJECTED: ("red", ":material/close:"),
    ReviewStatus.MERGED: ("blue", ":material/merge:"),
}
"""Status -> its colour, its symbol."""

EXTRACTOR_NAMES: Final[Mapping[str, str]] = {
    "rules": N_("rules"),
    "screenplay": N_("screenplay"),
    "quotes": N_("quotes"),
    "kor": N_("language model"),
}

SPLITS: Final[Mapping[Split, str]] = {
    Split.TRAIN: N_("training"),
    Split.HELD_OUT: N_("held out"),
}


def job_title(studio: Services, kind: str) -> str:
    """Return the translated title of a kind of run; the kind itself where this version does not know it."""
    job = studio.jobs.table.get(kind)
    return _(job.title) if job else kind


def source_kind(kind: SourceKind) -> str:
    """Return the translated name of a kind of source."""
    return _(SOURCE_KINDS[SourceKind(kind)])


def utterance_kind(kind: UtteranceKind) -> str:
    """Return the translated name of a kind of utterance."""
    return _(UTTERANCE_KINDS[UtteranceKind(kind)])


def review_status(status: ReviewStatus) -> str:
    """Return the translated name of a review status."""
    return _(REVIEW_STATUSES[ReviewStatus(status)])


def run_state(state: RunState) -> str:
    """Return the translated name of a run's state."""
    return _(RUN_STATES[RunState(state)][0])


def split_name(split: Split) -> str:
    """Return the translated name of a side of the dataset."""
    return _(SPLITS[Split(split)])


def subject_title(subject: str) -> str:
    """Return the translated title of a subject or group of C-Eval."""
    return _(title_of(subject))


def titled(series: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the series of C-Eval with the translated titles of its groups and subjects as labels."""
    return {name: {_(title_of(part)): value for part, value in values.items()} for name, values in series.items()}


def measure_title(dataset: str) -> str:
    """Return the translated name of a measure of the persona test; another dataset's own name."""
    if dataset in MEASURES:
        return _(MEASURES[dataset][0])
    return _(MARK_TITLES.get(dataset.removeprefix(MARKS), dataset))


def figure_of(value: float | None, metric: str) -> str:
    """Return a score as it is read: per cent, or a plain number where the metric is one."""
    if value is None:
        return "—"
    return f"{value:.2f}" if metric in (NATS, MARK) else f"{value:.1f} %"


def extractor(name: str) -> str:
    """Return the translated name of an extractor; its own where this version does not know it."""
    return _(EXTRACTOR_NAMES.get(name, name))
