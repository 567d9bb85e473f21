"""How sure a score is, and a difference of two: bounds in per cent that hold in 95 of 100 cases. Pure.

A share of right answers has Wilson's bounds. A difference of two models on the same questions is paired, which is
much narrower: what both get right or wrong tells nothing about it (Bonett and Price). A mean over subjects, as C-Eval
gives it, weighs every subject the same, however few questions it has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.domain.evaluation import Paired, Tally

Z: Final = 1.959964
"""Of a normal distribution: 95 of 100 cases lie within so many standard deviations."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its bounds, in per cent."""

    value: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether 0 lies outside: a difference that is more than noise."""
        return self.low > 0 or self.high < 0


def share(tally: Tally) -> Interval | None:
    """Return the share of right answers with Wilson's bounds; None where nothing was asked.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if not tally.asked:
        return None
    count, part = tally.asked, tally.right / tally.asked
    middle = part + Z**2 / (2 * count)
    reach = Z * math.sqrt(part * (1 - part) / count + Z**2 / (4 * count**2))
    low, high = ((middle + sign * reach) / (1 + Z**2 / count) for sign in (-1, 1))
    return Interval(100 * part, 100 * max(low, 0.0), 100 * min(high, 1.0))


def mean_share(tallies: Sequence[Tally]) -> Interval | None:
    """Return the mean of the subjects' shares with its bounds; None where nothing was asked.

    Each subject's variance is that of a share with two right and two wrong answers added (Agresti and Coull), so that
    a subject with all answers right is not taken for certain.
    """
    asked = [one for one in tallies if one.asked]
    if not asked:
        return None
    if len(asked) == 1:
        return share(asked[0])
    value = sum(one.right / one.asked for one in asked) / len(asked)
    variance = sum(_smoothed(one) / one.asked for one in asked) / len(asked) ** 2
    reach = Z * math.sqrt(variance)
    return Interval(100 * value, 100 * max(value - reach, 0.0), 100 * min(value + reach, 1.0))


def paired_difference(pairs: Sequence[Paired]) -> Interval | None:
    """Return how much better the second model is, as a mean over subjects; None where no question was put to both.

    Source: Bonett and Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data", 2012: one is added to each of the two counts in which the models disagree.
    """
    asked = [one for one in pairs if one.asked]
    if not asked:
        return None
    value = sum((one.second - one.first) / one.asked for one in asked) / len(asked)
    middle = sum((one.second - one.first) / (one.asked + 2) for one in asked) / len(asked)
    reach = Z * math.sqrt(sum(_paired_variance(one) for one in asked)) / len(asked)
    return Interval(100 * value, 100 * max(middle - reach, -1.0), 100 * min(middle + reach, 1.0))


def difference(first: Sequence[Tally], second: Sequence[Tally]) -> Interval | None:
    """Return how much better the second model is where the questions were not the same, or are not known one by one."""
    one, other = mean_share(first), mean_share(second)
    if one is None or other is None:
        return None
    # Newcombe's square-and-add: each side's own reach towards the other.
    value = other.value - one.value
    low = value - math.hypot(other.value - other.low, one.high - one.value)
    high = value + math.hypot(other.high - other.value, one.value - one.low)
    return Interval(value, low, high)


def _smoothed(tally: Tally) -> float:
    part = (tally.right + 2) / (tally.asked + 4)
    return part * (1 - part)


def _paired_variance(one: Paired) -> float:
    count = one.asked + 2
    more, less = (one.second + 1) / count, (one.first + 1) / count
    return (more + less - (more - less) ** 2) / count
