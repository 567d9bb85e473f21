"""Cuts clips: a recipe (recording, from, to, effects) and its rendered file, 16-bit mono at the trainer's rate."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import soundfile
import soxr  # type: ignore[import-untyped]  # ships no types

from core.domain.identity import new_id, now
from core.domain.voice import Clip, Recording
from core.errors import InvalidInputError
from core.stages.voice_dataset.effects import with_effects
from core.stages.voice_dataset.levels import Levels, levels_of
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound_file import Samples, blocks, mono
from core.store import Store
from core.translation import N_

FORBIDDEN_IN_TEXT = frozenset("|\n\r")
"""They would break the list file that voice trainers read."""


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
    who: str = "app",
) -> Clip:
    """Cut a line out of a recording and keep it as a clip; InvalidInputError when it cannot be one.

    `start` and `end` are seconds into the recording.
    """
    checked_stretch(recording, start, end, settings)
    clip = Clip(
        id=new_id("clip"),
        recording_id=recording.id,
        start=round(start, 3),
        end=round(end, 3),
        text=checked_text(text),
        speaker=speaker,
        sha256=store.files.put(rendered(recording, start, end, effects=(), settings=settings, store=store)),
        created_at=now(),
        utterance_id=utterance_id,
    )
    store.voice.add_clip(clip, who=who)
    return clip


def rendered(
    recording: Recording,
    start: float,
    end: float,
    *,
    effects: Sequence[Mapping[str, Any]],
    settings: VoiceDatasetSettings,
    store: Store,
) -> bytes:
    """Return the stretch as a wav: mono, effects applied at the recording's own rate, then resampled."""
    first = round(start * recording.sample_rate)
    frames = round(end * recording.sample_rate) - first
    path = store.files.path(recording.sha256)
    cut = mono(np.concatenate(list(blocks(path, recording.name, start=first, frames=frames))))
    cut = with_effects(cut, recording.sample_rate, effects)
    return wav_of(resampled(cut, recording.sample_rate, settings.sample_rate), settings.sample_rate)


def resampled(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Return the samples at another rate, band-limited."""
    return samples if from_rate == to_rate else np.asarray(soxr.resample(samples, from_rate, to_rate), dtype=np.float32)


def wav_of(samples: Samples, sample_rate: int) -> bytes:
    """Return mono samples as a 16-bit wav; what is louder than full scale is turned down, not clipped."""
    loudest = float(np.abs(samples).max(initial=0))
    file = io.BytesIO()
    soundfile.write(file, samples / loudest if loudest > 1 else samples, sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def levels_of_clip(clip: Clip, *, store: Store) -> Levels:
    """Return how loud a rendered clip is."""
    return levels_of(mono(np.concatenate(list(blocks(store.files.path(clip.sha256), clip.id)))))


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
