"""Proposes reference clips: the few seconds that a voice trained on the others is told to sound like.

GPT-SoVITS takes references of 3 to 10 s and nothing else (its `tts_infer` refuses the rest). Tone and pace carry over
into everything that is said, so the middle of a speaker is what is looked for, not the most expressive line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from pydantic import Field

from core.domain.pace import pace_of, seconds_of, syllables
from core.domain.section import Section
from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Measures, Reference, TextOrigin
from core.translation import N_


class ReferenceSettings(Section):
    """What a reference clip must be."""

    shortest: float = Field(default=3, gt=0, le=60, description="Shortest reference, in seconds.")
    longest: float = Field(default=10, gt=0, le=60, description="Longest reference, in seconds.")
    least_snr: float = Field(default=20, ge=-20, le=80, description="Least speech above the noise, in dB.")
    most_clipped: int = Field(default=0, ge=0, description="Most samples at full scale.")
    most_musical: float = Field(default=0.4, ge=0, le=1, description="Most sound under the words, 0 to 1.")
    most_odd: float = Field(default=2, gt=0, description="Farthest a voice may be from its others, in their spreads.")
    least_confidence: float = Field(default=0.8, ge=0, le=1, description="Least confidence of the words.")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a clip, or that must be known about it."""

    message: str
    """A template, marked for translation."""
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message.format(**self.values)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip that may serve as reference."""

    clip: Clip
    score: float
    """0 to 1, the better the higher; comparable among clips of one speaker."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Middle:
    """What is usual for a speaker; None where it was never measured."""

    loudness: float | None
    pace: float | None


Trait = Callable[[Clip, ReferenceSettings, _Middle], tuple[float, Reason] | None]
"""How well a clip does in one respect, 0 to 1, and the reason in words; None where that is not known."""


def reference_candidates(clips: Iterable[Clip], settings: ReferenceSettings) -> list[Candidate]:
    """Return the clips fit to be references, best first; what a curator chose comes first, what was excluded never.

    Clips are compared with the middle of their own speaker. One that was not measured is no candidate unless chosen.
    """
    speakers: defaultdict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.status in (ReviewStatus.PENDING, ReviewStatus.ACCEPTED):
            speakers[clip.speaker].append(clip)
    found = [one for own in speakers.values() for one in _of_speaker(own, settings)]
    return sorted(found, key=lambda one: (one.clip.reference is not Reference.CHOSEN, -one.score, one.clip.id))


def _of_speaker(clips: Sequence[Clip], settings: ReferenceSettings) -> Iterable[Candidate]:
    middle = _Middle(
        _median(clip.measures.loudness for clip in clips if clip.measures), _median(pace_of(clip) for clip in clips)
    )
    for clip in clips:
        chosen = clip.reference is Reference.CHOSEN
        if clip.reference is not Reference.EXCLUDED and (chosen or _fit(clip, settings)):
            judged = [one for trait in _TRAITS if (one := trait(clip, settings, middle))]
            score = sum(part for part, _ in judged) / len(_TRAITS)  # what is not known counts as nothing
            reasons = tuple(reason for _, reason in judged)
            yield Candidate(clip, round(score, 4), (*_told(clip, settings), *reasons))


def _fit(clip: Clip, settings: ReferenceSettings) -> bool:
    return _in_length(clip, settings) and _said(clip, settings) and _heard(clip.measures, clip.oddness, settings)


def _in_length(clip: Clip, settings: ReferenceSettings) -> bool:
    return settings.shortest <= seconds_of(clip) <= settings.longest


def _said(clip: Clip, settings: ReferenceSettings) -> bool:
    sure = clip.confidence is None or clip.confidence >= settings.least_confidence
    return syllables(clip.text) > 0 and (sure or clip.status is ReviewStatus.ACCEPTED)


def _heard(measures: Measures | None, oddness: float | None, settings: ReferenceSettings) -> bool:
    if measures is None or measures.snr_db is None or measures.loudness is None:
        return False
    clean = measures.snr_db >= settings.least_snr and measures.clipped <= settings.most_clipped
    return clean and measures.musical <= settings.most_musical and (oddness is None or oddness <= settings.most_odd)


def _told(clip: Clip, settings: ReferenceSettings) -> tuple[Reason, ...]:
    """What must be known about a clip that a curator chose."""
    if clip.reference is not Reference.CHOSEN:
        return ()
    if _in_length(clip, settings):
        return (Reason(N_("chosen by hand")),)
    values = {"shortest": settings.shortest, "longest": settings.longest}
    return (
        Reason(N_("chosen by hand")),
        Reason(N_("but GPT-SoVITS takes references of {shortest:g} to {longest:g} s only"), values),
    )


def _length(clip: Clip, settings: ReferenceSettings, middle: _Middle) -> tuple[float, Reason]:
    seconds = seconds_of(clip)
    best = (settings.shortest + settings.longest) / 2
    part = _near(seconds, best, (settings.longest - settings.shortest) / 2)
    return 0.5 + part / 2 if _in_length(clip, settings) else 0, Reason(N_("{seconds:.1f} s long"), {"seconds": seconds})


def _clean(clip: Clip, settings: ReferenceSettings, middle: _Middle) -> tuple[float, Reason] | None:
    if clip.measures is None or clip.measures.snr_db is None:
        return None
    snr = clip.measures.snr_db
    part = min(max((snr - settings.least_snr) / 20, 0), 1) * (1 - clip.measures.musical)
    return part, Reason(N_("the voice is {snr:.0f} dB above the noise"), {"snr": snr})


def _loudness(clip: Clip, settings: ReferenceSettings, middle: _Middle) -> tuple[float, Reason] | None:
    if clip.measures is None or clip.measures.loudness is None or middle.loudness is None:
        return None
    values = {"loudness": clip.measures.loudness, "middle": middle.loudness}
    reason = Reason(N_("{loudness:.1f} LUFS loud, where {middle:.1f} is usual"), values)
    return _near(clip.measures.loudness, middle.loudness, 6), reason


def _pace(clip: Clip, settings: ReferenceSettings, middle: _Middle) -> tuple[float, Reason] | None:
    pace = pace_of(clip)
    if pace is None or middle.pace is None:
        return None
    reason = Reason(
        N_("{pace:.1f} syllables a second, where {middle:.1f} are usual"), {"pace": pace, "middle": middle.pace}
    )
    return _near(pace, middle.pace, middle.pace / 2), reason


def _usual_voice(clip: Clip, settings: ReferenceSettings, middle: _Middle) -> tuple[float, Reason] | None:
    if clip.oddness is None:
        return None
    reason = Reason(N_("the voice is {oddness:.1f} spreads away from her others"), {"oddness": clip.oddness})
    return _near(max(clip.oddness, 0), 0, settings.most_odd), reason


def _words(clip: Clip, settings: ReferenceSettings, middle: _Middle) -> tuple[float, Reason] | None:
    if not syllables(clip.text):
        return None
    if clip.status is ReviewStatus.ACCEPTED or clip.text_origin is TextOrigin.HAND:
        return 1, Reason(N_("the words were checked by a person"))
    if clip.confidence is None:
        return 0.5, Reason(N_("nobody has checked the words yet"))
    return clip.confidence, Reason(N_("the words are {confidence:.0%} sure"), {"confidence": clip.confidence})


_TRAITS: tuple[Trait, ...] = (_length, _clean, _loudness, _pace, _usual_voice, _words)


def _near(value: float, middle: float, reach: float) -> float:
    """1 in the middle, falling to 0 at `reach` away from it."""
    return max(1 - abs(value - middle) / reach, 0) if reach > 0 else 0


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
