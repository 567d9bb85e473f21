"""Unigram and bigram models of characters: what a language model must beat before it may be said to have learnt.

A text is its characters and then `END`, which counts as one more character. With n for counts, V characters seen and
`UNSEEN` others that share what is left, so that nothing is impossible:

    unigram  p(c)     = (n(c) + V / (V + UNSEEN)) / (n + V)
    bigram   p(c | h) = max(n(hc) - D, 0) / n(h) + D t(h) / n(h) p'(c)

The first is Witten and Bell's (1991, method C), the second Kneser and Ney's (1995), interpolated as in Chen and Goodman
(1998): t(h) different characters follow h; D = n1 / (n1 + 2 n2) of the pairs that come once and twice, 1/2 where none
comes once; p' is the unigram formula over how many different characters stand before c.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

END = "\x03"
_BEGIN = "\x02"

UNSEEN = 20_992
"""Characters that may still come: as many as there are in Unicode's block of CJK unified ideographs."""

SHARES = tuple(tenth / 10 for tenth in range(11))
"""How much of a reference is learnt from the replies alone; the rest from everything read."""


@dataclass(frozen=True)
class Unigrams:
    """How often each character comes."""

    counts: Mapping[str, int]

    def probability(self, character: str, before: str = "") -> float:
        """Return the character's probability; what stands before it changes nothing."""
        seen = len(self.counts)
        return (self.counts.get(character, 0) + seen / (seen + UNSEEN)) / (self._total + seen)

    @cached_property
    def _total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Bigrams:
    """How often each character comes after another."""

    counts: Mapping[str, Mapping[str, int]]
    discount: float
    shorter: Unigrams

    def probability(self, character: str, before: str) -> float:
        """Return the character's probability after the one before it."""
        after = self.counts.get(before)
        if not after:
            return self.shorter.probability(character)
        total = sum(after.values())
        left = self.discount * len(after) / total
        return max(after.get(character, 0) - self.discount, 0) / total + left * self.shorter.probability(character)


def learn_unigrams(texts: Iterable[str]) -> Unigrams:
    """Count the characters of the texts, their ends too."""
    return Unigrams(Counter(character for text in texts for _, character in _pairs(text)))


def learn_bigrams(texts: Iterable[str]) -> Bigrams:
    """Count the pairs of characters of the texts, from the first character to the end."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        for before, character in _pairs(text):
            counts[before][character] += 1
    often = Counter(count for after in counts.values() for count in after.values())
    discount = often[1] / (often[1] + 2 * often[2]) if often[1] else 0.5
    return Bigrams(counts, discount, Unigrams(Counter(character for after in counts.values() for character in after)))


def references(read: Sequence[str], replies: Sequence[str], held_out: Sequence[str]) -> dict[str, float]:
    """Return `unigram` and `bigram`: nats per character of the held-out replies, 0 would be certainty.

    `read` is everything the language model was shown, `replies` what it is to talk like. Of all mixtures of a model of
    the one and a model of the other the best for the held-out replies themselves is taken, which is more than fair.
    """
    return {
        "unigram": _best_mixture(learn_unigrams(replies), learn_unigrams(read), held_out),
        "bigram": _best_mixture(learn_bigrams(replies), learn_bigrams(read), held_out),
    }


def _best_mixture(one: Unigrams | Bigrams, other: Unigrams | Bigrams, texts: Iterable[str]) -> float:
    foreseen = [
        (one.probability(character, before), other.probability(character, before))
        for text in texts
        for before, character in _pairs(text)
    ]
    return min(-fmean(math.log(share * own + (1 - share) * of_all) for own, of_all in foreseen) for share in SHARES)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Return each character, the end too, with the one before it."""
    return zip((_BEGIN, *text), (*text, END), strict=True)
