"""`POST /v1/chat/completions`: she answers a conversation that the client keeps.

The client's messages are the history. Its system messages and those of tools are left out: who she is stands in her own
prompt, and a client can neither replace that nor add to it. Tokens are counted as characters: not every model that
answers has any.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from threading import Event
from time import time
from typing import Annotated, Any, Final, Literal

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, FailFast, Field
from starlette.responses import JSONResponse, Response

from core.api.errors import told
from core.api.models import answerer
from core.api.streaming import done, streamed
from core.api.words import Words
from core.backends.llm import ChatRole, ChatTurn, Delta, Generation
from core.domain.identity import new_id
from core.errors import InvalidInputError, StudioError
from core.services import Services
from core.settings import stage_defaults
from core.stages.chat.choice import model_for
from core.stages.chat.prompt import composed
from core.stages.chat.settings import ChatSettings
from core.stages.chat.talk import checked
from core.translation import N_

_ROLES: Final = {"user": ChatRole.VISITOR, "assistant": ChatRole.PERSONA}
_LEAST_TOP_P: Final = 0.01
_MOST_PARTS: Final = 100
_SEEDS: Final = 2**63
_SSE_HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_END: Final = b"data: [DONE]\n\n"

_log = logging.getLogger(__name__)


class Part(BaseModel):
    """A part of a message; only words are understood."""

    type: Literal["text"]
    text: Words


def _few(content: object) -> object:
    """Refuse more parts than anybody sends, before each of them is looked at and complained of."""
    if isinstance(content, list) and len(content) > _MOST_PARTS:
        raise ValueError(f"at most {_MOST_PARTS} parts are taken")
    return content


class ClientMessage(BaseModel):
    """A message as clients send it."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[Words | list[Part] | None, BeforeValidator(_few)] = None

    @property
    def text(self) -> str:
        """Its words."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream may tell besides."""

    include_usage: bool | None = False


class ChatRequest(BaseModel):
    """What is heeded of a request; the rest is ignored."""

    model: Words = Field(max_length=200, description="As /v1/models lists it.")
    messages: Annotated[list[ClientMessage], Field(min_length=1, max_length=2000), FailFast()]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = None
    n: int | None = Field(default=None, ge=1, le=1, description="One reply at a time.")


async def complete(request: Request, asked: ChatRequest) -> Response:
    """Answer the last message, whole or as server-sent events."""
    studio: Services = request.app.state.studio
    if asked.stream:
        return await streamed(request, lambda stop: _events(asked, studio, stop), "text/event-stream", _SSE_HEADERS)
    return JSONResponse(await done(request, lambda stop: _whole(asked, studio, stop)))


def talk_of(messages: Sequence[ClientMessage], *, settings: ChatSettings) -> tuple[Sequence[ChatTurn], str]:
    """Return what was said before, and the visitor's new words; who she is, and her memories, are not the client's.

    InvalidInputError unless a visitor speaks last, and for a visitor's message that is empty or too long.
    """
    spoken = [(_ROLES[one.role], one.text.strip()) for one in messages if one.role in _ROLES]
    if not spoken or spoken[-1][0] is not ChatRole.VISITOR:
        raise InvalidInputError(
            N_("The last message is not a visitor's."), remedy=N_("Let the last message have the role “user”.")
        )
    *earlier, (_, said) = spoken
    checked(said, settings)
    told = [one for one in earlier if one[1]][-settings.history_messages :] if settings.history_messages else []
    for role, text in told:
        if role is ChatRole.VISITOR:
            checked(text, settings)
    *history, new = _alternating([*told, (ChatRole.VISITOR, said)])
    return history, new.text


def generation_for(asked: ChatRequest, settings: ChatSettings) -> Generation:
    """Return how to answer: as the client wishes, never longer than the settings allow."""
    usual = settings.generation
    longest = asked.max_completion_tokens or asked.max_tokens or usual.max_tokens
    return replace(
        usual,
        max_tokens=min(longest, usual.max_tokens),
        temperature=usual.temperature if asked.temperature is None else asked.temperature,
        top_p=usual.top_p if asked.top_p is None else max(asked.top_p, _LEAST_TOP_P),
        seed=usual.seed if asked.seed is None else asked.seed % _SEEDS,
    )


