"""Recognisers: what is said in a stretch of sound.

Any number of threads may ask one recogniser; it queues them where it can only do one thing at a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.backends.llm import Endpoint
from core.backends.rows import Row
from core.errors import ToolFailedError
from core.translation import N_


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of a transcript."""

    start: float
    """Seconds into the sound."""
    end: float
    text: str
    confidence: float | None = None
    """0 to 1; None where the recogniser does not say."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said; `text` is empty where nothing is."""

    text: str
    confidence: float | None
    """0 to 1: the mean probability of a token, less where there may be no speech; None where it is not told."""
    language: str
    segments: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class RecogniserSource:
    """What a recogniser is built from; each backend takes what is its own."""

    model: str = ""
    """A size (`small`), or a folder that holds a converted model."""
    endpoint: Endpoint | None = None
    device: str = "auto"
    """`cpu`, `cuda` or `auto`."""
    compute_type: str = "auto"
    """Precision, in CTranslate2's words; `auto` is int8 on a processor and float16 on a GPU."""
    skip_silence: bool = False
    """Look for speech first and listen only there."""
    download: bool = False
    """Whether a model that is only named may be fetched from the Hugging Face hub."""
    timeout_seconds: float = 120
    attempts: int = 4
    """How often a server that is busy is asked."""


class NoAnswerError(ToolFailedError):
    """This time no answer came: busy, broken off, too slow. Asking again may help."""


class RefusedError(ToolFailedError):
    """This sound is not taken, however often it is tried; others may be."""


class Recogniser(Protocol):
    """Turns sound into text."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    @property
    def label(self) -> str:
        """What people read beside the text, with the model's name."""
        ...

    def transcribe(self, wav: bytes | Path, *, language: str, prompt: str = "") -> Transcript:
        """Return what is said. `language` as ISO 639-1 (`zh`), empty to have it guessed; `prompt`: names to expect.

        Raises RefusedError for sound it cannot read, NoAnswerError where asking later may help, another
        StudioError where no sound would be answered.
        """
        ...

    def close(self) -> None:
        """Give back what the recogniser holds; it is not used afterwards."""
        ...


def _faster_whisper(source: RecogniserSource) -> Recogniser:
    from core.backends.asr.faster_whisper_local import FasterWhisper

    return FasterWhisper(source)


def _openai(source: RecogniserSource) -> Recogniser:
    from core.backends.asr.openai_compatible import OpenAIRecogniser

    return OpenAIRecogniser(source)


RECOGNISERS: Mapping[str, Row[RecogniserSource, Recogniser]] = {
    row.name: row
    for row in (
        Row(
            "faster-whisper",
            N_("Whisper in this program, offline; needs a model's folder."),
            _faster_whisper,
            modules=("faster_whisper",),
            install="pip install faster-whisper",
        ),
        Row(
            "openai",
            N_("Any server that speaks the OpenAI protocol for transcriptions: a cloud, or one of your own."),
            _openai,
            modules=("openai",),
            install="pip install openai",
        ),
    )
}


def certainty(logprob: float | None, no_speech: float | None) -> float | None:
    """Return a confidence from Whisper's mean log probability of a token and its probability of no speech."""
    if logprob is None or not math.isfinite(logprob):
        return None
    silent = no_speech if no_speech is not None and 0 <= no_speech <= 1 else 0.0
    return math.exp(min(logprob, 0.0)) * (1 - silent)


def overall(segments: tuple[Heard, ...]) -> float | None:
    """Return the segments' confidence together, the longer ones counting for more; None where none is told."""
    told = [(one.confidence, max(one.end - one.start, 0.01)) for one in segments if one.confidence is not None]
    if not told:
        return None
    return sum(confidence * seconds for confidence, seconds in told) / sum(seconds for _, seconds in told)
