"""Sounds as whole wavs: read, put together, taken as numbers. Pure."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from core.domain.voice import Sound
from core.errors import InvalidInputError
from core.translation import N_

Samples = npt.NDArray[np.float32]
"""Frames, or frames by channels, -1 to 1."""


MP3_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Sample rates that MP3 knows."""


def samples_of(wav: bytes) -> tuple[Samples, int]:
    """Return a 16-bit wav's frames as one channel, the mean of all, and its sample rate."""
    with wave.open(io.BytesIO(wav)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)
        channels, rate = file.getnchannels(), file.getframerate()
    return (frames if channels == 1 else frames.reshape(-1, channels).mean(axis=1, dtype=np.float32)), rate


def sound_of(wav: bytes) -> Sound:
    """Return a 16-bit wav as a sound."""
    with wave.open(io.BytesIO(wav)) as file:
        return Sound(wav=wav, sample_rate=file.getframerate(), seconds=file.getnframes() / file.getframerate())


def seconds_of(wav: bytes) -> float:
    """Return how long a wav is; 0 for what is none, or one without a frame, as a recorder gives that heard nothing."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            return float(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError):
        return 0.0


def frames_at(wav: bytes, rate: int) -> npt.NDArray[np.int16]:
    """Return a 16-bit wav's frames as one channel at that rate."""
    samples, own = samples_of(wav)
    if own != rate:
        import soxr  # type: ignore[import-untyped]  # ships no types

        samples = soxr.resample(samples, own, rate)
    frames: npt.NDArray[np.int16] = np.clip(np.rint(samples * np.float32(32768)), -32768, 32767).astype(np.int16)
    return frames


def resampled(sound: Sound, rate: int) -> Sound:
    """Return a 16-bit sound as one channel at that rate; itself where it has the rate already."""
    if sound.sample_rate == rate:
        return sound
    whole = io.BytesIO()
    with wave.open(whole, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(frames_at(sound.wav, rate).astype("<i2").tobytes())
    return sound_of(whole.getvalue())


def joined(sounds: Sequence[Sound]) -> Sound:
    """Return sounds of one rate and channel count as one; InvalidInputError when they differ or there are none."""
    shape, frames = None, []
    for sound in sounds:
        with wave.open(io.BytesIO(sound.wav)) as file:
            own = file.getnchannels(), file.getsampwidth(), file.getframerate()
            if shape not in (None, own):
                raise InvalidInputError(
                    N_("These sounds differ in their sample rate."), remedy=N_("Play them one after the other.")
                )
            shape = own
            frames.append(file.readframes(file.getnframes()))
    if shape is None:
        raise InvalidInputError(N_("There is no sound to join."), remedy=N_("Speak something first."))
    whole = io.BytesIO()
    with wave.open(whole, "wb") as file:
        file.setnchannels(shape[0])
        file.setsampwidth(shape[1])
        file.setframerate(shape[2])
        file.writeframes(b"".join(frames))
    return sound_of(whole.getvalue())
