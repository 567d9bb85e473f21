"""Sound on its way from a recording to a voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.domain.text import ReviewStatus


class TextOrigin(StrEnum):
    """Where the words of a clip come from."""

    NONE = "none"
    """Nobody has said yet what is spoken."""
    HAND = "hand"
    SUBTITLES = "subtitles"
    BOOK = "book"
    """The line of the book that its subtitle is an adaptation of."""
    ASR = "asr"


class Reference(StrEnum):
    """What a curator decided about a clip as reference audio."""

    OPEN = "open"
    CHOSEN = "chosen"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Recording:
    """An imported sound or video file; its bytes are never touched."""

    id: str
    persona_id: str
    name: str
    sha256: str
    """The imported file."""
    seconds: float
    sample_rate: int
    channels: int
    """Of the imported file."""
    imported_at: datetime
    run_id: str | None = None
    sound_sha256: str = ""
    """Its sound as one channel at its own rate, exact to the sample: what clips are cut from. It is the imported file
    itself where that is so already; empty for what older versions imported."""
    container: str = ""
    """What the file is: wav, flac, mp3, m4a, ogg, mp4, mkv …"""
    subtitles_name: str = ""
    subtitles_sha256: str = ""
    """The subtitles beside it, as imported; empty without."""

    @property
    def sound(self) -> str:
        """The sha256 of the file that clips are cut from."""
        return self.sound_sha256 or self.sha256


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured on a rendered clip; decibels are relative to full scale."""

    loudness: float | None
    """Integrated loudness in LUFS (ITU-R BS.1770-4); None when it is too short or silent."""
    peak_db: float
    """True peak in dBTP, four times oversampled."""
    snr_db: float | None
    """Speech over the noise between it; None where nothing was quiet enough to tell."""
    clipped: int
    """Samples in runs at full scale."""
    voiced: float
    """Share of its frames in which somebody speaks, 0 to 1."""
    musical: float
    """How much the sound goes on steadily between and under the words, 0 to 1; a guess, for sorting."""


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
    language: str = "zh"
    text_origin: TextOrigin = TextOrigin.NONE
    confidence: float | None = None
    """How sure it is that these words are spoken there, 0 to 1; None where a person wrote them or nobody did."""
    status: ReviewStatus = ReviewStatus.PENDING
    revision: int = 0
    reviewed_by: str | None = None
    seconds: float = 0.0
    """Duration of the rendered file."""
    measures: Measures | None = None
    oddness: float | None = None
    """How far the voice is from the others of its speaker, in their own spread; None while not compared."""
    complaints: tuple[str, ...] = ()
    """Names of the rules that object to it."""
    reference: Reference = Reference.OPEN
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClipSet:
    """A frozen, fingerprinted set of clips: what a voice is trained on."""

    id: str
    persona_id: str
    name: str
    note: str
    fingerprint: str
    settings: Mapping[str, Any]
    created_at: datetime
    clips: int
    seconds: float
    statistics: Mapping[str, Any] = field(default_factory=dict)
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class SetClip:
    """A clip as it was when its set was frozen."""

    ordinal: int
    clip_id: str
    revision: int
    recording_id: str
    recording_sha256: str
    """The imported file the sound is from."""
    start: float
    end: float
    effects: tuple[Mapping[str, Any], ...]
    sha256: str
    """The rendered wav."""
    seconds: float
    text: str
    speaker: str
    language: str
    utterance_id: str | None
    reference: bool
    """Whether it is one of the set's reference clips."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A synthesised or decoded stretch of audio."""

    wav: bytes
    """A complete RIFF file, 16-bit PCM."""
    sample_rate: int
    seconds: float
