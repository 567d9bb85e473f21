"""Decodes a file once, in a process of its own: its sound as one channel, its waveform and where somebody speaks.

python -m core.stages.voice_dataset.sound.decoding FILE OUT --name N --max-minutes M --seconds S --memory B

OUT is a folder. The sound is kept as WAV: any stretch of it is a seek and a read, and writing it costs a tenth of what
FLAC costs. A file of one channel that libsndfile reads to the sample is its own sound and is not copied.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from core.domain.run import Command
from core.errors import InvalidInputError
from core.jobs.bounds import limit_this_process
from core.stages.voice_dataset.sound.activity import Listener
from core.stages.voice_dataset.sound.media import Media, opened
from core.stages.voice_dataset.sound.pyramid import Painter
from core.stages.voice_dataset.sound.sound_file import Samples, in_16_bits, unreadable
from core.translation import N_

SOUND, WAVEFORM, ACTIVITY, ANSWER = "sound.wav", "waveform.npy", "activity.npy", "answer.json"
"""What lies in the folder afterwards; no sound where the file is its own."""

MEMORY = 3_000_000_000
"""Bytes of address space; what is really used for two hours is a tenth."""
_MODULE = "core.stages.voice_dataset.sound.decoding"
_STEP = "decoded share"
_PROJECT = Path(__file__).resolve().parents[4]
_SHORTEST = 0.01
_MOST_OF_WAV = 4_000_000_000
_WHOLE = frozenset(("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"))
_SUBTYPES = {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}

Tick = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a file's sound turned out to be."""

    container: str
    frames: int
    sample_rate: int
    channels: int
    """Of the file."""
    truncated: bool
    """Part of the sound is missing: the file was cut off, or is damaged in the middle."""
    copied: bool
    """Whether the sound lies in the folder; the file is its own sound otherwise."""

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.frames / self.sample_rate


def decode(
    path: Path, out: Path, *, name: str, max_minutes: float, stream: int = 0, tick: Tick = lambda _share: None
) -> Decoded:
    """Decode in this process and fill the folder; InvalidInputError for what cannot be a recording.

    Position 0 of the sound is time 0 of the file's clock, so that subtitles fit; what the clock leaves out is silence.
    What is cut off or damaged in the middle is kept as far as it decodes, and said to be `truncated`.
    """
    out.mkdir(parents=True, exist_ok=True)
    whole = _whole(path) if stream == 0 else None
    found = _pass(path, out, name, max_minutes, stream, tick, copy=whole is None)
    if whole is not None and (found.truncated or (found.frames, found.sample_rate) != whole):  # it only looked whole
        found = _pass(path, out, name, max_minutes, stream, tick, copy=True)
    return found


def command(path: Path, out: Path, *, name: str, max_minutes: float, stream: int = 0) -> Command:
    """Return the program that does it in a process of its own."""
    options = {
        "name": name,
        "max-minutes": max_minutes,
        "stream": stream,
        "seconds": round(60 + 10 * max_minutes),
        "memory": MEMORY,
    }
    spelled = (f"--{option}={value}" for option, value in options.items())
    # A pool of threads reserves address space for each, and one is as fast here.
    single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return Command((sys.executable, "-m", _MODULE, str(path), str(out), *spelled), _PROJECT, single)


def answer_in(out: Path) -> Decoded:
    """Return what that process found; InvalidInputError with its reason where it refused the file."""
    answer: dict[str, Any] = json.loads((out / ANSWER).read_text(encoding="utf-8"))
    if refused := answer.get("refused"):
        raise InvalidInputError(refused["message"], remedy=refused["remedy"], **refused["values"])
    return Decoded(**answer)


def share_of(line: str) -> float | None:
    """Return how much of the file is decoded, by a line that process printed; None for any other line."""
    return float(line.removeprefix(_STEP)) if line.startswith(_STEP) else None


