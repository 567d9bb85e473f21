"""Chat models: who answers, in text, a little at a time.

A reply is a stream of `Delta`s whose texts, joined, are the whole reply. Setting `cancel` from any
thread ends the stream soon; leaving the iterator does too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import Protocol, runtime_checkable

from core.backends.rows import Row
from core.errors import InvalidInputError
from core.translation import N_


class ChatRole(StrEnum):
    """Who speaks a turn, in the words of the chat protocols."""

    SYSTEM = "system"
    VISITOR = "user"
    PERSONA = "assistant"


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One turn as a model sees it."""

    role: ChatRole
    text: str


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of a reply."""

    text: str
    utterance_id: str | None = None
    """The line of the book the reply is, where it is one; on the first piece at the latest."""


@dataclass(frozen=True, slots=True)
class Generation:
    """How a reply is made; a backend heeds what it can."""

    max_tokens: int = 256
    temperature: float = 0.7
    """0 always takes the likeliest."""
    top_p: float = 0.9
    repetition_penalty: float = 1.0
    seed: int | None = None
    """The same seed, model and history give the same reply where the backend can promise that."""


@dataclass(frozen=True, slots=True)
class Line:
    """One of her lines, with what was said to her just before it."""

    utterance_id: str
    text: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that speaks the OpenAI protocol."""

    base_url: str
    model: str
    api_key: str = ""
    """From the environment; never stored."""

    def __repr__(self) -> str:  # a secret must not reach a log by way of a traceback
        return f"Endpoint({self.base_url!r}, {self.model!r})"


@dataclass(frozen=True, slots=True)
class ModelSource:
    """What a chat model is built from; each backend takes what is its own."""

    lines: tuple[Line, ...] = ()
    folder: Path | None = None
    """A merged model: safetensors, tokenizer, config."""
    endpoint: Endpoint | None = None


class ChatModel(Protocol):
    """Answers a conversation."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    def stream(self, messages: Sequence[ChatTurn], *, settings: Generation, cancel: Event) -> Iterator[Delta]:
        """Yield the reply to the last turn; InvalidInputError unless that is the visitor's and has words."""
        ...

    def prepare(self) -> None:
        """Do now what the first reply would wait for; StudioError when that cannot be done."""
        ...

    def close(self) -> None:
        """Give back what the model holds; it is not used afterwards."""
        ...


@runtime_checkable
class ReadingModel(ChatModel, Protocol):
    """A chat model that also tells how likely a reply is to it; a server does not."""

    def nats(self, messages: Sequence[ChatTurn], replies: Sequence[str]) -> list[float]:
        """Return for each reply -log of its probability after these turns, its end included; raises as `stream`."""
        ...

    def unload(self) -> None:
        """Give back the memory too that is kept for the next visitor; whoever asks next loads anew."""
        ...


@runtime_checkable
class CountingModel(ChatModel, Protocol):
    """A chat model that also tells how long a conversation is to it; a server does not."""

    def context(self) -> int:
        """Return how many tokens it reads, prompt and reply together; a method, since it may have to load."""
        ...

    def tokens(self, messages: Sequence[ChatTurn]) -> int:
        """Return how many tokens these turns are as it is shown them; raises as `stream`."""
        ...


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of what was said stands in some texts."""

    telling: bool
    """Whether anything was said that could be looked for; a greeting is not."""
    shares: Mapping[int, float]
    """The place of a text -> 0 to 1; texts that share too little to speak of are left out."""


def nearest_lines(lines: tuple[Line, ...], said: str) -> Mapping[str, float]:
    """Return how near each line or its occasion is to what was said: its id -> 0 to 1, those far from it left out.

    The index is shared with the retrieval model of the same lines.
    """
    from core.backends.llm.retrieval import indexed

    return {line.utterance_id: nearness for line, nearness in indexed(lines).near(said)}


def covering_texts(texts: tuple[str, ...], said: str) -> Covered:
    """Return which of the texts speak of what was said; the index of the last few tuples of texts is kept."""
    from core.backends.llm.covering import indexed

    return indexed(texts).covered(said)


def answerable(messages: Sequence[ChatTurn]) -> tuple[ChatTurn, ...]:
    """Return the turns as they are; InvalidInputError when there is nothing to answer."""
    if not messages or messages[-1].role is not ChatRole.VISITOR or not messages[-1].text.strip():
        raise InvalidInputError(N_("There is nothing to answer."), remedy=N_("Write something to her first."))
    return tuple(messages)


def _retrieval(source: ModelSource) -> ChatModel:
    from core.backends.llm.retrieval import RetrievalModel

    return RetrievalModel(source.lines)


def _transformers(source: ModelSource) -> ChatModel:
    from core.backends.llm.transformers_local import TransformersModel

    return TransformersModel(source.folder)


def _openai(source: ModelSource) -> ChatModel:
    from core.backends.llm.openai_compatible import OpenAIModel

    return OpenAIModel(source.endpoint)


CHAT_MODELS: Mapping[str, Row[ModelSource, ChatModel]] = {
    row.name: row
    for row in (
        Row("retrieval", N_("Her own lines: the one that fits best what was said to her."), _retrieval),
        Row(
            "transformers",
            N_("A fine-tuned model, run in this program."),
            _transformers,
            modules=("torch", "transformers"),
            install="pip install torch transformers",
        ),
        Row(
            "openai",
            N_("Any server that speaks the OpenAI protocol: vLLM, LMDeploy, Ollama, a cloud."),
            _openai,
            modules=("openai",),
            install="pip install openai",
        ),
    )
}
