"""Any server that speaks the OpenAI protocol for transcriptions, through OpenAI's own client."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import openai

from core.backends.addresses import is_address
from core.backends.asr import Heard, NoAnswerError, RecogniserSource, RefusedError, Transcript, certainty, overall
from core.backends.quoting import quoted
from core.errors import SettingsError, ToolFailedError
from core.translation import N_

_CONNECT_SECONDS = 10
_LARGEST_ANSWER = 4_000_000
_MOST_TEXT = 20_000
_BUSY = frozenset((408, 409, 425, 429))
"""Statuses that mean: not now. So does every 5xx."""
_NEVER = frozenset((401, 402, 403, 404))
"""Statuses that every other sound would get, too."""
_NO_MONEY = frozenset(("insufficient_quota", "billing_hard_limit_reached"))
"""Codes of a 429 that waiting does not cure."""


class OpenAIRecogniser:
    """Sends each sound to `{base_url}/audio/transcriptions`; asks for segments until the server refuses those."""

    name = "openai"

    def __init__(self, source: RecogniserSource) -> None:
        endpoint = source.endpoint
        if endpoint is None or not endpoint.model or not is_address(endpoint.base_url):
            raise SettingsError(
                N_("The address or the model's name of the server is missing."),
                remedy=N_("Give a base URL such as http://127.0.0.1:8000/v1 and the name of a model served there."),
            )
        self._endpoint = endpoint
        self._form: Literal["verbose_json", "json"] = "verbose_json"
        # Redirects are not followed: the key is for this server only.
        patience = httpx.Timeout(source.timeout_seconds, connect=_CONNECT_SECONDS)
        self._http = httpx.Client(timeout=patience, follow_redirects=False)
        self._client = openai.OpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key or "none",
            timeout=patience,
            max_retries=source.attempts - 1,
            http_client=self._http,
        )

    @property
    def label(self) -> str:
        """The model's name and the server's address."""
        return f"{self._endpoint.model} ({self._address})"

    def transcribe(self, wav: bytes | Path, *, language: str, prompt: str = "") -> Transcript:
        """Send the sound; busy servers are asked again, with growing pauses, by the client."""
        sound = wav if isinstance(wav, bytes) else wav.read_bytes()
        try:
            answer = self._asked(sound, language, prompt)
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except (openai.OpenAIError, httpx.HTTPError) as error:
            raise self._no_answer(error) from None
        return self._read(answer, language)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _asked(self, sound: bytes, language: str, prompt: str) -> str:
        try:
            return self._sent(sound, language, prompt)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            # Some models give no segments (gpt-4o-transcribe): they say so and are asked in the plain form.
            if self._form == "json" or "response_format" not in str(error):
                raise
            self._form = "json"
            return self._sent(sound, language, prompt)

    def _sent(self, sound: bytes, language: str, prompt: str) -> str:
        raw = self._client.audio.transcriptions.with_raw_response.create(
            file=("clip.wav", sound, "audio/wav"),
            model=self._endpoint.model,
            language=language or openai.omit,
            prompt=prompt or openai.omit,
            response_format=self._form,
            temperature=0,
        )
        if raw.http_response.is_redirect or len(raw.content) > _LARGEST_ANSWER:
            return ""
        return raw.text if isinstance(raw.text, str) else raw.text()

    def _read(self, answer: str, language: str) -> Transcript:
        try:
            content = json.loads(answer)
        except (ValueError, RecursionError):
            content = None
        text = content.get("text") if isinstance(content, Mapping) else None
        if not isinstance(text, str) or not isinstance(content, Mapping):
            raise NoAnswerError(
                N_("The server at {address} answered something else than a transcript: {problem}"),
                remedy=N_("Check that the base URL is right and that the model there transcribes sound."),
                address=self._address,
                problem=self._told(answer) or "-",
            )
        segments = tuple(_segments(content.get("segments")))
        spoken = content.get("language")
        return Transcript(
            " ".join(text[:_MOST_TEXT].split()),
            overall(segments),
            _code(spoken) if isinstance(spoken, str) and spoken else language,
            segments,
        )

    def _refusal(self, error: openai.APIStatusError) -> ToolFailedError:
        status = error.status_code
        body = error.body if isinstance(error.body, dict) else {}
        told: dict[str, Any] = {"address": self._address, "problem": self._told(body.get("message") or error)}
        if status in _NEVER or error.code in _NO_MONEY:
            message = N_("The server at {address} refuses every sound ({status}): {problem}")
            remedy = _REMEDIES[402 if error.code in _NO_MONEY else status]
            return ToolFailedError(message, remedy=remedy, status=status, **told)
        if status in _BUSY or status >= 500:
            message = N_("The server at {address} is busy or broken ({status}): {problem}")
            return NoAnswerError(message, remedy=N_("Ask again later."), status=status, **told)
        message = N_("The server at {address} does not take this sound ({status}): {problem}")
        return RefusedError(
            message, remedy=N_("Make the clip shorter, or choose another model."), status=status, **told
        )

    def _no_answer(self, error: Exception) -> NoAnswerError:
        return NoAnswerError(
            N_("The server at {address} gave no whole answer: {problem}"),
            remedy=N_("Check that the server runs and that the base URL is right."),
            address=self._address,
            problem=self._told(error),
        )

    def _told(self, said: object) -> str:
        return quoted(said, key=self._endpoint.api_key)

    @property
    def _address(self) -> str:
        return urlsplit(self._endpoint.base_url).netloc


def _segments(given: object) -> list[Heard]:
    found = []
    for one in given if isinstance(given, list) else ():
        if isinstance(one, Mapping):
            start, end, text = _number(one.get("start")), _number(one.get("end")), one.get("text")
            if start is not None and end is not None and isinstance(text, str):
                sure = certainty(_number(one.get("avg_logprob")), _number(one.get("no_speech_prob")))
                found.append(Heard(start, end, text.strip(), sure))
    return found


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _code(language: str) -> str:
    """Return two letters for the names OpenAI's own server gives."""
    return {"chinese": "zh", "mandarin": "zh", "english": "en", "japanese": "ja", "cantonese": "yue"}.get(
        language.lower(), language.lower()
    )


_REMEDIES: dict[int, str] = {
    401: N_("Set the server's key in the environment, then resume the run."),
    402: N_("The account has no credit left: top it up or choose another server, then resume the run."),
    403: N_("The key may not use this model: choose another model or key."),
    404: N_("Check the model's name and that the base URL ends as the server wants it, often /v1."),
}
