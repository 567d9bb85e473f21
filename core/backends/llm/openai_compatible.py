"""Any server that speaks the OpenAI chat protocol, through OpenAI's own client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import openai
from openai.types.chat import ChatCompletionChunk

from core.backends.addresses import is_address
from core.backends.llm import ChatTurn, Delta, Endpoint, Generation, answerable
from core.backends.quoting import quoted
from core.backends.relay import relayed, run_until
from core.errors import SettingsError, StudioError, ToolFailedError
from core.translation import N_

TIMEOUT = httpx.Timeout(60, connect=5)


class OpenAIModel:
    """Streams replies from `{base_url}/chat/completions`; a stop closes the connection."""

    name = "openai"

    def __init__(self, endpoint: Endpoint | None) -> None:
        if endpoint is None or not endpoint.model or not is_address(endpoint.base_url):
            raise SettingsError(
                N_("The address or the model's name of the server is missing."),
                remedy=N_("Give a base URL such as http://127.0.0.1:8000/v1 and the name of a model served there."),
            )
        self._endpoint = endpoint

    def stream(self, messages: Sequence[ChatTurn], *, settings: Generation, cancel: Event) -> Iterator[Delta]:
        """Yield what the server sends, as it comes."""
        turns = answerable(messages)

        def produce(put: Callable[[Delta], None], stop: Event) -> None:
            run_until(stop, self._receive(turns, settings, put))

        return relayed(produce, cancel=cancel)

    def prepare(self) -> None:
        """The server prepares itself."""

    def close(self) -> None:
        """Each reply has its own connection, closed with it."""

    async def _receive(self, turns: Sequence[ChatTurn], settings: Generation, put: Callable[[Delta], None]) -> None:
        # One client a reply: an asynchronous client belongs to the event loop it was first used in.
        async with openai.AsyncOpenAI(
            base_url=self._endpoint.base_url, api_key=self._endpoint.api_key or "none", timeout=TIMEOUT, max_retries=1
        ) as client:
            try:
                reply: openai.AsyncStream[ChatCompletionChunk] = await client.chat.completions.create(
                    model=self._endpoint.model,
                    messages=cast(Any, [{"role": turn.role.value, "content": turn.text} for turn in turns]),
                    max_tokens=settings.max_tokens,
                    temperature=settings.temperature,
                    top_p=settings.top_p,
                    seed=settings.seed,
                    stream=True,
                )
                async with reply:
                    async for chunk in reply:
                        if chunk.choices and chunk.choices[0].delta.content:
                            put(Delta(chunk.choices[0].delta.content))
            except (openai.OpenAIError, httpx.HTTPError) as error:
                raise self._explained(error) from error

    def _explained(self, error: Exception) -> StudioError:
        remedy = _REMEDIES.get(type(error), N_("Look at the server's log, then ask again."))
        return ToolFailedError(
            N_("The chat server at {address} did not answer: {problem}"),
            remedy=remedy,
            address=urlsplit(self._endpoint.base_url).netloc,
            problem=quoted(str(error) or type(error).__name__, key=self._endpoint.api_key),
        )


_REMEDIES: dict[type[Exception], str] = {
    openai.APIConnectionError: N_("Check that the server runs and that the base URL is right."),
    openai.APITimeoutError: N_("The server is slow or stuck: look at its load, then ask again."),
    openai.AuthenticationError: N_("Set the server's key in the environment, then start the app again."),
    openai.PermissionDeniedError: N_("The key may not use this model: choose another model or key."),
    openai.NotFoundError: N_("Check the model's name and that the base URL ends as the server wants it, often /v1."),
    openai.RateLimitError: N_("The server is busy or the quota is used up: wait, then ask again."),
}
