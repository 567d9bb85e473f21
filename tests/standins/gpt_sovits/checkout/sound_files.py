"""Stands for the checkout's reading of sound."""

from __future__ import annotations

import os
import wave
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from tools.i18n.i18n import I18nAuto  # type: ignore[import-not-found]  # lies there in the checkout

i18n = I18nAuto()


def clean_path(path: str) -> str:
    """Return the path without what people paste around it."""
    return path.strip(" '\n\"‪").rstrip("/")


def load_audio(file: str, sr: int) -> NDArray[np.float32]:
    """Return the sound, one channel at that rate."""
    import numpy as np

    file = clean_path(file)
    if not os.path.exists(file):
        raise RuntimeError("there is no such sound file")
    with wave.open(file) as sound:
        rate, channels = sound.getframerate(), sound.getnchannels()
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype=np.int16).astype(np.float32) / 32768
    samples = samples.reshape(-1, channels).mean(axis=1)
    places = np.arange(int(len(samples) * sr / rate)) * (rate / sr)
    resampled: NDArray[np.float32] = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return resampled
