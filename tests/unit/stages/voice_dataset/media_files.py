"""Sound and video files for tests, encoded on the spot by FFmpeg."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream

from core.stages.voice_dataset.sound.sound_file import Samples


def encoded(
    samples: Samples, rate: int, kind: str, codec: str, *, late: float = 0, gap: tuple[float, float] | None = None
) -> bytes:
    """Return mono samples in that container and codec; `late` seconds after time 0, with no packets in the gap."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        shift = round(late * rate)
        for start in range(0, len(samples), 960):
            seconds = start / rate
            if gap and gap[0] <= seconds < gap[1]:
                continue
            piece = samples[start : start + 960]
            frame = av.AudioFrame.from_ndarray(
                np.rint(piece * 32_767).astype(np.int16)[None], format="s16", layout="mono"
            )
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), start + shift
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def film(samples: Samples | None, rate: int, kind: str = "mp4", *, late: float = 0) -> bytes:
    """Return a small video of two seconds, with that sound or without any."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
        sound = container.add_stream("aac", rate=rate, layout="mono") if samples is not None else None
        for number in range(20):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), number, np.uint8), format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 10)
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
        if sound is not None and samples is not None:
            frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), round(late * rate)
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return file.getvalue()
