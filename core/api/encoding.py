"""Sounds, one after the other, as one stream of bytes: a wav without an end, bare samples, mp3."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from core.domain.sounds import MP3_RATES, frames_at
from core.domain.voice import Sound

PCM_RATE: Final = 24_000
"""What clients take bare samples for, because OpenAI sends them so."""
_MP3_BITS: Final = 64_000
_UNTOLD: Final = 0xFFFFFFFF
"""What stands for a length in a head that is written before the sound."""

Samples = npt.NDArray[np.int16]


class Encoder(Protocol):
    """Turns sounds into bytes of one stream."""

    def feed(self, sound: Sound) -> bytes:
        """Return the bytes that are certain by now."""
        ...

    def flush(self) -> bytes:
        """Return what is left, the sound being over."""
        ...


class Pcm:
    """Bare samples: 16-bit little-endian, one channel, 24 kHz."""

    def feed(self, sound: Sound) -> bytes:
        """Return its samples."""
        return frames_at(sound.wav, PCM_RATE).tobytes()

    def flush(self) -> bytes:
        """Nothing is held back."""
        return b""


class Wav:
    """One channel at the rate of the first sound; the head says that the length is not known."""

    def __init__(self) -> None:
        self._rate = 0

    def feed(self, sound: Sound) -> bytes:
        """Return its samples, after the head if it is the first."""
        head = b"" if self._rate else _head(sound.sample_rate)
        self._rate = self._rate or sound.sample_rate
        return head + frames_at(sound.wav, self._rate).tobytes()

    def flush(self) -> bytes:
        """Nothing is held back."""
        return b""


class Mp3:
    """Frames of LAME, one channel at the rate of the first sound where MP3 knows it."""

    def __init__(self) -> None:
        self._codec: Any = None
        self._waiting: Samples = np.zeros(0, np.int16)

    def feed(self, sound: Sound) -> bytes:
        """Return the frames that are full; the rest waits for the next sound."""
        if self._codec is None:
            self._codec = _lame(sound.sample_rate)
        self._waiting = np.concatenate([self._waiting, frames_at(sound.wav, self._codec.sample_rate)])
        return b"".join(self._frames(self._codec.frame_size))

    def flush(self) -> bytes:
        """Return the last frames, filled up with silence."""
        if self._codec is None:
            return b""
        missing = -len(self._waiting) % self._codec.frame_size
        self._waiting = np.concatenate([self._waiting, np.zeros(missing, np.int16)])
        return b"".join([*self._frames(self._codec.frame_size), *(bytes(one) for one in self._codec.encode(None))])

    def _frames(self, size: int) -> Iterator[bytes]:
        import av

        while len(self._waiting) >= size:
            block, self._waiting = self._waiting[:size], self._waiting[size:]
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16p", layout="mono")
            frame.sample_rate = self._codec.sample_rate
            yield from (bytes(packet) for packet in self._codec.encode(frame))


ENCODERS: Final[Mapping[str, tuple[Callable[[], Encoder], str]]] = {
    "mp3": (Mp3, "audio/mpeg"),
    "wav": (Wav, "audio/wav"),
    "pcm": (Pcm, "audio/pcm"),
}
"""Name in a request -> encoder and media type."""


def _lame(rate: int) -> Any:
    import av  # loads FFmpeg

    codec = av.CodecContext.create("libmp3lame", "w")
    codec.sample_rate = rate if rate in MP3_RATES else PCM_RATE
    codec.layout, codec.format, codec.bit_rate = "mono", "s16p", _MP3_BITS
    codec.open()
    return codec


def _head(rate: int) -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    sized = b"fmt " + struct.pack("<I", len(form)) + form
    return b"RIFF" + struct.pack("<I", _UNTOLD) + b"WAVE" + sized + b"data" + struct.pack("<I", _UNTOLD)
