"""Reads sound files in blocks; what they are is decided by their content, never by their name."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile
import soxr  # type: ignore[import-untyped]  # ships no types

from core.domain import sounds
from core.errors import InvalidInputError
from core.translation import N_

Samples = sounds.Samples

BLOCK = 1 << 18
"""Frames read at once; two hours never lie in memory."""
MOST_CHANNELS = 8
HEAD = 64
"""Bytes that tell what a file is."""

_RIFF = frozenset((b"RIFF", b"RF64"))
_BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"))
"""What an MP4 or QuickTime file may begin with."""
_MARKS = {b"fLaC": "flac", b"OggS": "ogg", b"\x1a\x45\xdf\xa3": "mkv"}


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
    """Return wav, aiff, flac, ogg, mp3, aac, m4a, mp4 or mkv by a file's first bytes; None for anything else."""
    if head[:4] in _RIFF and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] in _BOXES:
        return "m4a" if head[8:11] == b"M4A" else "mp4"
    return _MARKS.get(head[:4]) or _frames_of_mpeg(head)


def _frames_of_mpeg(head: bytes) -> str | None:
    if head[:3] == b"ID3":
        return "mp3"
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"


def blocks(file: Path | BinaryIO, name: str, *, start: int = 0, frames: int = -1) -> Iterator[Samples]:
    """Yield the frames from `start`, all or so many, by channels; InvalidInputError when they cannot be decoded."""
    with _opened(file, name) as sound:
        try:
            sound.seek(min(start, sound.frames))
            left = sound.frames - start if frames < 0 else frames
            while left > 0:
                block: Samples = sound.read(min(BLOCK, left), dtype="float32", always_2d=True)
                if not len(block):
                    return
                left -= len(block)
                yield np.nan_to_num(block, copy=False, nan=0, posinf=1, neginf=-1)  # floats may hold anything
        except soundfile.LibsndfileError:
            raise unreadable(name) from None


def stretch_of(path: Path, name: str, first: int, frames: int) -> Samples:
    """Return so many frames from `first` on as one channel, fewer where the file ends before."""
    found = [mono(block) for block in blocks(path, name, start=first, frames=frames)]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def shape_of(file: Path | BinaryIO, name: str) -> Shape:
    """Return what the file's header says; InvalidInputError when it is no sound."""
    with _opened(file, name) as sound:
        return Shape(sound.frames, sound.samplerate, sound.channels)


def mono(samples: Samples) -> Samples:
    """Return the mean of all channels."""
    if samples.shape[1] == 1:
        return samples[:, 0]
    mixed: Samples = samples.mean(axis=1, dtype=np.float32)
    return mixed


def in_16_bits(samples: Samples) -> npt.NDArray[np.int16]:
    """Return samples as 16-bit numbers: what came from 16 bits comes back the same; past full scale is cut off."""
    # libsndfile scales by 32767 on the way out and by 32768 on the way in, which loses a step above half scale.
    whole: npt.NDArray[np.int16] = np.clip(np.rint(samples * np.float32(32768)), -32768, 32767).astype(np.int16)
    return whole


def resampled(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Return the samples at another rate, band-limited."""
    if from_rate == to_rate or not len(samples):
        return samples
    return np.asarray(soxr.resample(samples, from_rate, to_rate), dtype=np.float32)


def wav_of(samples: Samples, sample_rate: int) -> bytes:
    """Return mono samples as a 16-bit wav; what is louder than full scale is turned down, not clipped."""
    loudest = float(np.abs(samples).max(initial=0))
    fitting = samples / np.float32(loudest) if loudest > 1 else samples
    file = io.BytesIO()
    soundfile.write(file, in_16_bits(fitting), sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def too_many_channels(name: str, channels: int) -> InvalidInputError:
    """Return the refusal of a sound with more channels than are mixed down."""
    return InvalidInputError(
        N_("{name} has {channels} channels."),
        remedy=N_("Mix it down to at most {most}, then import it."),
        name=name,
        channels=channels,
        most=MOST_CHANNELS,
    )


def unreadable(name: str) -> InvalidInputError:
    """Return the refusal of what no decoder understands."""
    return InvalidInputError(
        N_("{name} cannot be read as sound; it may be damaged or cut off."),
        remedy=N_("Open it in an audio editor, save it as WAV or FLAC, and import that."),
        name=name,
    )


def _opened(file: Path | BinaryIO, name: str) -> soundfile.SoundFile:
    try:
        sound = soundfile.SoundFile(file)
    except soundfile.LibsndfileError:
        raise unreadable(name) from None
    if sound.channels > MOST_CHANNELS:
        sound.close()
        raise too_many_channels(name, sound.channels)
    return sound
