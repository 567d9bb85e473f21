"""Two runs of one kind, side by side: what was set otherwise, what was answered at the same step, how they ended."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.domain.run import Run

_UNTOLD = "answers"
"""Parts of a result that are compared in their own way."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the same in both; None where a run has none of that name."""

    name: str
    """Nested names are dotted, e.g. `adapter.rank`."""
    one: Any
    other: Any


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """What both models said to a question, each at its step; empty where one was not asked."""

    step: int
    other_step: int
    question: str
    one: str
    other: str


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between two nested mappings, in the order of the first; lists count as one value."""
    left, right = dict(flattened(one)), dict(flattened(other))
    names = dict.fromkeys([*left, *right])
    return [Difference(name, left.get(name), right.get(name)) for name in names if left.get(name) != right.get(name)]


def flattened(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of a nested mapping."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def results(one: Run, other: Run) -> list[Difference]:
    """Return the numbers both runs ended with, also those that are equal; seconds they took come first."""
    left, right = _numbers(one), _numbers(other)
    return [Difference(name, left.get(name), right.get(name)) for name in dict.fromkeys([*left, *right])]


def paired_answers(
    one: Sequence[Mapping[str, Any]],
    other: Sequence[Mapping[str, Any]],
    questions: Sequence[str],
    other_questions: Sequence[str],
) -> list[AnswerPair]:
    """Return the answers to the questions both were asked, each round of the longer run beside the other's nearest.

    A round is `{"step", "answers"}` with the answers in the order of that run's questions.
    """
    common = [question for question in questions if question in other_questions]
    if not (one and other and common):
        return []
    pairs = []
    for mine, its in _beside(one, other):
        for question in common:
            pairs.append(
                AnswerPair(
                    mine["step"],
                    its["step"],
                    question,
                    _answer(mine, questions.index(question)),
                    _answer(its, other_questions.index(question)),
                )
            )
    return pairs


def _beside(
    one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    if len(one) >= len(other):
        return [(mine, _nearest(other, mine["step"])) for mine in one]
    return [(_nearest(one, its["step"]), its) for its in other]


def _nearest(rounds: Sequence[Mapping[str, Any]], step: int) -> Mapping[str, Any]:
    """Return the round whose step is nearest, the earlier one of two as near; `rounds` are in order."""
    after = bisect_right(rounds, step, key=lambda one: one["step"])
    near = rounds[max(0, after - 1) : after + 1]
    return min(near, key=lambda one: (abs(one["step"] - step), one["step"]))


def _answer(found: Mapping[str, Any], place: int) -> str:
    answers = found["answers"]
    return str(answers[place]) if place < len(answers) else ""


def _numbers(run: Run) -> dict[str, float]:
    told: dict[str, float] = {}
    if run.started_at and run.finished_at:
        told["seconds"] = (run.finished_at - run.started_at).total_seconds()
    for name, value in flattened({name: value for name, value in run.result.items() if name != _UNTOLD}):
        if isinstance(value, int | float) and not isinstance(value, bool):
            told[name] = value
    return told
