"""Lays a scorecard's numbers out for charts: model -> what was measured -> per cent.

A value that the evaluator did not report is left out, never drawn as zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.domain.evaluation import Score, Scorecard
from core.stages.evaluation.subjects import GROUP_TITLES, HARD_SUBJECTS, SUBJECTS, Group, ceval_part
from core.stages.evaluation.summary import preferred

Series = dict[str, dict[str, float]]


def models_of(card: Scorecard) -> tuple[str, ...]:
    """Return the models of a scorecard in the order of its columns."""
    return tuple(dict.fromkeys(score.model for score in card.scores))


def group_bars(card: Scorecard) -> Series:
    """Return each model's C-Eval groups, then hard and average, as the summary gives them; keys as in `title_of`."""
    return _series(card, lambda score: ceval_part(score.dataset), GROUP_TITLES)


def subject_bars(card: Scorecard, group: Group) -> Series:
    """Return each model's subjects of one C-Eval group, in the group's order; keys as in `title_of`."""
    return _series(card, lambda score: ceval_part(score.dataset), SUBJECTS[group])


def hard_bars(card: Scorecard) -> Series:
    """Return each model's hard subjects; keys as in `title_of`."""
    order = [subject for subject in SUBJECTS[Group.STEM] if subject in HARD_SUBJECTS]
    return _series(card, lambda score: ceval_part(score.dataset), order)


def other_bars(card: Scorecard) -> Series:
    """Return each model's scores on everything that is not C-Eval; keys are `dataset (metric)`."""
    others = [score for score in preferred(card.scores) if ceval_part(score.dataset) is None]
    return _series(card, _named, dict.fromkeys(map(_named, others)))


def side_by_side(cards: Iterable[Scorecard], lay_out: Callable[[Scorecard], Series]) -> Series:
    """Return several scorecards' models in one chart; a name that stands in two of them gets its card's name too."""
    cards = list(cards)
    names = [model for card in cards for model in models_of(card)]
    together: Series = {}
    for card in cards:
        for model, values in lay_out(card).items():
            label = f"{model} ({card.name})" if names.count(model) > 1 else model
            together[label if label not in together else f"{label} {card.id}"] = values
    return together


def missing_of(card: Scorecard) -> tuple[Score, ...]:
    """Return what the evaluator could not score (`-`), in the order of the summary."""
    return tuple(score for score in preferred(card.scores) if score.value is None)


def _series(card: Scorecard, key_of: Callable[[Score], str | None], order: Iterable[str]) -> Series:
    values = {(score.model, key_of(score)): score.value for score in preferred(card.scores)}
    order = list(order)
    laid_out = {
        model: {str(key): value for key in order if (value := values.get((model, key))) is not None}
        for model in models_of(card)
    }
    return {model: bars for model, bars in laid_out.items() if bars}


def _named(score: Score) -> str:
    return f"{score.dataset} ({score.metric})"
