"""Sound files for tests, made on the spot."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from core.domain.voice import Recording
from core.stages.voice_dataset.recordings import import_recording
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.sound_file import Samples
from core.store import Store

SETTINGS = VoiceDatasetSettings()


def tones(*stretches: tuple[float, float], rate: int = 16_000, seconds: float = 3, noise: float = 0) -> Samples:
    """Return silence (or noise so loud) with a chord sounding from second to second of each stretch."""
    time = np.arange(int(seconds * rate)) / rate
    chord = 0.2 * (np.sin(2 * np.pi * 220 * time) + np.sin(2 * np.pi * 660 * time))
    sounding = np.zeros_like(time)
    for start, end in stretches:
        sounding[(time >= start) & (time < end)] = 1
    hiss = noise * np.random.default_rng(0).standard_normal(len(time))
    return (chord * sounding + hiss).astype(np.float32)


def file_of(samples: Samples, rate: int = 16_000, *, kind: str = "WAV", subtype: str | None = None) -> bytes:
    """Return the samples as a sound file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def take_in(content: bytes, store: Store, *, name: str = "a.wav", megabytes: int = 10) -> Recording:
    """Import the file for the fixture's persona."""
    return import_recording(
        io.BytesIO(content), name, persona_id="a-qing", settings=SETTINGS, max_megabytes=megabytes, store=store
    )
