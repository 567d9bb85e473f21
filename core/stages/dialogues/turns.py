"""Decides a whole dialogue at once: who takes which turn, from what is known about each.

Every turn has candidates with a weight; two people who speak in turn are likelier than one who speaks
twice or a third who breaks in. The likeliest sequence is found over pairs of neighbours (Viterbi), so
that a cue tells about the bare turns before it as well as about those after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NOBODY = ""
_MOST = 5
"""Candidates a turn is decided among."""
_HOPELESS = 6.0
"""Who is so far behind the best candidate is none."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What sequences of speakers are worth."""

    again: float = -3.0
    """The same person in the next paragraph."""
    again_after_narration: float = -2.0
    alternate: float = 2.2
    """Who spoke two turns ago."""
    alternate_after_narration: float = 0.4
    newcomer: float = -0.5


@dataclass(frozen=True, slots=True)
class Turn:
    """What is known about who takes a turn."""

    weights: Mapping[str, float]
    """Candidate -> how much speaks for them."""
    narrated: bool
    """Narration stands between this turn and the one before."""
    resumed: bool = False
    """Narration stands between the two turns before this one."""


def decide(turns: Sequence[Turn], habits: Habits) -> list[tuple[str, float]]:
    """Return who takes each turn and by what margin over the next best; an empty name where nobody can."""
    if not turns:
        return []
    choices = [_choices(turn) for turn in turns]
    forward = _forward(turns, choices, habits)
    backward = _backward(turns, choices, habits)
    decided = []
    for at, candidates in enumerate(choices):
        best: dict[str, float] = dict.fromkeys(candidates, float("-inf"))
        for (before, who), score in forward[at].items():
            best[who] = max(best[who], score + backward[at][before, who])
        ranked = sorted(best.items(), key=lambda one: (-one[1], one[0]))
        decided.append((ranked[0][0], ranked[0][1] - ranked[1][1] if len(ranked) > 1 else 9.0))
    return decided


def _choices(turn: Turn) -> list[str]:
    ranked = sorted(turn.weights.items(), key=lambda one: (-one[1], one[0]))
    return [who for who, weight in ranked[:_MOST] if weight > ranked[0][1] - _HOPELESS] or [_NOBODY]


Scores = dict[tuple[str, str], float]


def _forward(turns: Sequence[Turn], choices: Sequence[list[str]], habits: Habits) -> list[Scores]:
    """Return, for each turn, the best score of a path that ends in (the speaker before, this speaker)."""
    scores: list[Scores] = [{(_NOBODY, who): turns[0].weights.get(who, 0.0) for who in choices[0]}]
    for at in range(1, len(turns)):
        reached: Scores = {}
        for (first, second), score in scores[-1].items():
            for who in choices[at]:
                total = score + turns[at].weights.get(who, 0.0) + _step(first, second, who, turns[at], habits)
                if total > reached.get((second, who), float("-inf")):
                    reached[second, who] = total
        scores.append(reached)
    return scores


def _backward(turns: Sequence[Turn], choices: Sequence[list[str]], habits: Habits) -> list[Scores]:
    """Return, for each turn, the best score of what follows (the speaker before, this speaker)."""
    befores = [[_NOBODY], *choices[:-1]]
    scores: list[Scores] = [{(before, who): 0.0 for before in befores[-1] for who in choices[-1]}]
    for at in range(len(turns) - 2, -1, -1):
        later = turns[at + 1]
        scores.append(
            {
                (before, who): max(
                    scores[-1][who, after] + later.weights.get(after, 0.0) + _step(before, who, after, later, habits)
                    for after in choices[at + 1]
                )
                for before in befores[at]
                for who in choices[at]
            }
        )
    return scores[::-1]


def _step(first: str, second: str, who: str, turn: Turn, habits: Habits) -> float:
    if who == second:
        return habits.again_after_narration if turn.narrated else habits.again
    if who == first:
        return habits.alternate_after_narration if turn.narrated or turn.resumed else habits.alternate
    return habits.newcomer
