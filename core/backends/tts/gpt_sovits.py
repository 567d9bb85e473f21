"""A trained voice, spoken by a running `api_v2` of GPT-SoVITS.

The server does one thing at a time, so all voices of this process that speak by one server queue here. It is only ever
asked for streams: a take in one piece would stop it from answering anything else, and could be neither watched nor
stopped. It says 200 before it has tried; that it failed is told by silence at another rate, or by a stream that breaks.
"""

from __future__ import annotations

import asyncio
import time
import wave
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.backends.relay import POLL_SECONDS, relayed
from core.backends.tools.gpt_sovits.log import explain
from core.backends.tts import ServerState, speakable
from core.backends.tts.pcm import WIDTH, NotWavError, WavReader, sound_of
from core.domain.voice import Sound
from core.domain.voice_training import TrainedVoice
from core.errors import InvalidInputError, MissingArtifactError, SettingsError, StudioError, ToolFailedError
from core.translation import N_

MOST_CHARACTERS = 2_000
SHORTEST_REFERENCE, LONGEST_REFERENCE = 3.0, 10.0
BY_SENTENCE, BY_CHUNK = 1, 3
"""The server's modes of streaming: whole sentences, or chunks of equal length as soon as they are there."""
CHUNK_TOKENS = 8
"""Of a hurried take: a third of a second each."""
_WARM_UPS = 2
"""The first takes after weights were loaded are slow."""
_WARM_UP = {
    "zh": "你好，今天天气很好。",
    "yue": "你好，今日天氣好好。",
    "ja": "こんにちは、元気ですか。",
    "ko": "안녕하세요.",
}
_CONNECT_SECONDS = 2.0
_LOAD_SECONDS = 180.0
"""Weights take this long at most, from a slow disk."""
_LOOK_AFTER = 1.0
"""Seconds without a sound after which the server is looked at."""
_LOOK_SECONDS = 2.5
"""An idle event loop answers long before."""
_SILENT_SECONDS = 120.0
"""A server that answers but sends no sound for so long has lost our take."""
_QUEUE_SECONDS = 300.0
_LEAST_SECONDS = 0.3
"""Of a sound that is handed on; the last may be shorter."""


class GoneError(ToolFailedError):
    """The server does not answer: it was ended, or it hangs. Once it runs again, the same words may be asked for."""


@dataclass
class _Server:
    """A server as the voices of this process share it."""

    address: str
    taken: Lock = field(default_factory=Lock)
    loaded: Mapping[str, str] = field(default_factory=dict)
    """What it speaks with, as far as we know; empty where we do not."""


_servers: dict[str, _Server] = {}
_servers_lock = Lock()


def _server_at(address: str) -> _Server:
    with _servers_lock:
        return _servers.setdefault(address, _Server(address))


