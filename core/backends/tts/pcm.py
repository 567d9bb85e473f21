"""Sound as servers send it: a wav whose head may not know its length yet, then samples."""

from __future__ import annotations

import io
import struct
import wave
from dataclasses import dataclass, field

from core.domain.voice import Sound

WIDTH = 2
"""Bytes of a sample; everything here is 16-bit and one channel."""
_UNTOLD = (0, 0xFFFFFFFF)
"""Lengths that stand in a head which was written before the sound."""


class NotWavError(ValueError):
    """What came is no wav of 16-bit samples and one channel."""


@dataclass
class WavReader:
    """Takes a wav in pieces and gives its samples, whole ones only."""

    rate: int = 0
    """Samples a second; 0 until the head has come."""
    loud: bool = False
    """Whether any sample so far was not zero."""
    _promised: int | None = None
    """Bytes of samples still to come; None where the head did not know."""
    _rest: bytes = field(default=b"", repr=False)

    def feed(self, piece: bytes) -> bytes:
        """Return the samples that are whole by now; NotWavError where it cannot be a wav."""
        self._rest += piece
        if not self.rate and not self._read_head():
            return b""
        self._rest = self._rest[: self._promised]  # what follows the samples is no sound
        whole = len(self._rest) // WIDTH * WIDTH
        samples, self._rest = self._rest[:whole], self._rest[whole:]
        if self._promised is not None:
            self._promised -= len(samples)
        self.loud = self.loud or any(samples)
        return samples

    @property
    def whole(self) -> bool:
        """Whether it ended after a head, at the end of a sample and not before it had promised to."""
        return bool(self.rate) and not self._rest and not self._promised

    def _read_head(self) -> bool:
        """Drop the head once all of it is there."""
        if not b"RIFF".startswith(self._rest[:4]) or self._rest[8:12] not in (b"WAVE"[: len(self._rest[8:12])], b""):
            raise NotWavError(self._rest[:16])
        place, form = 12, b""
        while len(self._rest) >= place + 8:
            name, size = self._rest[place : place + 4], struct.unpack_from("<I", self._rest, place + 4)[0]
            if name == b"data":
                self.rate, self._rest = _rate(form), self._rest[place + 8 :]
                self._promised = None if size in _UNTOLD else size
                return True
            form = self._rest[place + 8 : place + 8 + size] if name == b"fmt " else form
            place += 8 + size + size % 2
        return False


def sound_of(samples: bytes, rate: int) -> Sound:
    """Return samples as a sound."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(WIDTH)
        out.setframerate(rate)
        out.writeframes(samples)
    return Sound(wav=file.getvalue(), sample_rate=rate, seconds=len(samples) / WIDTH / rate)


def _rate(form: bytes) -> int:
    if len(form) < 16:
        raise NotWavError(form)
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if (channels, bits) != (1, 8 * WIDTH) or kind not in (1, 0xFFFE) or not rate:
        raise NotWavError(form)
    return int(rate)
