"""What votes say of the models: strengths on one scale, each with the interval it lies in.

Davidson's model: in a vote between i and j the chances of "i", "j" and "no difference" are as πᵢ : πⱼ : ν√(πᵢπⱼ).
Without a single tie it is the model of Bradley and Terry. Ties are not counted as half a win each: that would take
every vote for as uncertain as a decided one, and its intervals come out too wide where many votes are ties.

Estimates maximise the likelihood times Jeffreys' prior (Firth's correction). It is weak, as much as about half a vote,
keeps whoever won or lost everything finite, and takes away most of the bias that few votes bring. Intervals are those
of the observed information, the mean of the strengths being fixed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from core.domain.training import Vote

MEAN: Final = 1000.0
SCALE: Final = 400 / math.log(10)
"""Points for each unit of log strength: 400 more are ten wins for a loss."""
_Z: Final = 1.959963985
"""Standard deviations on either side that hold 95 % of a normal distribution."""
_ROUNDS: Final = 500
_STILL: Final = 1e-9
_LONGEST: Final = 2.0
"""Longest step in log strength; a bold one from afar may not come back."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rating:
    """How strong one is among those he was compared with, directly or through others."""

    name: str
    strength: float
    """Points; the mean of a group is 1000, and 400 more are ten wins for a loss."""
    low: float
    high: float
    """The strength lies between these in 95 of 100 cases."""
    wins: int
    losses: int
    ties: int
    group: int = 0
    """Strengths of different groups have no common scale: no vote leads from one to the other. 0 is the largest."""

    @property
    def votes(self) -> int:
        """How many votes he took part in."""
        return self.wins + self.losses + self.ties


def ratings(votes: Iterable[Vote]) -> list[Rating]:
    """Return everybody's rating, group by group, the largest group first, the strongest of a group first."""
    cast = [one for one in votes if one.first != one.second]
    counted = Counter((one.first, one.second, _outcome(one)) for one in cast)
    tallies = {name: _tally(name, cast) for name in {name for one in cast for name in (one.first, one.second)}}
    found: list[Rating] = []
    for number, names in enumerate(_groups(counted)):
        strengths, errors = _fitted(names, counted)
        rated = [
            Rating(
                name,
                MEAN + SCALE * strength,
                MEAN + SCALE * (strength - _Z * error),
                MEAN + SCALE * (strength + _Z * error),
                *tallies[name],
                group=number,
            )
            for name, strength, error in zip(names, strengths, errors, strict=True)
        ]
        found += sorted(rated, key=lambda one: (-one.strength, one.name))
    return found


def win_chance(a: Rating, b: Rating) -> float | None:
    """Return how likely `a` is preferred to `b` where somebody prefers one, 0 to 1; None without a common scale."""
    if a.group != b.group:
        return None
    return 1 / (1 + math.exp((b.strength - a.strength) / SCALE))


def _outcome(vote: Vote) -> int:
    """Return 0 for the first, 1 for the second, 2 for neither."""
    return 2 if vote.winner is None else int(vote.winner == vote.second)


def _tally(name: str, votes: Sequence[Vote]) -> tuple[int, int, int]:
    own = [one for one in votes if name in (one.first, one.second)]
    wins, ties = sum(one.winner == name for one in own), sum(one.winner is None for one in own)
    return wins, len(own) - wins - ties, ties


def _groups(counted: Mapping[tuple[str, str, int], int]) -> list[list[str]]:
    """Return the names, sorted, in the groups that votes connect, the largest group first."""
    groups: list[set[str]] = []
    for first, second, _result in counted:
        met = [group for group in groups if first in group or second in group]
        groups = [group for group in groups if group not in met]
        groups.append({first, second, *chain.from_iterable(met)})
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group))


def _fitted(names: Sequence[str], counted: Mapping[tuple[str, str, int], int]) -> tuple[Array, Array]:
    """Return log strengths with mean 0 and their standard errors."""
    place = {name: number for number, name in enumerate(names)}
    rows = [(place[a], place[b], result, count) for (a, b, result), count in counted.items() if a in place]
    with_ties = any(result == 2 for _a, _b, result, _count in rows)
    width, outcomes = len(names) + with_ties, 2 + with_ties
    pairs = sorted({(a, b) for a, b, _result, _count in rows})
    at = {pair: number for number, pair in enumerate(pairs)}
    seen = np.zeros((len(pairs), outcomes))
    features = np.zeros((len(pairs), outcomes, width))
    for a, b, result, count in rows:
        seen[at[a, b], result] += count
    for (a, b), number in at.items():
        features[number, 0, a] = features[number, 1, b] = 1
        if with_ties:
            features[number, 2, [a, b, -1]] = 0.5, 0.5, 1
    parameters = np.zeros(width)
    for _round in range(_ROUNDS):
        step, _covariance = _looked_at(parameters, features, seen)
        parameters += step * min(1.0, _LONGEST / max(float(np.abs(step).max()), _STILL))
        if np.abs(step).max() < _STILL:
            break
    _step, covariance = _looked_at(parameters, features, seen)
    strengths = parameters[: len(names)]
    return strengths - strengths.mean(), np.sqrt(np.diag(covariance)[: len(names)])


def _looked_at(parameters: Array, features: Array, seen: Array) -> tuple[Array, Array]:
    """Return the step towards the maximum of the penalised likelihood, and the inverse of the information."""
    logits = features @ parameters
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    votes = seen.sum(axis=1)
    off = features - (chances[:, :, None] * features).sum(axis=1, keepdims=True)
    weights = votes[:, None] * chances
    covariance = _inverse(weights, off)
    leverage = np.einsum("poi,ij,poj->po", off, covariance, off)
    score: Array = np.einsum("po,poi->i", seen - weights + weights * leverage / 2, off)
    # The prior counts too in how the slope bends: where votes are few, a step without it goes to and fro for ever.
    prior = (weights * leverage).sum(axis=1)
    return _inverse((votes + prior)[:, None] * chances, off) @ score, covariance


def _inverse(weights: Array, off: Array) -> Array:
    """Return the inverse of the information of votes with these weights."""
    information = np.einsum("po,poi,poj->ij", weights, off, off)
    inverse: Array = np.linalg.pinv(information, rcond=1e-10, hermitian=True)
    return inverse
