"""Opens a sound or video file with FFmpeg and hands out its sound as one channel, gap for gap where its clock has it.

Only the formats and codecs named here are opened, and only the file itself: a playlist, a list of parts or an address
inside a file leads nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInputError
from core.stages.voice_dataset.sound.sound_file import BLOCK, MOST_CHANNELS, Samples, too_many_channels, unreadable
from core.translation import N_

if TYPE_CHECKING:
    import av
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream

LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000

_FORMATS = "wav,w64,aiff,flac,mp3,aac,ogg,mov,matroska"
_LOSSY = ("mp3", "mp3float", "mp2", "mp2float", "aac", "vorbis", "opus", "ac3", "eac3", "adpcm_ms", "adpcm_ima_wav")
_EXACT = (
    "flac", "alac", "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be",
    "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw",
)  # fmt: skip
_OPTIONS = {
    "format_whitelist": _FORMATS,
    "codec_whitelist": ",".join((*_LOSSY, *_EXACT)),  # pictures are not even looked at
    "protocol_whitelist": "file",
    "max_size": "32768",  # of a packet of wav, where the default of 4 kB costs more than the sound
}
_CLOCKED = frozenset(("mov", "matroska"))
"""Formats in which a sound has a time beside a picture; in the others it begins at its first sample."""
_BROADCAST = 60
"""Seconds; a clock that starts later was going before the file began, and players begin at its first time."""
_JITTER = 0.04
"""Seconds a timestamp may be off: Matroska rounds to milliseconds, and recorders stamp when they get to it."""


@dataclass(slots=True)
class Media:
    """An opened file's sound; after `pieces` has ended, what it turned out to be."""

    name: str
    container: str
    """wav, flac, mp3, m4a, ogg, mp4, mkv …"""
    sample_rate: int
    channels: int
    bits: int
    """16, 24, or 32 for floats: what keeps every sample as it is, or as good as its lossy codec gave it."""
    claimed: float | None
    """Seconds the header promises, where it means them."""
    damaged: int = 0
    """Packets that did not decode."""
    sound: int = 0
    """Frames that did decode."""
    share: float = 0.0
    """How much of the file is read."""
    _open: tuple[av.container.InputContainer, AudioStream] | None = None
    _size: int = 1
    _written: int = 0
    _origin: float | None = None
    _shift: int = 0
    _pending: list[npt.NDArray[Any]] = field(default_factory=list)

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open[0].close()

    def pieces(self) -> Iterator[Samples]:
        """Yield the sound as one channel, in pieces of any length; gaps in its clock are silence."""
        waiting = 0
        for frame in self._frames():
            gap = self._gap(frame)
            if gap > 0:
                yield from self._flushed()
                yield from _silence(gap)
                waiting = 0
            raw = frame.to_ndarray()
            if not frame.format.is_planar:
                raw = raw.reshape(-1, frame.layout.nb_channels).T
            raw = raw[:, max(-gap, 0) :]
            fresh = raw.shape[1]
            if self._pending and (raw.dtype, len(raw)) != (self._pending[0].dtype, len(self._pending[0])):
                yield from self._flushed()
            self._pending.append(raw)
            self.sound += fresh
            self._written += fresh + max(gap, 0)
            waiting += fresh
            if waiting >= BLOCK:
                yield from self._flushed()
                waiting = 0
        yield from self._flushed()

    def _frames(self) -> Iterator[AudioFrame]:
        """Yield what decodes; a packet that does not is counted, and the end of what can be read is the end."""
        import av

        assert self._open is not None
        container, stream = self._open
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                self.damaged += 1
                return
            if packet is None:
                return
            if packet.pos:
                self.share = min(packet.pos / self._size, 1.0)
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self.damaged += 1

    def _gap(self, frame: AudioFrame) -> int:
        """Return how many frames of silence belong before this one; below zero, how many of its own are too many."""
        if frame.sample_rate != self.sample_rate or frame.layout.nb_channels > MOST_CHANNELS:
            raise InvalidInputError(
                N_("The sound of {name} changes its sample rate in the middle."),
                remedy=N_("Open it in an audio editor, save it as WAV or FLAC, and import that."),
                name=self.name,
            )
        if frame.pts is None or frame.time_base is None:
            return 0
        base = frame.time_base
        at = frame.pts * base.numerator / base.denominator  # a fraction's own arithmetic costs as much as decoding
        if self._origin is None:
            self._origin = at
        gap = round((at - self._origin) * self.sample_rate) - self._written + self._shift
        if self._written == 0 and -frame.samples < gap < 0:
            return gap
        if abs(gap) <= _JITTER * self.sample_rate:
            return 0
        if gap < 0:  # a clock that jumps back says nothing about where this belongs: it follows what was before
            self._shift -= gap
            return 0
        return gap

    def _flushed(self) -> Iterator[Samples]:
        """Yield what waits: many small frames at once, because each costs as much as its samples."""
        if self._pending:
            yield _mixed(np.concatenate(self._pending, axis=1))
            self._pending.clear()