def _alternating(turns: Sequence[tuple[ChatRole, str]]) -> Iterator[ChatTurn]:
    """Yield the turns, those of one side in a row as one: many chat templates insist on taking turns."""
    role, texts = turns[0][0], [turns[0][1]]
    for next_role, text in turns[1:]:
        if next_role is not role:
            yield ChatTurn(role, "\n".join(texts))
            role, texts = next_role, []
        texts.append(text)
    yield ChatTurn(role, "\n".join(texts))


@dataclass(slots=True)
class _Reply:
    """What is known of a reply while it is made."""

    model: str
    turns: tuple[ChatTurn, ...]
    id: str = field(default_factory=lambda: new_id("chatcmpl"))
    created: int = field(default_factory=lambda: int(time()))
    words: list[str] = field(default_factory=list)
    line: str | None = None

    def heard(self, delta: Delta) -> str:
        """Note a piece and return its words."""
        self.words.append(delta.text)
        self.line = self.line or delta.utterance_id
        return delta.text

    @property
    def text(self) -> str:
        """What she has said so far."""
        return "".join(self.words)

    def head(self, kind: str) -> dict[str, Any]:
        """Return what every part of an answer begins with."""
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def usage(self) -> dict[str, int]:
        """Return the characters of both sides."""
        shown, said = sum(len(turn.text) for turn in self.turns), len(self.text)
        return {"prompt_tokens": shown, "completion_tokens": said, "total_tokens": shown + said}

    def origin(self) -> dict[str, Any]:
        """Return the line of the book it is, where it is one; other clients pass over that."""
        return {"daiyu": {"utterance_id": self.line}} if self.line else {}


def _begun(asked: ChatRequest, studio: Services, stop: Event) -> tuple[_Reply, Generator[Delta, None, None]]:
    """Ask the model; the deltas are closed by whoever reads them."""
    settings = stage_defaults("chat", ChatSettings)
    persona, choice = answerer(asked.model, studio, settings)
    history, said = talk_of(asked.messages, settings=settings)
    guard = studio.chat.guard()
    # The client tells the history, and the model is shown it: what is refused could stand there as well.
    guard.check_said("\n".join([*(turn.text for turn in history if turn.role is ChatRole.VISITOR), said]))
    model = model_for(choice, persona, settings=settings, store=studio.store)
    prompt = composed(history, said, persona=persona, model=model, settings=settings, store=studio.store)
    deltas = model.stream(prompt.turns, settings=generation_for(asked, settings), cancel=stop)
    return _Reply(asked.model, prompt.turns), guard.watched(deltas)


def _whole(asked: ChatRequest, studio: Services, stop: Event) -> dict[str, Any]:
    reply, deltas = _begun(asked, studio, stop)
    with closing(deltas):
        for delta in deltas:
            reply.heard(delta)
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**reply.head("chat.completion"), "choices": [choice], "usage": reply.usage(), **reply.origin()}


def _events(asked: ChatRequest, studio: Services, stop: Event) -> Iterator[bytes]:
    """Yield the reply as server-sent events; what fails before its first word is raised, what fails later is told."""
    reply, deltas = _begun(asked, studio, stop)
    counting = bool(asked.stream_options and asked.stream_options.include_usage)

    def chunk(delta: dict[str, str], *, ended: bool = False) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": "stop" if ended else None}
        usage = {"usage": None} if counting else {}
        origin = reply.origin() if ended else {}
        return _event({**reply.head("chat.completion.chunk"), "choices": [choice], **usage, **origin})

    with closing(deltas):
        first = list(islice(deltas, 1))
        yield chunk({"role": "assistant", "content": ""})
        try:
            for delta in chain(first, deltas):
                yield chunk({"content": reply.heard(delta)})
        except StudioError as error:
            _log.warning("A reply broke off. %s", error)
            yield _event(told(error)[1]) + _END
            return
    yield chunk({}, ended=True)
    if counting:
        yield _event({**reply.head("chat.completion.chunk"), "choices": [], "usage": reply.usage()})
    yield _END


def _event(content: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
