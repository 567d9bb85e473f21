"""Proposes where somebody speaks: librosa's split on silence, with its breaths closed and its edges padded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.domain.voice import Recording
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound_file import Samples, blocks, mono
from core.store import Store

BREATH = 0.35
"""Silences shorter than this, in seconds, lie within a sentence."""
LONGEST_LOOK = 120
"""Seconds looked at; longer stretches wait for slicing as a run."""
HOP_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Stretch:
    """From where to where somebody speaks, in seconds into the recording."""

    start: float
    end: float


def speech_in(
    recording: Recording, start: float, end: float, *, settings: VoiceDatasetSettings, store: Store
) -> list[Stretch]:
    """Return the stretches of speech between `start` and `end` (seconds), in order; none in silence.

    Looks at two minutes at most. The first call in a process waits some seconds for librosa.
    """
    end = min(end, start + LONGEST_LOOK, recording.seconds)
    rate = recording.sample_rate
    first, last = int(start * rate), int(end * rate)
    if last <= first:
        return []
    path = store.files.path(recording.sha256)
    whole = mono(np.concatenate(list(blocks(path, recording.name, start=first, frames=last - first))))
    found = split_on_silence(whole, rate, quiet_db=settings.quiet_db, padding=settings.padding)
    return [Stretch(round(start + one.start, 3), round(min(start + one.end, end), 3)) for one in found]


def split_on_silence(samples: Samples, sample_rate: int, *, quiet_db: float, padding: float) -> list[Stretch]:
    """Return what stands out of silence by `quiet_db` below the loudest; breaths do not split."""
    if not samples.size or not np.abs(samples).max():
        return []
    import librosa  # here because its first call compiles for seconds

    hop = max(int(sample_rate * HOP_SECONDS), 1)
    frames = librosa.effects.split(samples, top_db=quiet_db, frame_length=4 * hop, hop_length=hop)
    seconds = len(samples) / sample_rate
    joined: list[Stretch] = []
    for start, end in frames / sample_rate:
        if joined and start - joined[-1].end < BREATH:
            joined[-1] = Stretch(joined[-1].start, float(end))
        else:
            joined.append(Stretch(float(start), float(end)))
    return [Stretch(max(one.start - padding, 0.0), min(one.end + padding, seconds)) for one in joined]
