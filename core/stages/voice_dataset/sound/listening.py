"""A stretch of a recording to be listened to, as it was recorded."""

from __future__ import annotations

from core.domain.voice import Recording
from core.stages.voice_dataset.sound.sound_file import stretch_of, wav_of
from core.store import Store


def as_recorded(recording: Recording, start: float, end: float, *, store: Store) -> bytes:
    """Return the seconds from `start` to `end` as a 16-bit mono wav at the recording's own rate."""
    rate = recording.sample_rate
    first = max(round(start * rate), 0)
    frames = max(round(end * rate) - first, 0)
    return wav_of(stretch_of(store.files.path(recording.sound), recording.name, first, frames), rate)
