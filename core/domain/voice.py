"""Sound on its way from a recording to a voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Recording:
    """An imported sound file; its bytes are never touched."""

    id: str
    persona_id: str
    name: str
    sha256: str
    seconds: float
    sample_rate: int
    channels: int
    imported_at: datetime
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of a recording that holds one line: a recipe and its rendered file."""

    id: str
    recording_id: str
    start: float
    """Seconds into the recording."""
    end: float
    text: str
    speaker: str
    sha256: str
    """The rendered wav in the content store."""
    created_at: datetime
    effects: tuple[Mapping[str, Any], ...] = ()
    """Applied in order, each with its settings."""
    utterance_id: str | None = None
    """The line of the book it speaks, where known."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A synthesised or decoded stretch of audio."""

    wav: bytes
    """A complete RIFF file, 16-bit PCM."""
    sample_rate: int
    seconds: float
