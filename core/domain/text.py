"""Text on its way from the imported file to a training sample; every record says where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class SourceKind(StrEnum):
    """What sort of text a source is; decides which extractor fits."""

    NOVEL = "novel"
    SCREENPLAY = "screenplay"
    QUOTES = "quotes"
    """One line of the persona's a line."""


class TextFormat(StrEnum):
    """What an imported file is, told by its content."""

    PLAIN = "txt"
    MARKDOWN = "md"
    HTML = "html"
    EPUB = "epub"
    DOCX = "docx"
    PDF = "pdf"
    SRT = "srt"
    VTT = "vtt"
    ASS = "ass"


@dataclass(frozen=True, slots=True)
class Source:
    """An imported file; its bytes lie in the content store under `sha256`."""

    id: str
    persona_id: str
    name: str
    """The uploaded name, for people only; never used as a path."""
    kind: SourceKind
    sha256: str
    size: int
    """Bytes as imported."""
    encoding: str
    characters: int
    chapters: int
    imported_at: datetime
    run_id: str | None = None
    format: TextFormat = TextFormat.PLAIN
    text_sha256: str = ""
    """The text read out of a file that is no plain text, in the content store as UTF-8; passages count in it."""


class PassageKind(StrEnum):
    """What a passage is in its chapter."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"


@dataclass(frozen=True, slots=True)
class Passage:
    """One paragraph or heading, with its place in the decoded file."""

    source_id: str
    ordinal: int
    """Position in the source, from 0, headings included; reading order."""
    chapter: int
    """From 1; 0 is what stands before the first heading."""
    para: int
    """Paragraph within the chapter, from 0, its heading not counted; -1 for the heading itself."""
    kind: PassageKind
    start: int
    """Offset of the first character in the decoded file, or in the text read out of it: `that[start:end] == text`."""
    end: int
    text: str
    place: str = ""
    """Where in a file that is no plain text, in that format's own words: `page 12`, `00:01:07.200`, `ch03.xhtml#4`."""

    @property
    def id(self) -> str:
        """Deterministic: the same file imported as the same source gives the same passages."""
        return f"{self.source_id}.{self.ordinal}"


class UtteranceKind(StrEnum):
    """What a quotation is."""

    SPEECH = "speech"
    THOUGHT = "thought"
    RECITATION = "recite"
    """Verse, letters, inscriptions read aloud."""
    FRAGMENT = "fragment"
    """Words cited inside narration."""
    NONSPEECH = "nonspeech"
    """A term, a title, an inscription: quoted but not said."""


class ReviewStatus(StrEnum):
    """What a curator has decided about a line."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MERGED = "merged"
    """Became part of the line before it; kept so that a new extraction does not bring it back."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One quoted stretch of a passage: who says it, what it is, and why we think so."""

    source_id: str
    ordinal: int
    """The passage's position in its source."""
    chapter: int
    para: int
    start: int
    """Index of the opening quotation mark in the passage's text."""
    end: int
    """Index after the closing quotation mark, in the passage it ends in."""
    text: str
    """The words without their marks; may be edited in review, the offsets stay."""
    kind: UtteranceKind
    speaker: str | None
    """Canonical name; None when nobody can be named."""
    extractor: str
    """Whose reading stands where several extractors found the line."""
    confidence: float
    """0 to 1."""
    reason: str
    """The rule or cue that named the speaker, e.g. `cue-before:笑道`."""
    status: ReviewStatus = ReviewStatus.PENDING
    revision: int = 0
    """Counts edits; a write must name the revision it saw."""
    run_id: str | None = None
    runs_on: int = 0
    """How many passages it goes on after its first; 0 for a line within one paragraph."""
    disputed: bool = False
    """Extractors name different speakers or kinds, and nobody has decided yet."""
    reviewed_by: str | None = None
    """Who decided about it last."""

    @property
    def passage_id(self) -> str:
        """The passage this stands in."""
        return f"{self.source_id}.{self.ordinal}"

    @property
    def id(self) -> str:
        """Its place: whoever finds it, and however often, it is the same line."""
        return f"{self.passage_id}.{self.start}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one extractor says about a line; the line itself carries the reading that stands."""

    utterance_id: str
    extractor: str
    end: int
    runs_on: int
    text: str
    kind: UtteranceKind
    speaker: str | None
    confidence: float
    reason: str
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Expansion:
    """A line somebody might have said just before a collected quote; a model wrote it, so it is synthetic for ever."""

    id: str
    persona_id: str
    utterance_id: str
    """The quote it leads to."""
    ordinal: int
    """Position among the quote's expansions, from 0."""
    counterpart: str
    text: str
    model: str
    created_at: datetime
    status: ReviewStatus = ReviewStatus.PENDING
    revision: int = 0
    run_id: str | None = None


class CallOutcome(StrEnum):
    """How a question to a model ended."""

    ANSWERED = "answered"
    UNREADABLE = "unreadable"
    """An answer came and was paid for, but it does not parse."""
    FAILED = "failed"
    """No answer: refused, timed out, broken off."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One question sent to a language model and what came of it; kept so that nothing is paid for twice."""

    request: str
    """sha256 of model and messages: the same question is the same request, in whichever run."""
    run_id: str
    subject: str
    """What was asked about: the id of a chunk's first passage, or of a quote."""
    model: str
    outcome: CallOutcome
    answer: str
    """As it came; empty when none did."""
    problem: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    at: datetime


class Split(StrEnum):
    """Which side of the dataset a sample is on."""

    TRAIN = "train"
    HELD_OUT = "held-out"


class TurnRole(StrEnum):
    """Who speaks in a sample."""

    COUNTERPART = "user"
    PERSONA = "assistant"


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's words in a sample."""

    role: TurnRole
    speaker: str
    text: str
    utterance_ids: tuple[str, ...] = ()
    context: bool = False
    """Only there for what follows it: a reply that no loss is taken on, since another sample trains it."""
    expansion_id: str = ""
    """The synthetic line this is, where a model wrote it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One conversation as a trainer sees it: turns alternate and end with a reply of the persona's to be learnt."""

    ordinal: int
    source_id: str
    chapter: int
    split: Split
    turns: tuple[Turn, ...]
    synthetic: bool = False
    """A model wrote what is said to her here."""


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """An immutable, fingerprinted set of samples."""

    id: str
    persona_id: str
    name: str
    note: str
    fingerprint: str
    """sha256 of system prompt and samples."""
    system_prompt: str
    settings: Mapping[str, Any]
    train_samples: int
    held_out_samples: int
    created_at: datetime
    run_id: str | None = None
    statistics: Mapping[str, Any] = field(default_factory=dict)
