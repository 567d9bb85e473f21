"""Any server that speaks the OpenAI protocol for speech, through OpenAI's own client."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
import openai
from pydantic import Field

from core.backends.addresses import is_address
from core.backends.llm import Endpoint
from core.backends.quoting import quoted
from core.backends.tts import personal, speakable
from core.backends.tts.pcm import NotWavError, WavReader, sound_of
from core.domain.section import Section
from core.domain.voice import Sound
from core.errors import SettingsError, StudioError, ToolFailedError
from core.translation import N_

MOST_CHARACTERS = 4_096
"""OpenAI's own limit."""
_CONNECT_SECONDS = 5
_LARGEST_ANSWER = 100_000_000


class OpenAISpeechSettings(Section):
    """A persona's settings of a voice at such a server."""

    voice: str = Field(default="alloy", min_length=1, description="The voice's name at that server.")
    speed: float = Field(default=1.0, ge=0.25, le=4, description="1 is the voice's own pace.")
    instructions: str = Field(
        default="", max_length=2000, description="How to speak, for models that take it; empty for none."
    )
    sample_rate: int = Field(default=24_000, ge=8_000, le=48_000, description="Samples a second that the server sends.")
    timeout: float = Field(default=60, gt=0, le=600, description="Seconds after which a text is given up.")
    attempts: int = Field(default=2, ge=1, le=5, description="How often a server that is busy is asked.")


class OpenAIVoice:
    """Sends each text to `{base_url}/audio/speech` and takes a wav."""

    name = "openai"
    placeholder = False

    def __init__(self, endpoint: Endpoint | None, settings: Mapping[str, float | str]) -> None:
        if endpoint is None or not endpoint.model or not is_address(endpoint.base_url):
            raise SettingsError(
                N_("The address or the model's name of the server is missing."),
                remedy=N_("Give a base URL such as http://127.0.0.1:8000/v1 and the name of a model served there."),
            )
        self._endpoint = endpoint
        self._settings = personal(OpenAISpeechSettings, settings)
        # Redirects are not followed: the key is for this server only.
        patience = httpx.Timeout(self._settings.timeout, connect=_CONNECT_SECONDS)
        self._http = httpx.Client(timeout=patience, follow_redirects=False)
        self._client = openai.OpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key or "none",
            timeout=patience,
            max_retries=self._settings.attempts - 1,
            http_client=self._http,
        )

    @property
    def label(self) -> str:
        """The voice's name, the model's and the server's address."""
        return f"{self._settings.voice}, {self._endpoint.model} ({self._address})"

    @property
    def sample_rate(self) -> int:
        """As it is set; a server that sends another is refused."""
        return self._settings.sample_rate

    @property
    def recipe(self) -> Mapping[str, float | str]:
        """Address, model and voice; such servers may still draw anew each time."""
        told: dict[str, float | str] = self._settings.model_dump(exclude={"timeout", "attempts"})
        return {"base_url": self._endpoint.base_url, "model": self._endpoint.model, **told}

    def speak(self, text: str, *, draw: int = 0) -> Sound:
        """Return the words as sound; InvalidInputError without words, ToolFailedError when the server fails."""
        words = speakable(text, most=MOST_CHARACTERS)
        try:
            answer = self._client.audio.speech.with_raw_response.create(
                input=words,
                model=self._endpoint.model,
                voice=self._settings.voice,
                response_format="wav",
                speed=self._settings.speed,
                instructions=self._settings.instructions or openai.omit,
            )
        except (openai.OpenAIError, httpx.HTTPError) as error:
            raise self._explained(error) from None
        return self._sound(answer.http_response)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _sound(self, answer: httpx.Response) -> Sound:
        wav, reader = answer.content, WavReader()
        try:
            samples = reader.feed(wav) if answer.status_code == 200 and len(wav) <= _LARGEST_ANSWER else b""
        except NotWavError:
            samples = b""
        if not samples or not reader.whole:
            raise self._no_sound(answer)
        if reader.rate != self.sample_rate:
            raise SettingsError(
                N_("The server at {address} speaks at {rate} Hz, not at {wanted}."),
                remedy=N_("Set the voice's sample rate to {rate}."),
                address=self._address,
                rate=reader.rate,
                wanted=self.sample_rate,
            )
        if not reader.loud:
            raise ToolFailedError(
                N_("The server at {address} sent silence."),
                remedy=N_("Ask again, or choose another voice there."),
                address=self._address,
            )
        return sound_of(samples, reader.rate)

    def _no_sound(self, answer: httpx.Response) -> StudioError:
        return ToolFailedError(
            N_("The server at {address} sent no whole wav of 16-bit samples in one channel, but {kind}."),
            remedy=N_("Check that the base URL is right and that the model there can answer with wav."),
            address=self._address,
            kind=answer.headers.get("content-type", "?"),
        )

    def _explained(self, error: Exception) -> StudioError:
        remedy = next((remedy for kind, remedy in _REMEDIES.items() if isinstance(error, kind)), _ELSE)
        return ToolFailedError(
            N_("The server at {address} did not speak: {problem}"),
            remedy=remedy,
            address=self._address,
            problem=quoted(str(error) or type(error).__name__, key=self._endpoint.api_key),
        )

    @property
    def _address(self) -> str:
        return urlsplit(self._endpoint.base_url).netloc


_ELSE = N_("Look at the server's log, then ask again.")
_REMEDIES: dict[type[Exception], str] = {
    openai.APITimeoutError: N_("The server is slow or stuck: look at its load, then ask again."),
    openai.APIConnectionError: N_("Check that the server runs and that the base URL is right."),
    openai.AuthenticationError: N_("Set the server's key in the environment, then start the app again."),
    openai.PermissionDeniedError: N_("The key may not use this model: choose another model or key."),
    openai.NotFoundError: N_("Check the model's name and that the base URL ends as the server wants it, often /v1."),
    openai.RateLimitError: N_("The server is busy or the quota is used up: wait, then ask again."),
    openai.BadRequestError: N_("Check the voice's name and its settings; not every server knows every voice."),
}
"""The first that fits counts: a timeout is a kind of connection error."""