def main() -> None:
    """Decode the file under the limits and write what was found, or why it was refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--max-minutes", type=float, required=True)
    for option in ("stream", "seconds", "memory"):
        parser.add_argument(f"--{option}", type=int, required=True)
    asked = parser.parse_args()

    limit_this_process(cpu_seconds=asked.seconds, memory=asked.memory)
    draft = asked.out / f"{ANSWER}.draft"
    asked.out.mkdir(parents=True, exist_ok=True)
    draft.write_text(json.dumps(_answer(asked), ensure_ascii=False), encoding="utf-8")
    draft.replace(asked.out / ANSWER)


def _answer(asked: argparse.Namespace) -> Mapping[str, Any]:
    said = 0.0

    def tell(share: float) -> None:
        nonlocal said
        if share >= said:
            sys.stdout.write(f"{_STEP} {share:.2f}\n")
            sys.stdout.flush()
            said = share + 0.02

    try:
        limits = {"max_minutes": asked.max_minutes, "stream": asked.stream}
        return asdict(decode(asked.file, asked.out, name=asked.name, tick=tell, **limits))
    except InvalidInputError as refusal:
        return {"refused": {"message": refusal.message, "remedy": refusal.remedy, "values": refusal.values}}


def _pass(path: Path, out: Path, name: str, max_minutes: float, stream: int, tick: Tick, *, copy: bool) -> Decoded:
    """Go through the sound once."""
    with closing(opened(path, name, stream=stream)) as media:
        most = int(max_minutes * 60 * media.sample_rate)
        painter, listener = Painter(), Listener(media.sample_rate)
        frames = 0
        with _Sound(out / SOUND if copy else None, media, most) as sound:
            for piece in media.pieces():
                frames += len(piece)
                if frames > most:
                    raise _too_long(name, max_minutes)
                sound.write(piece)
                painter.add(piece)
                listener.add(piece)
                tick(media.share)
    _refuse_nothing(media, frames)
    painter.save(out / WAVEFORM)
    listener.profile().save(out / ACTIVITY)
    return Decoded(media.container, frames, media.sample_rate, media.channels, _truncated(media, frames, path), copy)


class _Sound:
    """The file that the sound is written to, or none."""

    def __init__(self, path: Path | None, media: Media, most: int) -> None:
        self._bits = media.bits
        self._file = None
        if path is not None:
            large = most * self._bits // 8 > _MOST_OF_WAV
            self._file = soundfile.SoundFile(
                path, "w", media.sample_rate, 1, _SUBTYPES[media.bits], format="RF64" if large else "WAV"
            )

    def write(self, samples: Samples) -> None:
        if self._file is None:
            return
        if self._bits == 16:
            self._file.write(in_16_bits(samples))
        elif self._bits == 24:
            scaled = np.clip(np.rint(samples.astype(np.float64) * (1 << 23)), -(1 << 23), (1 << 23) - 1)
            self._file.write(scaled.astype(np.int32) << 8)  # libsndfile keeps the upper three bytes
        else:
            self._file.write(samples)

    def __enter__(self) -> _Sound:
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._file is not None:
            self._file.close()


def _whole(path: Path) -> tuple[int, int] | None:
    """Return frames and rate of a file that is its own sound: one channel, read by libsndfile to the sample."""
    try:
        header = soundfile.info(path)
    except soundfile.LibsndfileError:
        return None
    exact = header.format in ("WAV", "WAVEX", "RF64", "FLAC") and header.subtype in _WHOLE
    return (int(header.frames), int(header.samplerate)) if exact and header.channels == 1 else None


def _truncated(media: Media, frames: int, path: Path) -> bool:
    if media.damaged:
        return True
    if media.container == "ogg":
        return _without_end(path)
    return media.claimed is not None and frames / media.sample_rate < media.claimed - max(0.1, 0.001 * media.claimed)


def _without_end(path: Path) -> bool:
    """Whether the last page of an Ogg file is not marked as the last."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - (1 << 17), 0))
        _before, mark, last = file.read().rpartition(b"OggS")
    return not mark or len(last) < 2 or not last[1] & 4


def _refuse_nothing(media: Media, frames: int) -> None:
    # Lossy decoders make noise of anything; what fails more often than not was never this sound.
    if media.damaged > 8 and media.damaged * 1_000 > media.sound:
        raise unreadable(media.name)
    if media.sound < max(_SHORTEST * media.sample_rate, 1) or frames == 0:
        if media.damaged:
            raise unreadable(media.name)
        raise InvalidInputError(
            N_("{name} holds no sound: its length is zero."),
            remedy=N_("Record it again; the first take may have been empty."),
            name=media.name,
        )


def _too_long(name: str, minutes: float) -> InvalidInputError:
    return InvalidInputError(
        N_("{name} is longer than {minutes:g} minutes."),
        remedy=N_("Cut it into parts first."),
        name=name,
        minutes=minutes,
    )


if __name__ == "__main__":
    main()
