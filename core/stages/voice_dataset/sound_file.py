"""Reads sound files in blocks; what they are is decided by their content, never by their name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from core.errors import InvalidInputError
from core.translation import N_

Samples = npt.NDArray[np.float32]
"""Frames by channels, -1 to 1."""

BLOCK = 1 << 18
"""Frames read at once; two hours never lie in memory."""
MOST_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """How long and how fine a sound is."""

    frames: int
    sample_rate: int
    channels: int

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.frames / self.sample_rate


def format_of(head: bytes) -> str | None:
    """Return wav, flac, ogg or mp3 by a file's first bytes; None for anything else."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] in (b"fLaC", b"OggS"):
        return {b"fLaC": "flac", b"OggS": "ogg"}[head[:4]]
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return "mp3"
    return None


def blocks(file: Path | BinaryIO, name: str, *, start: int = 0, frames: int = -1) -> Iterator[Samples]:
    """Yield the frames from `start`, all or so many; InvalidInputError when they cannot be decoded."""
    with _opened(file, name) as sound:
        try:
            sound.seek(start)
            left = sound.frames - start if frames < 0 else frames
            while left > 0:
                block: Samples = sound.read(min(BLOCK, left), dtype="float32", always_2d=True)
                if not len(block):
                    return
                left -= len(block)
                yield np.nan_to_num(block, copy=False, nan=0, posinf=1, neginf=-1)  # floats may hold anything
        except soundfile.LibsndfileError:
            raise _unreadable(name) from None


def shape_of(file: Path | BinaryIO, name: str) -> Shape:
    """Return what the file's header says; InvalidInputError when it is no sound."""
    with _opened(file, name) as sound:
        return Shape(sound.frames, sound.samplerate, sound.channels)


def mono(samples: Samples) -> Samples:
    """Return the mean of all channels."""
    mixed: Samples = samples.mean(axis=1, dtype=np.float32)
    return mixed


def _opened(file: Path | BinaryIO, name: str) -> soundfile.SoundFile:
    try:
        sound = soundfile.SoundFile(file)
    except soundfile.LibsndfileError:
        raise _unreadable(name) from None
    if sound.channels > MOST_CHANNELS:
        sound.close()
        raise InvalidInputError(
            N_("{name} has {channels} channels."),
            remedy=N_("Mix it down to at most {most}, then import it."),
            name=name,
            channels=sound.channels,
            most=MOST_CHANNELS,
        )
    return sound


def _unreadable(name: str) -> InvalidInputError:
    return InvalidInputError(
        N_("{name} cannot be read as sound; it may be damaged or cut off."),
        remedy=N_("Open it in an audio editor, save it as WAV or FLAC, and import that."),
        name=name,
    )
