"""How well a pair of weights spoke, from what was measured of its takes; and what people preferred. Pure.

The total of a pair is a weighted mean between 0 and 1 of four measures, each 1 when nothing is wrong:

- words, weight 4: 1 less the share of wrong characters;
- likeness, weight 4: how alike the voice is to clips that were kept back, 1 where it is as like them as they are
  like each other;
- sound takes, weight 2: the share of takes that are neither silent, clipped, too short nor too long;
- pace, weight 1: 1 at her own pace, 0 at half or twice of it.

What nobody measured for any pair does not take part. What was measured for others and not for this one counts 0:
what is not known is never taken for good. Equal totals: the later epochs come first.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from statistics import fmean
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from core.domain.normalising import folded
from core.domain.pace import syllables
from core.domain.training import Vote

Print = npt.NDArray[np.float64]
"""A voiceprint."""

SHARES: Final[Mapping[str, float]] = {"cer": 4, "similarity": 4, "faults": 2, "pace": 1}
"""Measure -> its weight in the total."""
_DIGITS: Final = str.maketrans("0123456789〇两", "零一二三四五六七八九零二")
_STRETCH: Final = 2
"""Characters in a row that make a stretch; one alone is a slip of the ear."""
_Z: Final = 1.96
"""Of a normal distribution: 95 of 100 cases."""
_LEAST_SPREAD: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was heard beside what was to be said, as shares of the characters to be said."""

    cer: float
    """Characters to be changed, added or removed; may be above 1."""
    swallowed: float
    """In stretches that are missing."""
    repeated: float
    """In stretches that were said again."""


@dataclass(frozen=True, slots=True)
class TakeScore:
    """What is known of one take."""

    text: str
    seconds: float
    """0 where none came."""
    faulty: bool
    """Silent, clipped, too short or too long; also one that never came."""
    heard: Comparison | None = None
    similarity: float | None = None
    took: float | None = None
    """Seconds the server needed."""
    loudness: float | None = None
    """LUFS; None for silence, and where nobody measured it."""