def opened(path: Path, name: str, *, stream: int = 0) -> Media:
    """Open the file's sound stream of that number; InvalidInputError when there is none, or none that is taken."""
    import av  # here because it loads FFmpeg, which only the process that decodes needs

    av.logging.set_level(None)
    try:
        container = av.open(str(path), options=_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, ValueError):
        raise unreadable(name) from None
    try:
        return _media(container, path, name, stream)
    except av.FFmpegError:
        container.close()
        raise unreadable(name) from None
    except InvalidInputError:
        container.close()
        raise


def _media(container: av.container.InputContainer, path: Path, name: str, number: int) -> Media:
    if number >= len(container.streams.audio):
        raise InvalidInputError(
            N_("{name} holds no sound, or not as many sound tracks."),
            remedy=N_("Choose a file with sound in it; a video needs its sound track."),
            name=name,
        )
    from av.stream import Discard  # as above

    stream = container.streams.audio[number]
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    _refuse_foreign(stream, name)
    family = container.format.name.split(",")[0]
    if stream.codec_context.name == "flac":  # its frames carry checksums; without this, damage would be played
        stream.codec_context.options = {"err_detect": "crccheck+explode"}
    media = Media(
        name=name,
        container=_container(family, container, path),
        sample_rate=stream.sample_rate,
        channels=stream.channels,
        bits=_bits(stream),
        claimed=_claimed(family, container, stream, path),
        _open=(container, stream),
        _size=max(path.stat().st_size, 1),
    )
    start = (container.start_time or 0) / 1_000_000
    if family in _CLOCKED:
        media._origin = start if start > _BROADCAST else 0.0
    return media


def _refuse_foreign(stream: AudioStream, name: str) -> None:
    codec = stream.codec_context
    if codec is None or codec.name not in (*_LOSSY, *_EXACT):
        raise InvalidInputError(
            N_("The sound in {name} is coded in a way that is not read here: {codec}."),
            remedy=N_("Save it as WAV, FLAC, MP3, M4A or OGG, and import that."),
            name=name,
            codec=codec.name if codec is not None else "?",
        )
    if stream.channels > MOST_CHANNELS:
        raise too_many_channels(name, stream.channels)
    if not stream.sample_rate or not stream.channels:
        raise unreadable(name)
    if not LOWEST_RATE <= stream.sample_rate <= HIGHEST_RATE:
        raise InvalidInputError(
            N_("{name} has {rate} samples a second."),
            remedy=N_("Between {lowest} and {highest} are taken; resample it in an audio editor."),
            name=name,
            rate=stream.sample_rate,
            lowest=LOWEST_RATE,
            highest=HIGHEST_RATE,
        )


def _container(family: str, container: av.container.InputContainer, path: Path) -> str:
    if family == "mov":
        return "mp4" if container.streams.video else "m4a"
    if family == "matroska":
        with path.open("rb") as file:
            return "webm" if b"webm" in file.read(64) else "mkv"
    return family


def _bits(stream: AudioStream) -> int:
    codec, kind = stream.codec_context.name, stream.format.name.rstrip("p")
    if codec in _LOSSY or kind in ("u8", "s16"):
        return 16
    return 32 if kind in ("flt", "dbl") else 24


def _claimed(family: str, container: av.container.InputContainer, stream: AudioStream, path: Path) -> float | None:
    """Return the seconds the header promises; None where it only guesses, or where a writer never came back to it."""
    if family in ("ogg", "aac"):
        return None  # told by the last page, or by the size
    with path.open("rb") as file:
        head = file.read(1 << 20)
    if family == "mp3" and not any(mark in head for mark in (b"Xing", b"Info", b"VBRI")):
        return None
    if family == "wav":
        return _claimed_by_riff(head, stream, path)
    if stream.duration and stream.time_base and family != "matroska":
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else None


def _claimed_by_riff(head: bytes, stream: AudioStream, path: Path) -> float | None:
    """Return the seconds by the size in the header, as FFmpeg goes by that of the file."""
    size = int.from_bytes(head[4:8], "little") + 8
    if size >= 0x7FFF_0000 or not stream.duration or not stream.time_base:
        return None
    return float(stream.duration * stream.time_base) * size / max(path.stat().st_size, 1)


def _mixed(raw: npt.NDArray[Any]) -> Samples:
    """Return channels by frames of any kind of number as floats of one channel, the mean of all."""
    kind = raw.dtype
    if kind == np.uint8:
        raw = raw.astype(np.int16) - 128
    samples: Samples = raw[0].astype(np.float32) if len(raw) == 1 else raw.mean(axis=0, dtype=np.float32)
    if kind.kind in "iu":
        return samples / np.float32(1 << (8 * kind.itemsize - 1))
    return np.nan_to_num(samples, copy=False, nan=0, posinf=1, neginf=-1)


def _silence(frames: int) -> Iterator[Samples]:
    for at in range(0, frames, BLOCK):
        yield np.zeros(min(BLOCK, frames - at), np.float32)
