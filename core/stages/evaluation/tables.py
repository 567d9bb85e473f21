"""Lays a scorecard's numbers out for charts: model -> what was measured -> per cent.

A value that the evaluator did not report is left out, never drawn as zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from core.domain.evaluation import FIDELITY, ORIGINAL, OTHERS, Paired, Score, Scorecard, Tally
from core.stages.evaluation.subjects import AVERAGE, GROUP_TITLES, HARD, HARD_SUBJECTS, SUBJECTS, Group, ceval_part
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
    return _series(card, name_of, dict.fromkeys(map(name_of, others)))


def is_persona_test(card: Scorecard) -> bool:
    """Whether a persona test made the card, not an examination."""
    return any(one.mode == FIDELITY for one in card.scores)


def values_of(card: Scorecard) -> dict[str, float]:
    """Return dataset -> score of the model examined; what a persona test holds beside it is left out."""
    return {
        one.dataset: one.value
        for one in preferred(card.scores)
        if one.value is not None and not (one.mode == FIDELITY and one.model in (ORIGINAL, OTHERS))
    }


def tallies_of(part: str, tallies: Mapping[str, Tally]) -> list[Tally]:
    """Return the tallies that a C-Eval group, `hard`, `average` or a subject rests on; empty where one is unknown."""
    subjects = _subjects_of(part)
    known = {ceval_part(dataset): tally for dataset, tally in tallies.items()}
    return [known[subject] for subject in subjects] if all(subject in known for subject in subjects) else []


def pairs_of(part: str, pairs: Mapping[str, Paired]) -> list[Paired]:
    """Return what two scorecards have in common of a C-Eval group or subject; empty where a part is unknown."""
    subjects = _subjects_of(part)
    known = {ceval_part(dataset): one for dataset, one in pairs.items()}
    return [known[subject] for subject in subjects] if all(subject in known for subject in subjects) else []


def _subjects_of(part: str) -> list[str]:
    if part == AVERAGE:
        return [subject for subjects in SUBJECTS.values() for subject in subjects]
    if part == HARD:
        return sorted(HARD_SUBJECTS)
    return list(SUBJECTS[Group(part)]) if part in set(Group) else [part]


def labels(cards: Iterable[Scorecard]) -> dict[tuple[str, str], str]:
    """Return (scorecard's id, model) -> its name in a chart; a name that stands in two cards gets its card's too."""
    columns = [(card, model) for card in cards for model in models_of(card)]
    names = [model for _card, model in columns]
    found: dict[tuple[str, str], str] = {}
    for card, model in columns:
        label = f"{model} ({card.name})" if names.count(model) > 1 else model
        found[card.id, model] = label if label not in found.values() else f"{label} {card.id}"
    return found


def side_by_side(cards: Iterable[Scorecard], lay_out: Callable[[Scorecard], Series]) -> Series:
    """Return several scorecards' models in one chart, under their `labels`."""
    cards = list(cards)
    named = labels(cards)
    return {named[card.id, model]: values for card in cards for model, values in lay_out(card).items()}


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


def name_of(score: Score) -> str:
    """Return what a score that is not C-Eval's is called in a chart."""
    return f"{score.dataset} ({score.metric})"