@dataclass(frozen=True, slots=True)
class PairScores:
    """A pair, by its epochs, and what was measured of it, by name."""

    sovits: int
    gpt: int
    scores: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A pair in its place."""

    pair: PairScores
    rank: int
    """From 1."""
    total: float


@dataclass(frozen=True, slots=True)
class Preference:
    """What the votes say of a pair."""

    name: str
    wins: int
    losses: int
    ties: int
    share: float
    """Won of all its votes, a tie as half."""
    low: float
    high: float
    """The share lies between them in 95 of 100 cases (Wilson)."""


def bare(text: str) -> str:
    """Return the characters that are said: no marks, one case, one width, simplified, digits as Chinese ones."""
    plain = folded(unicodedata.normalize("NFKC", text)).casefold()
    return "".join(sign for sign in plain if sign.isalnum()).translate(_DIGITS)


def compare(said: str, heard: str) -> Comparison | None:
    """Compare what was heard with what was to be said; None where there was nothing to say."""
    wanted, found = bare(said), bare(heard)
    if not wanted:
        return None
    swallowed = repeated = 0
    for kind, start, end, at, until in SequenceMatcher(None, wanted, found, autojunk=False).get_opcodes():
        lacking, added = (end - start) - (until - at), found[at:until]
        if kind in ("delete", "replace") and lacking >= _STRETCH:
            swallowed += lacking
        elif kind == "insert" and len(added) >= _STRETCH and added in wanted:
            repeated += len(added)
    wrong = Levenshtein.distance(wanted, found)
    return Comparison(wrong / len(wanted), swallowed / len(wanted), repeated / len(wanted))


def likeness(one: Print, hers: Sequence[Print], *, directional: bool) -> float:
    """Return how like her a print is, at most 1: the cosine to the middle of hers for trained embeddings; for
    statistics 1 / (1 + d), where d is the distance from the middle in her own spreads."""
    rows = np.stack(hers)
    if directional:
        middle = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).mean(axis=0)
        length = float(np.linalg.norm(one) * np.linalg.norm(middle))
        return float(one @ middle) / max(length, 1e-9)
    middle = rows.mean(axis=0)
    spread = np.maximum(rows.std(axis=0), np.maximum(_LEAST_SPREAD, 0.1 * np.abs(middle)))
    return float(1 / (1 + np.sqrt(np.mean(np.square((one - middle) / spread)))))


def ceiling(hers: Sequence[Print], *, directional: bool) -> float | None:
    """Return how like each other her own clips are, each beside the rest; None where there are fewer than two."""
    if len(hers) < 2:
        return None
    rest = [[*hers[:place], *hers[place + 1 :]] for place in range(len(hers))]
    return fmean(likeness(own, others, directional=directional) for own, others in zip(hers, rest, strict=True))


def scores_of(takes: Sequence[TakeScore], *, her_pace: float | None) -> dict[str, float | None]:
    """Return the measures of a pair by name; None for what was measured of none of its takes.

    `her_pace`: syllables a second of her own clips, None where unknown. A take that did not come counts as wrong
    altogether and as like nobody, where others were heard and compared.
    """
    heard = [one.heard for one in takes if one.heard is not None]
    similar = [one.similarity for one in takes if one.similarity is not None]
    lost = sum(not one.seconds for one in takes)
    spoken = [one for one in takes if one.seconds > 0]
    timed = [one for one in spoken if one.took is not None]
    loud = [one.loudness for one in spoken if one.loudness is not None]
    return {
        "cer": _mean([*(one.cer for one in heard), *[1.0] * lost]) if heard else None,
        "similarity": _mean([*similar, *[0.0] * lost]) if similar else None,
        "pace": _mean([_plausible(one, her_pace) for one in spoken]) if her_pace else None,
        "swallowed": _mean([*(one.swallowed for one in heard), *[1.0] * lost]) if heard else None,
        "repeated": _mean([one.repeated for one in heard]),
        "faults": _mean([float(one.faulty) for one in takes]),
        "rtf": sum(one.took or 0.0 for one in timed) / sum(one.seconds for one in timed) if timed else None,
        "loudness": _mean(loud),
    }


def ranked(pairs: Sequence[PairScores], *, ceiling: float | None = None) -> list[Ranked]:
    """Return the pairs, best first, as the module says; always in the same order for the same measures."""
    measured = {name for name in SHARES if any(one.scores.get(name) is not None for one in pairs)}
    totals = [(_total(one.scores, measured, ceiling), one) for one in pairs]
    totals.sort(key=lambda one: (-round(one[0], 9), -one[1].sovits - one[1].gpt, -one[1].sovits))
    return [Ranked(pair, rank, total) for rank, (total, pair) in enumerate(totals, start=1)]


def preferences(votes: Iterable[Vote]) -> list[Preference]:
    """Count the votes for each that was voted on, best first; how sure that is, the bounds tell."""
    counts: dict[str, list[int]] = {}
    for vote in votes:
        for name in (vote.first, vote.second):
            place = 2 if vote.winner is None else int(vote.winner != name)
            counts.setdefault(name, [0, 0, 0])[place] += 1
    counted = [_preference(name, *places) for name, places in counts.items()]
    return sorted(counted, key=lambda one: (-one.share, -one.wins - one.losses - one.ties, one.name))


def _preference(name: str, wins: int, losses: int, ties: int) -> Preference:
    """Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927."""
    count = wins + losses + ties
    share = (wins + ties / 2) / count
    middle, reach = share + _Z**2 / (2 * count), _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    low, high = ((middle + sign * reach) / (1 + _Z**2 / count) for sign in (-1, 1))
    return Preference(name, wins, losses, ties, share, max(low, 0.0), min(high, 1.0))


def _total(scores: Mapping[str, float | None], measured: Iterable[str], ceiling: float | None) -> float:
    good = {"cer": _less(scores.get("cer")), "faults": _less(scores.get("faults")), "pace": scores.get("pace")}
    similarity = scores.get("similarity")
    good["similarity"] = None if similarity is None else similarity / (ceiling if ceiling and ceiling > 0 else 1.0)
    whole = sum(SHARES[name] for name in measured)
    return sum(SHARES[name] * min(max(good[name] or 0.0, 0.0), 1.0) for name in measured) / whole if whole else 0.0


def _less(share: float | None) -> float | None:
    return None if share is None else 1 - share


def _plausible(take: TakeScore, her_pace: float) -> float:
    """Return 1 at her own pace, 0 at half or twice of it and beyond."""
    count = syllables(take.text)
    return max(0.0, 1 - abs(math.log2(count / take.seconds / her_pace))) if count else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
