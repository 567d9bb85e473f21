"""Kor over any server that speaks the OpenAI protocol, through LangChain's client for it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import httpx
import openai
from kor import create_extraction_chain
from kor.encoders.encode import format_text
from kor.exceptions import ParseError
from kor.nodes import Object, Text
from kor.prompts import create_langchain_prompt
from kor.type_descriptors import TypeScriptDescriptor
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import BaseMessage
from pydantic import SecretStr

from core.backends.addresses import is_address
from core.backends.extraction import (
    Answer,
    ExtractionSource,
    Fields,
    Message,
    NoAnswerError,
    RefusedError,
    Schema,
    UnreadableError,
)
from core.backends.extraction.strict_csv import StrictCSVEncoder
from core.backends.quoting import quoted
from core.errors import SettingsError, ToolFailedError
from core.translation import N_

_INPUT: Final[Literal["triple_quotes"]] = "triple_quotes"
_ROLES = {"system": "system", "human": "user", "ai": "assistant"}
"""LangChain's word for who speaks -> the protocol's."""
_CONNECT_SECONDS = 10
_VARYING = 0.5
"""The temperature at which an answer differs from the unreadable one before."""
_BUSY = frozenset((408, 409, 425, 429))
"""Statuses that mean: not now. So does every 5xx."""
_NEVER = frozenset((401, 402, 403, 404))
"""Statuses that every other question would get, too."""
_NO_MONEY = frozenset(("insufficient_quota", "billing_hard_limit_reached"))
"""Codes of a 429 that waiting does not cure."""
_BROKEN = (httpx.HTTPError, ValueError, TypeError, AttributeError)
"""What LangChain and OpenAI's client let through when a body breaks off or is not what the protocol says."""


