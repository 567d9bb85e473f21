"""What a reply consists of while it is made, in the order it is heard and read."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.chat import Message
from core.domain.voice import Sound
from core.errors import StudioError


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next words; all of them joined are the reply."""

    text: str
    utterance_id: str | None = None
    """The line of the book they are from, where they are."""


@dataclass(frozen=True, slots=True)
class TextDone:
    """The last word was written; the message is stored."""

    message: Message


@dataclass(frozen=True, slots=True)
class SoundReady:
    """The next stretch of speech; `sequence` counts from 0 without gaps."""

    sequence: int
    sound: Sound
    text: str
    """The clause it speaks; empty for a recording of the whole line."""
    recorded: bool = False
    """Whether it is her own recording."""


@dataclass(frozen=True, slots=True)
class VoiceFailed:
    """The voice gave up, once; the text goes on and no sound follows."""

    error: StudioError


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing follows; the message names its model, voice, line, sound and timings."""

    message: Message


ReplyEvent = TextDelta | TextDone | SoundReady | VoiceFailed | Done
