"""Draws a take again when it is spoiled: voices that choose their words' sounds by chance stumble now and then."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.backends.tts import GoneError, Voice
from core.domain.takes import TakeFacts, TakeFault, faults
from core.domain.voice import Sound
from core.errors import ToolFailedError

_HEARD = 0.02
"""Samples below that share of full scale are silence around the words."""
_FULL = 0.999


@dataclass(frozen=True, slots=True)
class Take:
    """The best of what was drawn."""

    sound: Sound
    faults: Sequence[TakeFault]
    """What spoils it all the same; empty for a good one."""
    draws: int
    """How often it was drawn."""


def drawn(voice: Voice, text: str, *, most: int, language: str = "zh", speed: float = 1.0) -> Take:
    """Return the first take without faults, or the one with the fewest after `most` further draws.

    Raises what the voice raises when no draw brought a sound; a server that is gone is not asked again here.
    """
    best: Take | None = None
    for draw in range(most + 1):
        try:
            sound = voice.speak(text, draw=draw)
        except GoneError:
            raise
        except ToolFailedError:
            if draw == most and best is None:
                raise
            continue
        take = Take(sound, faults(facts_of(sound), text, language=language, speed=speed), draw + 1)
        if best is None or len(take.faults) < len(best.faults):
            best = take
        if not take.faults:
            break
    assert best is not None, "the last draw raises where none before brought a sound"
    return Take(best.sound, best.faults, draw + 1)


def facts_of(sound: Sound) -> TakeFacts:
    """Return what is measured of a sound of 16-bit samples in one channel."""
    with wave.open(io.BytesIO(sound.wav)) as file:
        samples = np.abs(np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768)
        rate = file.getframerate()
    if not samples.size:
        return TakeFacts(0.0, 0.0, 0.0)
    heard = np.flatnonzero(samples > _HEARD)
    seconds = float(heard[-1] - heard[0] + 1) / rate if heard.size else 0.0
    return TakeFacts(seconds, float(samples.max()), float((samples >= _FULL).mean()))
