"""Which clips make a set, and what tells two sets apart; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from core.domain.identity import fingerprint
from core.domain.pace import seconds_of, syllables
from core.domain.section import Section
from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Recording, SetClip
from core.errors import InvalidInputError
from core.stages.voice_dataset.complaints import RULES
from core.translation import N_


def _known_rule(name: str) -> str:
    if name not in RULES:
        raise ValueError(f"there is no rule called {name}; known are {', '.join(RULES)}")
    return name


def _of_one_line(name: str) -> str:
    if re.search(r"[|\x00-\x1f\x7f-\x9f\u2028\u2029]", name):
        raise ValueError("it holds | or a line break, which list files cannot hold")
    return name.strip()


class ClipSetSettings(Section):
    """Which clips go into a set; shown as a form by the page."""

    name: str = Field(default="", max_length=100, description="The set's name; empty to number it.")
    note: str = Field(default="", max_length=2000, description="What this set is for.")
    accepted_only: bool = Field(
        default=True, description="Use only clips a curator has accepted; otherwise all that are not rejected."
    )
    recording_ids: tuple[str, ...] = Field(
        default=(), description="The recordings to use; empty for all of the persona's."
    )
    speakers: tuple[str, ...] = Field(default=(), description="Use only clips of these speakers; empty for all.")
    min_seconds: float = Field(
        default=0.6, ge=0, le=60, description="Shorter clips are left out; GPT-SoVITS drops those below 0.6 s."
    )
    max_seconds: float = Field(
        default=54, gt=0, le=300, description="Longer clips are left out; GPT-SoVITS drops those above 54 s."
    )
    without: tuple[Annotated[str, AfterValidator(_known_rule)], ...] = Field(
        default=tuple(RULES),
        description="Leave out clips that one of these rules objects to, unless a curator has accepted them.",
    )
    language: Literal["", "zh", "ja", "en", "ko", "yue"] = Field(
        default="", description="The language written for every clip; empty for each clip's own."
    )
    speaker: Annotated[str, AfterValidator(_of_one_line)] = Field(
        default="", max_length=100, description="The speaker's name written for every clip; empty for each clip's own."
    )
    references: int = Field(
        default=3, ge=0, le=50, description="How many reference clips are marked; those chosen by hand always are."
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The clips of a set in their order, and how many were left out for which reason."""

    clips: Sequence[Clip]
    left_out: Mapping[str, int]
    """`rejected`, `not_accepted`, `other_speakers`, `repeated`, or the name of a rule -> count."""


def choose(clips: Iterable[Clip], recordings: Mapping[str, Recording], settings: ClipSetSettings) -> Chosen:
    """Return the clips of a set, by recording and place, whatever the order they are given in.

    The order says nothing of when anything was imported, so the same clips give the same set. InvalidInputError when
    one sound has two texts: trainers know a sound by its name and would learn the later one.
    """
    kept: dict[str, Clip] = {}
    left_out: Counter[str] = Counter()
    for clip in sorted(clips, key=lambda one: _place(one, recordings[one.recording_id])):
        why = _why_not(clip, settings)
        if why is None and (twin := kept.get(clip.sha256)):
            if twin.text != clip.text:
                raise _two_texts(twin, clip)
            why = "repeated"
        if why is None:
            kept[clip.sha256] = clip
        else:
            left_out[why] += 1
    return Chosen(list(kept.values()), dict(sorted(left_out.items())))


def content_fingerprint(members: Sequence[SetClip]) -> str:
    """Return the sha256 of what a trainer sees, in order: sounds, words, speakers, languages."""
    return fingerprint([[one.sha256, one.text, one.speaker, one.language] for one in members])


def _place(clip: Clip, recording: Recording) -> tuple[Any, ...]:
    return recording.name, recording.sha256, clip.start, clip.end, clip.sha256, clip.text, clip.id


def _why_not(clip: Clip, settings: ClipSetSettings) -> str | None:
    accepted = clip.status is ReviewStatus.ACCEPTED
    reasons = {
        "rejected": clip.status in (ReviewStatus.REJECTED, ReviewStatus.MERGED),
        "not_accepted": settings.accepted_only and not accepted,
        "other_speakers": bool(settings.speakers) and clip.speaker not in settings.speakers,
        "no_words": syllables(clip.text) == 0,
        "too_short": seconds_of(clip) < settings.min_seconds,
        "too_long": seconds_of(clip) > settings.max_seconds,
    }
    told = [] if accepted else [rule for rule in settings.without if rule in clip.complaints]
    return next(iter([name for name, holds in reasons.items() if holds] + told), None)


def _two_texts(first: Clip, second: Clip) -> InvalidInputError:
    return InvalidInputError(
        N_("The clips {first} and {second} are the same sound with different words."),
        remedy=N_("Mend the words of one, or reject it."),
        first=first.id,
        second=second.id,
    )