class GptSovitsVoice:
    """Speaks with the given weights and reference; sees to it that the server has them."""

    name = "gpt-sovits"
    label = N_("Trained voice")
    placeholder = False

    def __init__(self, trained: TrainedVoice | None, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise SettingsError(
                N_("The address of the voice server is missing."),
                remedy=N_("Start a server on the voice page, or give an address such as http://127.0.0.1:9880."),
            )
        if trained is None:
            raise SettingsError(N_("No trained voice is chosen."), remedy=N_("Choose one on the voice page."))
        if trained.version in ("v3", "v4") and not trained.reference_text.strip():
            raise SettingsError(
                N_("A voice of v3 or v4 must be told what is said in its reference."),
                remedy=N_("Write down the words of the reference clip."),
            )
        self._trained = trained
        self._server = _server_at(address.rstrip("/"))

    @property
    def sample_rate(self) -> int:
        """32 kHz; 24 kHz for v3 and 48 kHz for v4."""
        return self._trained.sample_rate

    @property
    def recipe(self) -> Mapping[str, float | str]:
        """Weights, reference and sampling."""
        sampling: dict[str, float | str] = self._trained.sampling.model_dump()
        said = {"reference_text": self._trained.reference_text, "language": self._trained.language}
        return {**self._wanted(), **said, **sampling}

    def speak(self, text: str) -> Sound:
        """Return the words as sound; InvalidInputError without words, ToolFailedError when the server fails."""
        samples: list[bytes] = []
        for _ in relayed(
            self._takes(speakable(text, most=MOST_CHARACTERS), BY_SENTENCE, samples.append), cancel=Event()
        ):
            pass
        return sound_of(b"".join(samples), self.sample_rate)

    def stream(self, text: str, *, cancel: Event, hurried: bool = False) -> Generator[Sound, None, None]:
        """Yield sentence by sentence; hurried, a third of a second at a time, for a short first clause."""
        return relayed(
            self._takes(speakable(text, most=MOST_CHARACTERS), BY_CHUNK if hurried else BY_SENTENCE), cancel=cancel
        )

    def prepare(self) -> None:
        """Load the weights, set the reference and warm up."""
        for _ in relayed(self._takes("", BY_SENTENCE), cancel=Event()):
            pass

    def state(self) -> ServerState:
        """Look at the port and at /docs; there is no better sign of life."""
        with ThreadPoolExecutor(1) as own:  # who asks may live in a loop already
            return own.submit(asyncio.run, self._look()).result()

    def close(self) -> None:
        """Each take has its own connection, closed with it."""

    def _takes(
        self, text: str, mode: int, keep: Callable[[bytes], object] | None = None
    ) -> Callable[[Callable[[Sound], None], Event], None]:
        """Return what takes the server, makes it ready and speaks; with `keep` samples go there and nowhere else."""

        def produce(put: Callable[[Sound], None], stop: Event) -> None:
            pieces = _Pieces(put, self.sample_rate)
            if not self._take_server(stop):
                return
            try:
                asyncio.run(_until(stop, self._speak(text, mode, keep or pieces.add)))
            finally:
                self._server.taken.release()
            pieces.end()

        return produce

    def _take_server(self, stop: Event) -> bool:
        """Wait for the other voices; False when told to stop meanwhile."""
        patience = time.monotonic() + _QUEUE_SECONDS
        while not self._server.taken.acquire(timeout=POLL_SECONDS):
            if stop.is_set():
                return False
            if time.monotonic() > patience:
                raise ToolFailedError(
                    N_("The voice server is busy with others."), remedy=N_("Ask again, or start a second server.")
                )
        return True

    async def _speak(self, text: str, mode: int, give: Callable[[bytes], object]) -> None:
        try:
            await self._make_ready()
            if text:
                await self._one_take(text, mode, give)
        except httpx.RemoteProtocolError as error:
            ended = await self._look() is ServerState.GONE
            raise (self._gone(error) if ended else self._broken(error)) from error
        except httpx.HTTPError as error:
            raise self._gone(error) from error

    async def _make_ready(self) -> None:
        """Load what the server does not have yet. It is asked for files that are there only, or it is left spoiled."""
        wanted = self._wanted()
        if self._server.loaded == wanted:
            return
        seconds = _seconds_of(self._trained.reference)
        if not SHORTEST_REFERENCE <= seconds <= LONGEST_REFERENCE:
            raise InvalidInputError(
                N_("The reference is {seconds:.1f} seconds long; GPT-SoVITS takes 3 to 10 seconds."),
                remedy=N_("Choose another clip as reference."),
                seconds=seconds,
            )
        self._server.loaded = {}
        async with self._client(_LOAD_SECONDS) as client:
            await self._set(client, "set_gpt_weights", weights_path=str(self._trained.gpt))
            await self._set(client, "set_sovits_weights", weights_path=str(self._trained.sovits))
            await self._set(client, "set_refer_audio", refer_audio_path=str(self._trained.reference))
        for _ in range(_WARM_UPS):
            await self._one_take(_WARM_UP.get(self._trained.language, "Hello, how are you?"), BY_SENTENCE, _unheard)
        self._server.loaded = wanted

    async def _set(self, client: httpx.AsyncClient, what: str, **values: str) -> None:
        answer = await client.get(f"/{what}", params=values)
        if answer.status_code != 200:
            raise self._refused(answer.text)

    async def _one_take(self, text: str, mode: int, give: Callable[[bytes], object]) -> None:
        reader, pulse = WavReader(), _Pulse()
        async with (
            self._watched(pulse),
            self._client(None) as client,
            client.stream("POST", "/tts", json=self._request(text, mode)) as answer,
        ):
            if answer.status_code != 200:
                raise self._refused((await answer.aread()).decode(errors="replace"))
            async for piece in answer.aiter_bytes():
                pulse.beat()
                samples = self._samples(reader, piece)
                if samples:
                    give(samples)
        if not reader.whole or not reader.loud:
            raise self._silent()

    def _samples(self, reader: WavReader, piece: bytes) -> bytes:
        try:
            samples = reader.feed(piece)
        except NotWavError as error:
            raise self._refused(repr(error)) from None
        if reader.rate == 16_000:
            raise self._silent()
        if reader.rate not in (0, self.sample_rate):
            self._server.loaded = {}
            raise ToolFailedError(
                N_("The voice server speaks at {rate} Hz: it has loaded another model than {version}."),
                remedy=N_("Speak again; the weights are then loaded again. Nobody else should change them."),
                rate=reader.rate,
                version=self._trained.version,
            )
        return samples

    def _request(self, text: str, mode: int) -> dict[str, Any]:
        trained, sampling = self._trained, self._trained.sampling
        return {
            "text": text,
            "text_lang": trained.language,
            "ref_audio_path": str(trained.reference),
            "prompt_text": trained.reference_text,
            "prompt_lang": trained.language,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "temperature": sampling.temperature,
            "text_split_method": sampling.split,
            "speed_factor": sampling.speed,
            "fragment_interval": sampling.pause,
            "seed": sampling.seed,
            "media_type": "wav",
            "streaming_mode": mode,
            "parallel_infer": mode == BY_SENTENCE,
            "repetition_penalty": sampling.repetition_penalty,
            "sample_steps": sampling.steps,
            "min_chunk_length": CHUNK_TOKENS,
        }

    def _wanted(self) -> dict[str, str]:
        """Return what the server must have, each file by its place and what tells it from a later one there."""
        files = {"gpt": self._trained.gpt, "sovits": self._trained.sovits, "reference": self._trained.reference}
        return {"version": self._trained.version, **{name: _told(file) for name, file in files.items()}}

    @asynccontextmanager
    async def _watched(self, pulse: _Pulse) -> AsyncIterator[None]:
        """Break the block off when the server shows no life; while it streams it answers looks within moments."""
        here = asyncio.current_task()
        found: list[StudioError] = []

        async def watch() -> None:
            while not found:
                await asyncio.sleep(_LOOK_AFTER)
                if pulse.quiet_for() > _LOOK_AFTER and (trouble := await self._trouble(pulse)):
                    found.append(trouble)
            if here is not None:
                here.cancel()

        watching = asyncio.ensure_future(watch())
        try:
            yield
        except asyncio.CancelledError:
            if not found:
                raise
            raise found[0] from None
        finally:
            watching.cancel()

    async def _trouble(self, pulse: _Pulse) -> StudioError | None:
        since = pulse.last
        state = await self._look()
        if pulse.last != since:
            return None
        if state is not ServerState.READY or pulse.quiet_for() > _SILENT_SECONDS:
            return self._gone(None)
        return None

    async def _look(self) -> ServerState:
        try:
            async with self._client(_LOOK_SECONDS) as client:
                answer = await client.get("/docs")
        except httpx.ConnectError:
            return ServerState.GONE
        except httpx.HTTPError:
            return ServerState.BUSY
        return ServerState.READY if answer.status_code == 200 else ServerState.BUSY

    def _client(self, seconds: float | None) -> httpx.AsyncClient:
        patience = httpx.Timeout(seconds, connect=_CONNECT_SECONDS)
        return httpx.AsyncClient(base_url=self._server.address, timeout=patience, trust_env=False)

    def _gone(self, error: Exception | None) -> StudioError:
        self._server.loaded = {}  # whoever answers there next may have loaded something else
        address = urlsplit(self._server.address).netloc
        remedy = N_("Start it again on the voice page, then ask again.")
        if error is None:
            return GoneError(N_("The voice server at {address} hangs."), remedy=remedy, address=address)
        return GoneError(
            N_("The voice server at {address} does not answer: {problem}"),
            remedy=remedy,
            address=address,
            problem=_first_line(error),
        )

    def _broken(self, error: Exception) -> StudioError:
        return ToolFailedError(
            N_("The voice server broke off in the middle: {problem}"),
            remedy=N_("Ask again. If it happens each time, the server's log says why."),
            problem=_first_line(error),
        )

    def _silent(self) -> StudioError:
        return ToolFailedError(
            N_("The voice server failed and sent silence instead."),
            remedy=N_("Ask again. If it happens each time, the server's log says why."),
        )

    def _refused(self, said: str) -> StudioError:
        return explain(said) or ToolFailedError(
            N_("The voice server refused: {problem}"),
            remedy=N_("Look at weights, reference and language of the voice, and at the server's log."),
            problem=" ".join(said.split())[:300],
        )


class _Pieces:
    """Gathers samples until they are worth playing; the network cuts them anywhere."""

    def __init__(self, put: Callable[[Sound], None], rate: int) -> None:
        self._put, self._rate, self._samples = put, rate, b""

    def add(self, samples: bytes) -> None:
        self._samples += samples
        if len(self._samples) >= _LEAST_SECONDS * self._rate * WIDTH:
            self.end()

    def end(self) -> None:
        if self._samples:
            self._put(sound_of(self._samples, self._rate))
        self._samples = b""


class _Pulse:
    """When something was heard last."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def beat(self) -> None:
        self.last = time.monotonic()

    def quiet_for(self) -> float:
        return time.monotonic() - self.last


async def _until(stop: Event, speaking: Any) -> None:
    task = asyncio.ensure_future(speaking)
    while not task.done():
        if stop.is_set():
            task.cancel()
        await asyncio.wait((task,), timeout=POLL_SECONDS)
    if not task.cancelled():
        task.result()


def _unheard(samples: bytes) -> None:
    """What is said to warm up is for nobody."""


def _told(file: Path) -> str:
    """Return the file's place, size and time; MissingArtifactError where it is not there."""
    with suppress(OSError):
        stat = file.stat()
        return f"{file} {stat.st_size} {stat.st_mtime_ns}"
    raise MissingArtifactError(
        N_("The voice needs {file}, which is not there."),
        remedy=N_("Choose another checkpoint or reference, or bring the voice in again."),
        file=file.name,
    )


def _seconds_of(wav: Path) -> float:
    try:
        with wave.open(str(wav)) as file:
            return float(file.getnframes() / file.getframerate())
    except (EOFError, wave.Error) as error:
        raise InvalidInputError(
            N_("The reference {file} cannot be read as a wav: {problem}"),
            remedy=N_("Choose another clip as reference."),
            file=wav.name,
            problem=str(error) or type(error).__name__,
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
