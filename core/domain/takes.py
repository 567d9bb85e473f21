"""Whether a spoken take is worth hearing: plain bounds on what was measured of it, pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.domain.pace import syllables


class TakeFault(StrEnum):
    """What spoils a take."""

    SILENT = "silent"
    CLIPPED = "clipped"
    SHORT = "short"
    """Words must have been swallowed."""
    LONG = "long"
    """Words must have been repeated, or it went on after them."""


@dataclass(frozen=True, slots=True)
class TakeFacts:
    """What is measured of a take."""

    seconds: float
    """From the first to the last sound that is heard."""
    peak: float
    """Largest sample, 0 to 1."""
    clipped: float
    """Share of the samples at full scale."""


FASTEST: Final[Mapping[str, float]] = {"zh": 9.0, "yue": 9.0, "ja": 12.0, "ko": 10.0, "en": 9.0}
"""Language -> syllables a second that nobody speaks faster than; slips and laughs included."""
SLOWEST: Final = 1.5
"""Syllables a second, pauses included, below which something else than the words was said."""
_GRACE: Final = 1.2
"""Seconds that may be added to any take: a breath before it, an echo after it."""
_PEAK: Final = 0.01
_CLIPPED: Final = 0.002


def faults(facts: TakeFacts, text: str, *, language: str = "zh", speed: float = 1.0) -> Sequence[TakeFault]:
    """Return what spoils the take of those words, spoken at that share of the usual speed."""
    count = syllables(text)
    shortest = count / FASTEST.get(language, 10.0) / speed
    longest = count / SLOWEST / speed + _GRACE
    found = {
        TakeFault.SILENT: facts.peak < _PEAK,
        TakeFault.CLIPPED: facts.clipped > _CLIPPED,
        TakeFault.SHORT: facts.peak >= _PEAK and facts.seconds < shortest,
        TakeFault.LONG: facts.seconds > longest,
    }
    return [fault for fault, holds in found.items() if holds]
