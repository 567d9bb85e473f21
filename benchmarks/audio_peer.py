"""The slicer of GPT-SoVITS as its published parameters describe it, in our own words.

python benchmarks/audio_peer.py SOUND OUT

Threshold -34 dB, minimum length 4000 ms, minimum interval 300 ms, hop 10 ms, at most 500 ms of silence kept; decoded to
32 kHz by FFmpeg, every piece turned towards full scale (0.9, mixed 0.25) and written as 16-bit wav. No maximum length.
"""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from scipy.io import wavfile  # type: ignore[import-untyped]  # ships no types

RATE = 32_000
THRESHOLD_DB, MIN_LENGTH, MIN_INTERVAL, HOP, MOST_SILENCE = -34.0, 4_000, 300, 10, 500
LOUDEST, ALPHA = 0.9, 0.25

Samples = npt.NDArray[np.float32]


def main() -> None:
    """Cut the file."""
    sound, out = Path(sys.argv[1]), Path(sys.argv[2])
    print(len(files_of(sound, out)))


def files_of(sound: Path, out: Path) -> list[Path]:
    """Decode, slice and write; return the files."""
    samples = decoded(sound)
    written = []
    for first, last in slices(samples, RATE):
        piece = samples[first:last]
        loudest = float(np.abs(piece).max())
        if loudest > 1:
            piece = piece / loudest
        piece = piece / max(loudest, 1e-9) * (LOUDEST * ALPHA) + (1 - ALPHA) * piece
        written.append(out / f"{sound.name}_{first:010}_{last:010}.wav")
        wavfile.write(written[-1], RATE, (piece * 32_767).astype(np.int16))
    return written


def decoded(sound: Path) -> Samples:
    """Return the whole file as 32 kHz floats of one channel."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    parts = []
    with av.open(str(sound)) as container:
        for frame in container.decode(audio=0):
            parts += [one.to_ndarray()[0] for one in resampler.resample(frame)]
        parts += [one.to_ndarray()[0] for one in resampler.resample(None)]
    return np.concatenate(parts)


def slices(samples: Samples, rate: int) -> list[tuple[int, int]]:
    """Return from and to of every piece, in samples: the loop over hops that the published algorithm is."""
    hop = round(rate * HOP / 1000)
    interval, window = rate * MIN_INTERVAL / 1000, min(round(rate * MIN_INTERVAL / 1000), 4 * hop)
    least, most = round(rate * MIN_LENGTH / 1000 / hop), round(rate * MOST_SILENCE / 1000 / hop)
    pauses = _pauses(_loudness(samples, window, hop), least, round(interval / hop), most)
    hops = -(-len(samples) // hop)
    edges = [0, *(edge for pause in pauses for edge in pause), hops]
    pairs = zip(edges[0::2], edges[1::2], strict=True)
    return [(first * hop, min(last * hop, len(samples))) for first, last in pairs if last > first]


def _pauses(loudness: Samples, least: int, interval: int, most: int) -> list[tuple[int, int]]:
    """Return what is cut out, from hop to hop."""
    quiet = 10 ** (THRESHOLD_DB / 20)
    pauses: list[tuple[int, int]] = []
    silent_since: int | None = None
    piece_since = 0
    for hop, loud in enumerate(loudness):
        if loud < quiet:
            silent_since = hop if silent_since is None else silent_since
            continue
        if silent_since is None:
            continue
        leading = silent_since == 0 and hop > most
        if leading or (hop - silent_since >= interval and hop - piece_since >= least):
            pause = _cut(loudness, silent_since, hop, most)
            pauses.append((0, pause[1]) if silent_since == 0 else pause)
            piece_since = pause[1]
        silent_since = None
    if silent_since is not None and len(loudness) - silent_since >= interval:
        at = silent_since + int(loudness[silent_since : silent_since + most + 1].argmin())
        pauses.append((at, len(loudness)))
    return pauses


def _cut(loudness: Samples, start: int, end: int, most: int) -> tuple[int, int]:
    """Return the quietest place of a short pause, or the two that bound what is too long of a long one."""
    if end - start <= most:
        at = start + int(loudness[start : end + 1].argmin())
        return at, at
    return start + int(loudness[start : start + most + 1].argmin()), end - most + int(
        loudness[end - most : end + 1].argmin()
    )


def _loudness(samples: Samples, window: int, hop: int) -> Samples:
    padded = np.pad(samples, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    loudness: Samples = np.sqrt(np.mean(np.square(np.abs(frames)), axis=1))
    return loudness


if __name__ == "__main__":
    main()
