"""Which clips of a set are trained on, which are kept back, and which may be references; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.voice import SetClip

LEAST_TRAINED = 4
"""Clips that are left to train on, whatever is kept back."""
SHORTEST_REFERENCE, LONGEST_REFERENCE = 3.0, 10.0
"""Seconds that GPT-SoVITS takes as reference."""
_SHORTEST, _LONGEST = 2.0, 12.0
"""Seconds of a clip that is kept back: shorter ones tell little of a voice, longer ones take long to speak again."""
_BEST_REFERENCE = 6.0
_MOST_REFERENCES = 3


@dataclass(frozen=True, slots=True)
class Divided:
    """The clips of a set, by what they are for."""

    trained: tuple[SetClip, ...]
    held_out: tuple[SetClip, ...]
    references: tuple[SetClip, ...]
    """The set's own, fit ones first; where it has none, the clips nearest to six seconds. They are trained on too."""


def divided(clips: Sequence[SetClip], *, held_out: int) -> Divided:
    """Keep so many clips back, or fewer where too few would be left; the same set is always divided alike.

    They are taken evenly from the whole set, so that they come from all its recordings.
    """
    references = _references(clips)
    names = {one.sha256 for one in references}
    fit = [one for one in clips if one.sha256 not in names and _SHORTEST <= one.seconds <= _LONGEST and one.text]
    count = max(0, min(held_out, len(fit), len(clips) - LEAST_TRAINED))
    kept = tuple(fit[(2 * number + 1) * len(fit) // (2 * count)] for number in range(count))
    back = {one.sha256 for one in kept}
    return Divided(tuple(one for one in clips if one.sha256 not in back), kept, references)


def _references(clips: Sequence[SetClip]) -> tuple[SetClip, ...]:
    fit = [one for one in clips if SHORTEST_REFERENCE <= one.seconds <= LONGEST_REFERENCE and one.text]
    marked = [one for one in fit if one.reference]
    if marked:
        return tuple(marked)
    return tuple(sorted(fit, key=lambda one: (abs(one.seconds - _BEST_REFERENCE), one.ordinal))[:_MOST_REFERENCES])
