"""Who may have said a line: those its extractors name, those who speak around it, the persona."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.domain.text import Reading, Utterance

MOST = 9
"""As many as there are number keys."""


def likely_speakers(
    line: Utterance, readings: Iterable[Reading], around: Sequence[Utterance], *, persona: str
) -> list[str]:
    """Return the likely speakers, the likeliest first: the line's, the surest readings', the nearest neighbours'.

    The persona is always among them.
    """
    surest = sorted(readings, key=lambda one: -one.confidence)
    nearest = sorted(around, key=lambda one: (abs(one.ordinal - line.ordinal), abs(one.start - line.start)))
    names = [line.speaker, *(one.speaker for one in surest), *(one.speaker for one in nearest if one.id != line.id)]
    found = list(dict.fromkeys(name for name in names if name))
    kept = found[:MOST]
    return kept if persona in kept else [*kept[: MOST - 1], persona]
