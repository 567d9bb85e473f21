"""What visitor and persona said to each other, what made each reply, and what people thought of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

NOBODY_NAMED: Final = "local"
"""Whose a conversation is where nobody logs in."""


class Speaker(StrEnum):
    """Who wrote a message."""

    VISITOR = "user"
    PERSONA = "assistant"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A talk with one persona: a tree of messages, and the path through it that is shown."""

    id: str
    persona_id: str
    title: str
    created_at: datetime
    updated_at: datetime
    """When something was said last."""
    owner: str = NOBODY_NAMED
    """Who began it."""
    leaf_id: str | None = None
    """The message at the end of the path that is shown; None while nothing is said."""
    branched_from: str | None = None
    """The message of another conversation that this one goes on from, while that is there."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a talk; a reply names everything that made it."""

    id: str
    conversation_id: str
    ordinal: int
    """The order of writing in its conversation, over all paths."""
    speaker: Speaker
    text: str
    created_at: datetime
    backend: str | None = None
    """The chat backend's row, e.g. `retrieval`."""
    model_id: str | None = None
    voice: str | None = None
    """What spoke it: the id of a trained voice, `clip` for her own recording, or the backend's row (`formant`)."""
    sound_sha256: str | None = None
    utterance_id: str | None = None
    """The line of the book a retrieval reply is, or rests on."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds: `first_word`, `text`, `first_audio`."""
    parent_id: str | None = None
    """The message it follows; several that follow the same one are versions of each other. None at the beginning."""
    memories: tuple[str, ...] = ()
    """Ids of the lines of hers, or else of the passages, that came back to her when she was asked."""

    @property
    def choice_id(self) -> str | None:
        """Who answered, by the id of the chat's choice; None for what no model said."""
        return self.model_id or self.backend


class Verdict(StrEnum):
    """What somebody thinks of a reply."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Rating:
    """What one person thinks of one reply."""

    id: str
    message_id: str
    value: Verdict
    reason: str
    """In their words; may be empty."""
    who: str
    rated_at: datetime
    settled_by: str | None = None
    """The curator who looked at it."""
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """A scene of the book that fits what was said."""

    utterance_id: str | None
    """Her line in it; None for a scene in which she is spoken of and says nothing."""
    passage_id: str
    text: str
    """Her line; empty without one."""
    before: str
    """What was said to her just before, where somebody else said it."""
    scene: str
    """The passage around the line, from the beginning of a sentence to the end of one."""
    score: float
    """Higher fits better; good for ordering only."""