class KorModel:
    """Asks one question a call; the HTTP connections are shared and closed at the end."""

    name = "kor"

    def __init__(self, source: ExtractionSource) -> None:
        endpoint = source.endpoint
        if endpoint is None or not endpoint.model or not is_address(endpoint.base_url):
            raise SettingsError(
                N_("The address or the model's name of the server is missing."),
                remedy=N_("Give a base URL such as http://127.0.0.1:8000/v1 and the name of a model served there."),
            )
        self._source = source
        self._endpoint = endpoint
        self._node = _node(source.schema)
        self._encoder = StrictCSVEncoder(self._node)
        prompt = create_langchain_prompt(self._node, self._encoder, TypeScriptDescriptor(), input_formatter=_INPUT)
        self._before = tuple(map(_message, prompt.format_prompt(text="").to_messages()[:-1]))
        self._patience = httpx.Timeout(source.timeout_seconds, connect=_CONNECT_SECONDS)
        # Redirects are not followed: the key is for this server only.
        self._http = httpx.Client(
            timeout=self._patience,
            limits=httpx.Limits(max_connections=source.connections, max_keepalive_connections=source.connections),
            follow_redirects=False,
        )

    @property
    def model(self) -> str:
        """The model's name at the server."""
        return self._endpoint.model

    def messages(self, text: str) -> tuple[Message, ...]:
        """Return what Kor makes of the schema, its examples and the text."""
        return (*self._before, Message("user", format_text(text, input_formatter=_INPUT)))

    def ask(self, text: str, *, afresh: bool = False) -> Answer:
        """Run Kor's chain once."""
        counted = UsageMetadataCallbackHandler()
        try:
            found = (self._varying if afresh else self._chain).invoke({"text": text}, config={"callbacks": [counted]})
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except (openai.OpenAIError, *_BROKEN) as error:
            raise self._no_answer(error) from None
        usage = list(counted.usage_metadata.values())
        problem = "; ".join(str(error) for error in found["errors"])
        return Answer(
            text=found["raw"],
            rows=() if problem else tuple(found["data"].get(self._node.id, ())),
            problem=problem,
            prompt_tokens=sum(one["input_tokens"] for one in usage),
            completion_tokens=sum(one["output_tokens"] for one in usage),
        )

    def read(self, answer: str) -> tuple[Fields, ...]:
        """Read an answer as the chain does."""
        try:
            return tuple(self._encoder.decode(answer)[self._node.id])
        except ParseError as error:
            raise UnreadableError(
                N_("The answer cannot be read: {problem}"), remedy=N_("Ask again."), problem=str(error)
            ) from None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @cached_property
    def _chain(self) -> Any:
        return self._chain_at(self._source.temperature)

    @cached_property
    def _varying(self) -> Any:
        return self._chain_at(max(self._source.temperature, _VARYING))

    def _chain_at(self, temperature: float) -> Any:
        from langchain_openai import ChatOpenAI  # seconds; an estimate needs none of it

        client = ChatOpenAI(
            base_url=self._endpoint.base_url,
            api_key=SecretStr(self._endpoint.api_key or "none"),
            model=self._endpoint.model,
            temperature=temperature,
            max_completion_tokens=self._source.max_tokens,
            streaming=self._source.stream,
            stream_usage=self._source.stream,
            max_retries=0,
            timeout=self._patience,  # said here too: LangChain's None would mean for ever
            http_client=self._http,
        )
        return create_extraction_chain(
            client, self._node, encoder_or_encoder_class=self._encoder, input_formatter=_INPUT
        )

    def _refusal(self, error: openai.APIStatusError) -> ToolFailedError:
        status = error.status_code
        told: dict[str, Any] = {"address": self._address, "problem": self._told(error), "status": status}
        if status in _NEVER or error.code in _NO_MONEY:
            message = N_("The server at {address} refuses every question ({status}): {problem}")
            remedy = _REMEDIES.get(402 if error.code in _NO_MONEY else status, "")
            return ToolFailedError(message, remedy=remedy, **told)
        if status in _BUSY or status >= 500:
            message = N_("The server at {address} is busy or broken ({status}): {problem}")
            return NoAnswerError(message, remedy=N_("Ask again later."), wait=_wait(error.response), **told)
        message = N_("The server at {address} does not take this question ({status}): {problem}")
        return RefusedError(message, remedy=N_("Make the pieces smaller, or choose another model."), **told)

    def _no_answer(self, error: Exception) -> NoAnswerError:
        return NoAnswerError(
            N_("The server at {address} gave no whole answer: {problem}"),
            remedy=N_("Check that the server runs and that the base URL is right."),
            address=self._address,
            problem=self._told(error),
        )

    def _told(self, error: Exception) -> str:
        """Return what an error says."""
        body = error.body if isinstance(error, openai.APIError) else None
        said = body.get("message") if isinstance(body, dict) else None
        return quoted(said or str(error) or type(error).__name__, key=self._endpoint.api_key)

    @property
    def _address(self) -> str:
        return urlsplit(self._endpoint.base_url).netloc


def _node(schema: Schema) -> Object:
    return Object(
        id=schema.id,
        description=schema.description,
        attributes=[Text(id=field.name, description=field.description) for field in schema.fields],
        examples=[(example.text, [dict(row) for row in example.rows]) for example in schema.examples],
        many=True,
    )


def _message(message: BaseMessage) -> Message:
    return Message(_ROLES[message.type], str(message.content))


def _wait(response: httpx.Response) -> float | None:
    """Return the seconds of Retry-After; dates, which hardly a model server sends, are not heeded."""
    try:
        return max(0.0, float(response.headers.get("retry-after", "")))
    except ValueError:
        return None


_REMEDIES: dict[int, str] = {
    401: N_("Set the server's key in the environment, then resume the run."),
    402: N_("The account has no credit left: top it up or choose another server, then resume the run."),
    403: N_("The key may not use this model: choose another model or key."),
    404: N_("Check the model's name and that the base URL ends as the server wants it, often /v1."),
}
