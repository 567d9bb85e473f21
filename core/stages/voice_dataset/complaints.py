"""Rules that object to a clip, each with its reason and a remedy; they only speak, a curator decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from core.domain.pace import pace_of, seconds_of
from core.domain.section import Section
from core.domain.voice import Clip
from core.stages.voice_dataset.doubles import doubles
from core.translation import N_

Values = Mapping[str, Any]


class Complaints(Section):
    """From where on a clip is objected to; the defaults suit Mandarin and the ranges GPT-SoVITS trains on."""

    shortest: float = Field(default=0.8, ge=0, le=60, description="Shorter clips are too short, in seconds.")
    longest: float = Field(default=15, gt=0, le=300, description="Longer clips are too long, in seconds.")
    most_clipped: int = Field(default=8, ge=0, description="More samples at full scale than these are distortion.")
    least_snr: float = Field(
        default=15, ge=-20, le=80, description="Speech less than this above the noise is noisy, in dB."
    )
    least_loudness: float = Field(default=-38, ge=-100, le=0, description="Below this a clip is quiet, in LUFS.")
    least_peak: float = Field(
        default=-40, ge=-120, le=0, description="The same for clips without a loudness: their peak, in dBTP."
    )
    most_musical: float = Field(
        default=0.6, ge=0, le=1, description="From here on sound under the words counts as music, 0 to 1."
    )
    most_odd: float = Field(
        default=3, gt=0, description="A voice farther from the others than so many of their spreads is another's."
    )
    slowest: float = Field(default=1.5, gt=0, le=20, description="Fewer syllables a second of speech are too few.")
    fastest: float = Field(default=9, gt=0, le=40, description="More syllables a second of speech are too many.")
    least_confidence: float = Field(
        default=0.6, ge=0, le=1, description="Below this confidence the words of a clip are unsure."
    )
    overlap: float = Field(
        default=0.5, gt=0, le=1, description="Clips are double when so much of the shorter one lies in the other."
    )


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a rule has against a clip."""

    name: str
    message: str
    """A template; a page translates it and fills in the values."""
    remedy: str
    """What to do about it, marked for translation."""
    values: Values = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message.format(**self.values)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that may be wrong with a clip."""

    name: str
    title: str
    """Two or three words for a list of rules, marked for translation."""
    message: str
    remedy: str
    judge: Callable[[Clip, Complaints], Values | None]
    """What the message is filled in with, or None where there is nothing to object to."""


def complaints_of(clip: Clip, settings: Complaints, *, double_of: str | None = None) -> tuple[Complaint, ...]:
    """Return what there is to object to, in the order of `RULES`; what was not measured is not objected to.

    `double_of` is the clip that stands for this one, as `doubles` says.
    """
    found = []
    for rule in RULES.values():
        values = {"other": double_of} if rule is RULES[DOUBLED] and double_of else rule.judge(clip, settings)
        if values is not None:
            found.append(Complaint(rule.name, rule.message, rule.remedy, values))
    return tuple(found)


def all_complaints(clips: Iterable[Clip], settings: Complaints) -> dict[str, tuple[Complaint, ...]]:
    """Return clip id -> complaints, for clips that are looked at together."""
    together = list(clips)
    others = doubles(together, overlap=settings.overlap)
    return {clip.id: complaints_of(clip, settings, double_of=others.get(clip.id)) for clip in together}


def _no_words(clip: Clip, settings: Complaints) -> Values | None:
    return None if any(sign.isalnum() for sign in clip.text) else {}


def _too_short(clip: Clip, settings: Complaints) -> Values | None:
    seconds = seconds_of(clip)
    return {"seconds": seconds, "least": settings.shortest} if seconds < settings.shortest else None


def _too_long(clip: Clip, settings: Complaints) -> Values | None:
    seconds = seconds_of(clip)
    return {"seconds": seconds, "most": settings.longest} if seconds > settings.longest else None


def _clipped(clip: Clip, settings: Complaints) -> Values | None:
    if clip.measures is None or clip.measures.clipped <= settings.most_clipped:
        return None
    return {"count": clip.measures.clipped}


def _noisy(clip: Clip, settings: Complaints) -> Values | None:
    if clip.measures is None or clip.measures.snr_db is None or clip.measures.snr_db >= settings.least_snr:
        return None
    return {"snr": clip.measures.snr_db, "least": settings.least_snr}


def _quiet(clip: Clip, settings: Complaints) -> Values | None:
    if clip.measures is None:
        return None
    loudness, peak = clip.measures.loudness, clip.measures.peak_db
    heard = peak >= settings.least_peak if loudness is None else loudness >= settings.least_loudness
    return None if heard else {"level": peak if loudness is None else loudness}


def _music(clip: Clip, settings: Complaints) -> Values | None:
    if clip.measures is None or clip.measures.musical < settings.most_musical:
        return None
    return {"share": clip.measures.musical}


def _other_speaker(clip: Clip, settings: Complaints) -> Values | None:
    if clip.oddness is None or clip.oddness <= settings.most_odd:
        return None
    return {"oddness": clip.oddness, "speaker": clip.speaker, "most": settings.most_odd}


def _words_do_not_fit(clip: Clip, settings: Complaints) -> Values | None:
    pace = pace_of(clip)
    if pace is None or settings.slowest <= pace <= settings.fastest:
        return None
    return {"pace": pace, "slowest": settings.slowest, "fastest": settings.fastest}


def _unsure(clip: Clip, settings: Complaints) -> Values | None:
    if clip.confidence is None or clip.confidence >= settings.least_confidence:
        return None
    return {"confidence": clip.confidence}


def _never(clip: Clip, settings: Complaints) -> Values | None:
    """A double is known only beside the other clips."""
    return None


DOUBLED = "doubled"

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "no_words",
            N_("No words"),
            N_("Nobody has said yet what is spoken here."),
            N_("Listen and write the words, or reject it."),
            _no_words,
        ),
        Rule(
            "too_short",
            N_("Too short"),
            N_("It lasts {seconds:.2f} s; at least {least:g} s teach something."),
            N_("Merge it with its neighbour, or move its ends."),
            _too_short,
        ),
        Rule(
            "too_long",
            N_("Too long"),
            N_("It lasts {seconds:.1f} s, more than {most:g} s."),
            N_("Split it at a pause."),
            _too_long,
        ),
        Rule(
            "clipped",
            N_("Clipped"),
            N_("{count} samples are cut off at full scale; it sounds distorted."),
            N_("Take the line from a better recording; no effect brings back what was cut off."),
            _clipped,
        ),
        Rule(
            "noisy",
            N_("Noisy"),
            N_("The voice is only {snr:.0f} dB above the noise; {least:g} dB are wanted."),
            N_("Take the noise out, then listen whether the voice is still hers."),
            _noisy,
        ),
        Rule(
            "quiet",
            N_("Quiet"),
            N_("It is hardly heard: {level:.0f} dB relative to full scale."),
            N_("Set its loudness, then listen for noise; reject it when nothing is heard."),
            _quiet,
        ),
        Rule(
            "music",
            N_("Music"),
            N_("Something sounds on under the words (a guess: {share:.0%})."),
            N_("Listen; reject it when there is music, or the voice learns to hum."),
            _music,
        ),
        Rule(
            "other_speaker",
            N_("Another voice"),
            N_("The voice is {oddness:.1f} spreads away from the other clips of {speaker}; above {most:g} is odd."),
            N_("Listen who speaks; it may be somebody else, or she shouts or whispers."),
            _other_speaker,
        ),
        Rule(
            "words_do_not_fit",
            N_("Words do not fit"),
            N_("{pace:.1f} syllables a second; from {slowest:g} to {fastest:g} are usual. Words and sound may differ."),
            N_("Compare them: mend the words, or move the ends of the clip."),
            _words_do_not_fit,
        ),
        Rule(
            "unsure",
            N_("Unsure words"),
            N_("The words are only {confidence:.0%} sure."),
            N_("Listen and mend the words."),
            _unsure,
        ),
        Rule(
            DOUBLED,
            N_("Double"),
            N_("The clip {other} holds the same stretch of the recording."),
            N_("Keep the better one and reject the other."),
            _never,
        ),
    )
}
"""Name -> rule, in the order they are told."""
