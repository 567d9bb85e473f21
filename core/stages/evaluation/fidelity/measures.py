"""What can be counted in a reply without asking anybody: copying, variety, words of later times. Pure."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from statistics import fmean
from typing import Final

from core.domain.normalising import folded
from core.settings import CONFIGS
from core.stages.evaluation.fidelity.scenes import letters

ANACHRONISMS: Final = CONFIGS / "evaluation" / "anachronisms"
"""`<persona's id>.txt` for each persona that has some: a word a line, `#` begins a comment."""
RUN: Final = 8
"""Letters in one run that two people do not write alike by chance."""
OVERLAP: Final = 4
"""Letters of the n-grams that the overlap counts."""
_MOSTLY: Final = 0.5


def separation(own: Sequence[float], others: Sequence[float]) -> float | None:
    """Return the area under the ROC curve: how often one of the own scores above one of the others, ties half.

    0.5 is guessing, 1 is certainty; None where a side is empty. Source: Hanley and McNeil, 1982.
    """
    if not own or not others:
        return None
    ordered = sorted(others)
    below = sum(bisect_left(ordered, one) + bisect_right(ordered, one) for one in own) / 2
    return below / (len(own) * len(others))


def bundled(scores: Sequence[float], size: int) -> list[float]:
    """Return means of `size` different scores, as many as there are scores, drawn by a chance that is always the same.

    None where there are fewer than `size`.
    """
    chance = random.Random(0)
    return [fmean(chance.sample(scores, size)) for _ in scores] if len(scores) >= size else []


@dataclass(frozen=True, slots=True)
class Copying:
    """How much of a text stands in the book."""

    share: float
    """0 to 1, of its letters: those in runs of `RUN` or more that stand there word for word."""
    longest: str
    """The longest run."""
    overlap: float | None
    """0 to 1, of its n-grams of `OVERLAP` letters; None for a text shorter than one."""

    @property
    def copied(self) -> bool:
        """Whether the text is mostly the book's."""
        return self.share > _MOSTLY


class Book:
    """Everything that may have been copied, as its runs of letters; marks and spaces do not count."""

    def __init__(self, passages: Iterable[str]) -> None:
        self._runs: set[str] = set()
        self._grams: set[str] = set()
        for passage in passages:
            text = letters(passage)
            self._runs.update(_grams(text, RUN))
            self._grams.update(_grams(text, OVERLAP))

    def copying(self, text: str) -> Copying:
        """Return how much of the text stands here; of one shorter than `RUN` letters nobody can say."""
        text = letters(text)
        inside = [False] * len(text)
        for place, gram in enumerate(_grams(text, RUN)):
            if gram in self._runs:
                inside[place : place + RUN] = [True] * RUN
        grams = _grams(text, OVERLAP)
        overlap = sum(gram in self._grams for gram in grams) / len(grams) if grams else None
        return Copying(sum(inside) / len(text) if text else 0.0, self._longest(text), overlap)

    def _longest(self, text: str) -> str:
        best, begin = "", None
        grams = _grams(text, RUN)
        for place, gram in enumerate([*grams, ""]):
            if gram in self._runs:
                begin = place if begin is None else begin
            elif begin is not None:
                run = text[begin : place - 1 + RUN]
                best, begin = max(best, run, key=len), None
        return best


def distinct(texts: Iterable[str], length: int, most: int) -> float | None:
    """Return which share of the n-grams of `length` letters are different ones; None where there is none.

    Only the first `most` n-grams are counted, since a longer text repeats itself more.
    Source: Li and others, "A diversity-promoting objective function for neural conversation models", 2016.
    """
    grams = [gram for text in texts for gram in _grams(letters(text), length)][:most]
    return len(set(grams)) / len(grams) if grams else None


def letters_in(texts: Iterable[str]) -> int:
    """Return how many letters the texts have together."""
    return sum(len(letters(text)) for text in texts)


def words_of_later_times(persona_id: str) -> tuple[str, ...]:
    """Return the words a persona cannot know; none where nobody has written them down."""
    file = ANACHRONISMS / f"{PurePath(persona_id).name}.txt"
    if not file.is_file():
        return ()
    rows = (row.partition("#")[0].strip() for row in file.read_text(encoding="utf-8").splitlines())
    return tuple(dict.fromkeys(folded(row).casefold() for row in rows if row))


def anachronisms(text: str, words: Iterable[str]) -> list[str]:
    """Return which of the words stand in the text."""
    text = folded(text).casefold()
    return [word for word in words if word in text]


def _grams(text: str, length: int) -> list[str]:
    return [text[place : place + length] for place in range(len(text) - length + 1)]
