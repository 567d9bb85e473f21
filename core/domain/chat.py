"""What visitor and persona said to each other, and what made each reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Speaker(StrEnum):
    """Who wrote a message."""

    VISITOR = "user"
    PERSONA = "assistant"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A talk with one persona."""

    id: str
    persona_id: str
    title: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a talk; a reply names everything that made it."""

    id: str
    conversation_id: str
    ordinal: int
    speaker: Speaker
    text: str
    created_at: datetime
    backend: str | None = None
    """The chat backend's row, e.g. `retrieval`."""
    model_id: str | None = None
    voice: str | None = None
    """The voice backend's row, e.g. `formant`."""
    sound_sha256: str | None = None
    utterance_id: str | None = None
    """The line of the book a retrieval reply is, or rests on."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds: `first_word`, `text`, `first_audio`."""
