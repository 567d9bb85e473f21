"""Settings of the dialogues room."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.domain.section import Section


class DialogueSettings(Section):
    """Read from `configs/dialogues.yaml`; shown as a form by the page."""

    source_ids: tuple[str, ...] = Field(default=(), description="The sources to read; empty for all of the persona's.")
    method: Literal["auto", "rules", "screenplay", "quotes"] = Field(
        default="auto", description="How lines are found; auto chooses by the kind of each source."
    )
    use_cast: bool = Field(
        default=True, description="Use the persona's table of names; without it names are found in the text alone."
    )


class AskingSettings(Section):
    """How a language model is asked. Its key is no setting: it stays in the environment."""

    base_url: str = Field(
        default="", title="Address", description="Base URL of a server that speaks the OpenAI protocol, e.g. with /v1."
    )
    model: str = Field(default="", title="Model", description="The model's name at that server.")
    concurrency: int = Field(default=8, ge=1, le=64, title="At once", description="Questions under way at once.")
    attempts: int = Field(
        default=5, ge=1, le=20, description="How often a question is sent when no answer comes: busy, broken, too slow."
    )
    reasks: int = Field(
        default=2,
        ge=0,
        le=10,
        title="Asked again",
        description="How often a question is asked again when its answer cannot be read.",
    )
    backoff_seconds: float = Field(
        default=1.0,
        ge=0,
        le=60,
        title="First pause (seconds)",
        description="First pause after a question without an answer; it doubles each time.",
    )
    timeout_seconds: float = Field(
        default=120, ge=1, le=1800, title="Longest wait (seconds)", description="How long an answer may take."
    )
    max_tokens: int = Field(default=4096, ge=16, le=65536, description="Longest answer, in tokens.")
    temperature: float = Field(default=0.0, ge=0, le=2, description="0 always takes the likeliest word; more is freer.")
    stream: bool = Field(
        default=False,
        title="Streamed",
        description="Receive the answer as it is written; for servers that cut off silent connections.",
    )


class KorSettings(AskingSettings):
    """Extraction by a language model through Kor; read from `configs/kor.yaml`."""

    source_ids: tuple[str, ...] = Field(default=(), description="The sources to read; empty for all of the persona's.")
    only_uncertain: bool = Field(
        default=False, description="Ask only about lines that the rules are unsure of or that extractors dispute."
    )
    uncertain_below: float = Field(
        default=0.7, ge=0, le=1, description="Lines the rules are less sure of than this count as uncertain."
    )
    chunk_characters: int = Field(
        default=1500,
        ge=100,
        le=50_000,
        title="Piece (characters)",
        description="Longest piece of text a question shows.",
    )
    overlap_paragraphs: int = Field(
        default=1,
        ge=0,
        le=10,
        title="Overlap (paragraphs)",
        description="Paragraphs that a piece repeats of the one before it.",
    )
    context_paragraphs: int = Field(
        default=2,
        ge=0,
        le=20,
        title="Paragraphs around",
        description="Paragraphs shown before and after an uncertain line.",
    )
    similarity: float = Field(
        default=0.8, ge=0.5, le=1, description="How alike a line and the book must be to count as the same words."
    )


class ExpansionSettings(AskingSettings):
    """Lines that lead to collected quotes; the server is that of `configs/kor.yaml`."""

    temperature: float = Field(default=0.7, ge=0, le=2, description="0 always takes the likeliest word; more is freer.")
    quotes: Literal["collected", "accepted"] = Field(
        default="collected",
        title="Her lines",
        description="Which of her lines: collected quotes, or every line that was accepted.",
    )
    utterance_ids: tuple[str, ...] = Field(default=(), description="Only these lines; empty for all of that kind.")
    at_most: int = Field(
        default=200, ge=1, le=10_000, title="Quotes at most", description="Most lines that are asked about in one run."
    )
    fewest: int = Field(
        default=3, ge=1, le=5, title="Fewest lines", description="An answer with fewer good lines is asked for again."
    )
    longest: int = Field(
        default=60, ge=5, le=500, title="Longest line", description="Longer lines are refused (characters)."
    )


class ServedKor(KorSettings):
    """`configs/kor.yaml` whole: what a form shows, and the name of the key, which no form can set."""

    endpoint_key: str = Field(
        default="OPENAI_API_KEY",
        pattern=r"^[A-Z0-9_]*API_KEY$",
        description="Name of the environment variable that holds the server's key.",
    )

    def asking(self) -> KorSettings:
        """Return what a run may know: everything but the name of the key."""
        return KorSettings(**self.model_dump(exclude={"endpoint_key"}))

    def expanding(self) -> ExpansionSettings:
        """Return the settings of quote expansion on the same server."""
        shared = AskingSettings.model_fields.keys() - {"temperature"}
        return ExpansionSettings(**self.model_dump(include=shared))
