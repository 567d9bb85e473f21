"""Ears: who writes down what a visitor says. None is built in; the table fills with the chat's own issue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from core.backends.rows import Row
from core.domain.voice import Sound
from core.translation import N_


class Transcriber(Protocol):
    """Turns speech into text."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    def transcribe(self, sound: Sound) -> str:
        """Return what was said; ToolFailedError when nothing can be made out."""
        ...


TRANSCRIBERS: Mapping[str, Row[None, Transcriber]] = {}

HINT = N_(
    "Speech is not turned into text yet. This will take faster-whisper, or any server with "
    "/v1/audio/transcriptions; until then, write to her."
)
"""Shown where a microphone would be."""
