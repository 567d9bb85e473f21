"""Extraction models: language models asked, through a schema and examples, for rows of fields about a text.

An answer is kept as it came, with the tokens it cost, whether it can be read or not; reading it again later
gives the same rows. Retrying is the caller's business, so that every question sent is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from core.backends.llm import Endpoint
from core.backends.rows import Row
from core.domain.identity import fingerprint
from core.errors import ToolFailedError
from core.translation import N_

Fields = Mapping[str, str]
"""One row of an answer: field -> words."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the answer."""

    name: str
    description: str
    """What belongs there, in the words the model reads."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what should be found in it, shown to the model before it is asked."""

    text: str
    rows: tuple[Fields, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """What is looked for."""

    id: str
    description: str
    fields: tuple[Field, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class ExtractionSource:
    """What an extraction model is built from."""

    schema: Schema
    endpoint: Endpoint | None = None
    timeout_seconds: float = 120
    temperature: float = 0.0
    max_tokens: int = 4096
    """Longest answer."""
    stream: bool = False
    """Let the server send the answer as it is written; some cut off connections that are silent for long."""
    connections: int = 16
    """Most questions under way at once."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the model gets it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back and was paid for."""

    text: str
    """As it came."""
    rows: tuple[Fields, ...]
    problem: str
    """Why it cannot be read; empty for a good answer."""
    prompt_tokens: int
    """As the server counted; 0 where it does not say."""
    completion_tokens: int


class NoAnswerError(ToolFailedError):
    """This time no answer came: busy, broken off, too slow. Asking again may help."""

    @property
    def wait_seconds(self) -> float | None:
        """How long the server asks to be left alone, if it says so."""
        wait = self.values.get("wait")
        return float(wait) if isinstance(wait, int | float) else None


class RefusedError(ToolFailedError):
    """The server will not answer this question, however often it is asked; others it may."""


class UnreadableError(ToolFailedError):
    """An answer came, but it is not in the form that was asked for."""


class ExtractionModel(Protocol):
    """Finds rows in a text. Used from several threads at once."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    @property
    def model(self) -> str:
        """The language model's name."""
        ...

    def messages(self, text: str) -> tuple[Message, ...]:
        """Return what asking about that text sends, to the letter."""
        ...

    def ask(self, text: str, *, afresh: bool = False) -> Answer:
        """Send one question and wait for its answer; `afresh` where the one before could not be read.

        Raises NoAnswerError where asking again may help, RefusedError where it does not for this text, and
        ToolFailedError where it does not for any: wrong key, unknown model, quota used up.
        """
        ...

    def read(self, answer: str) -> tuple[Fields, ...]:
        """Return the rows of an answer as it came; UnreadableError when it is not in the form asked for."""
        ...

    def close(self) -> None:
        """Let go of the connections; it is not used afterwards."""
        ...


def request_of(model: ExtractionModel, text: str) -> str:
    """Return what identifies a question: the same model and messages, the same request, in whichever run."""
    messages = [[one.role, one.content] for one in model.messages(text)]
    return fingerprint({"model": model.model, "messages": messages})


def _kor(source: ExtractionSource) -> ExtractionModel:
    from core.backends.extraction.kor_openai import KorModel

    return KorModel(source)


EXTRACTION_MODELS: Mapping[str, Row[ExtractionSource, ExtractionModel]] = {
    row.name: row
    for row in (
        Row(
            "kor",
            N_("Kor's schema and examples, asked of any server that speaks the OpenAI protocol."),
            _kor,
            modules=("kor", "langchain_openai", "httpx"),
            install="pip install kor langchain-openai",
        ),
    )
}
