"""Cuts clips: a recipe (recording, from, to, effects) and its rendered file, 16-bit mono at the trainer's rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.identity import new_id, now
from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Measures, Recording, TextOrigin
from core.errors import InvalidInputError
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.effects import listens, with_effects
from core.stages.voice_dataset.sound.levels import measures_of
from core.stages.voice_dataset.sound.sound_file import Samples, resampled, stretch_of, wav_of
from core.store import Store
from core.translation import N_

FORBIDDEN_IN_TEXT = frozenset("|\n\r")
"""They would break the list file that voice trainers read."""


SURROUNDINGS = 3.0
"""Seconds before and after a clip that are searched for noise to take out of it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A clip's sound."""

    wav: bytes
    """16-bit mono at the trainer's rate."""
    seconds: float
    measures: Measures


def make_clip(
    recording: Recording,
    start: float,
    end: float,
    *,
    text: str,
    speaker: str,
    settings: VoiceDatasetSettings,
    store: Store,
    utterance_id: str | None = None,
    effects: Sequence[Mapping[str, Any]] = (),
    who: str = "app",
) -> Clip:
    """Cut a line out of a recording and keep it as a clip; InvalidInputError when it cannot be one.

    `start` and `end` are seconds into the recording.
    """
    checked_stretch(recording, start, end, settings)
    words = checked_text(text)
    sound = rendered(recording, start, end, effects=effects, settings=settings, store=store)
    clip = Clip(
        id=new_id("clip"),
        recording_id=recording.id,
        start=round(start, 3),
        end=round(end, 3),
        text=words,
        speaker=speaker,
        sha256=store.files.put(sound.wav),
        created_at=now(),
        effects=tuple(effects),
        utterance_id=utterance_id,
        text_origin=TextOrigin.HAND if words else TextOrigin.NONE,
        # Who cuts by hand and writes what is said has heard it.
        status=ReviewStatus.ACCEPTED if words else ReviewStatus.PENDING,
        seconds=sound.seconds,
        measures=sound.measures,
    )
    store.clips.add([clip], who=who)
    return clip


def rendered(
    recording: Recording,
    start: float,
    end: float,
    *,
    effects: Sequence[Mapping[str, Any]],
    settings: VoiceDatasetSettings,
    store: Store,
) -> Rendered:
    """Return the stretch as a wav and what is measured on it; InvalidInputError for effects that cannot be.

    The effects work at the recording's own rate, then it is resampled. Only the stretch is read, and the noise around
    it, or where a step names it.
    """
    rate, path = recording.sample_rate, store.files.path(recording.sound)

    def read(since: float, until: float) -> Samples:
        first = max(round(since * rate), 0)
        return stretch_of(path, recording.name, first, max(round(until * rate) - first, 0))

    cut = read(start, end)
    if effects:
        around = read(start - SURROUNDINGS, end + SURROUNDINGS) if listens(effects) else cut
        cut = with_effects(cut, rate, effects, noise_of=read, around=around)
    sound = resampled(cut, rate, settings.sample_rate)
    return Rendered(
        wav_of(sound, settings.sample_rate),
        len(sound) / settings.sample_rate,
        measures_of(sound, settings.sample_rate),
    )


def kept(sound: Rendered, *, store: Store) -> dict[str, Any]:
    """Put a clip's sound into the content store; return what a run remembers of it, as plain values."""
    return {"sha256": store.files.put(sound.wav), "seconds": sound.seconds, "measures": asdict(sound.measures)}


def checked_text(text: str) -> str:
    """Return the text without the space around it; InvalidInputError for signs a list file cannot hold."""
    if FORBIDDEN_IN_TEXT & set(words := text.strip()):
        raise InvalidInputError(
            N_("The text of a clip cannot hold | or line breaks."), remedy=N_("Write it as one line without |.")
        )
    return words


def checked_stretch(recording: Recording, start: float, end: float, settings: VoiceDatasetSettings) -> None:
    """Raise InvalidInputError unless the stretch lies in the recording and is neither too short nor too long."""
    # A frame of tolerance: a box drawn to the very end is rounded on its way.
    if not 0 <= start < end <= recording.seconds + 1 / recording.sample_rate:
        raise InvalidInputError(
            N_("From {start:.2f} to {end:.2f} s is not within {name} ({seconds:.2f} s)."),
            remedy=N_("Mark a stretch of the waveform again."),
            start=start,
            end=end,
            name=recording.name,
            seconds=recording.seconds,
        )
    if not settings.shortest_clip <= end - start <= settings.longest_clip:
        raise InvalidInputError(
            N_("A clip of {seconds:.2f} s is too short or too long."),
            remedy=N_("Mark between {shortest:g} and {longest:g} s."),
            seconds=end - start,
            shortest=settings.shortest_clip,
            longest=settings.longest_clip,
        )
