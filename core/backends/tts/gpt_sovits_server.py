"""A running `api_v2` of GPT-SoVITS: who may speak by it, what it is asked, and how its failures are seen through.

It does one thing at a time, so all voices of this process that speak by one server queue here. It is only ever asked
for streams: a take in one piece would stop it from answering anything else, and could be neither watched nor stopped.
It says 200 before it has tried; that it failed is told by silence at another rate, or by a stream that breaks.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from threading import Event, Lock
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.backends.relay import POLL_SECONDS
from core.backends.tools.gpt_sovits.log import explain
from core.backends.tts import GoneError, ServerState
from core.backends.tts.pcm import NotWavError, WavReader
from core.domain.voice_training import TrainedVoice
from core.errors import StudioError, ToolFailedError
from core.translation import N_

_CONNECT_SECONDS = 2.0
_LOAD_SECONDS = 180.0
"""Weights take this long at most, from a slow disk."""
_LOOK_AFTER = 1.0
"""Seconds without a sound after which the server is looked at."""
_LOOK_SECONDS = 2.5
"""An idle event loop answers long before."""
_DYING_SECONDS = 1.5
"""A program that is killed closes what it speaks on before the port that it listens to, if only by moments."""
_SILENT_SECONDS = 120.0
"""A server that answers but sends no sound for so long has lost our take."""
_QUEUE_SECONDS = 300.0
_FAILED_RATE = 16_000
"""Hz of the silence that stands for a failure; no model speaks at that rate."""


class VoiceServer:
    """A server as the voices of this process share it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._taken = Lock()
        self.loaded: Mapping[str, str] = {}
        """What it speaks with, as far as we know; empty where we do not."""

    @property
    def busy(self) -> bool:
        """Whether a voice of this process speaks by it now."""
        return self._taken.locked()

    @contextmanager
    def taken(self, stop: Event) -> Iterator[bool]:
        """Have the server to oneself once the other voices are done; yield False when told to stop meanwhile."""
        patience = time.monotonic() + _QUEUE_SECONDS
        while not self._taken.acquire(timeout=POLL_SECONDS):
            if stop.is_set():
                yield False
                return
            if time.monotonic() > patience:
                raise ToolFailedError(
                    N_("The voice server is busy with others."), remedy=N_("Ask again, or start a second server.")
                )
        try:
            yield True
        finally:
            self._taken.release()

    async def load(self, trained: TrainedVoice) -> None:
        """Have it load weights and reference, which must be there: it would be left spoiled."""
        async with self._client(_LOAD_SECONDS) as client:
            await _set(client, "set_gpt_weights", weights_path=str(trained.gpt))
            await _set(client, "set_sovits_weights", weights_path=str(trained.sovits))
            await _set(client, "set_refer_audio", refer_audio_path=str(trained.reference))

    async def take(self, trained: TrainedVoice, request: Mapping[str, Any], give: Callable[[bytes], object]) -> None:
        """Ask for words and give their samples as they come; while it streams the server is watched."""
        reader, pulse = WavReader(), _Pulse()
        async with (
            self._watched(pulse),
            self._client(None) as client,
            client.stream("POST", "/tts", json=request) as answer,
        ):
            if answer.status_code != 200:
                raise _refused((await answer.aread()).decode(errors="replace"))
            async for piece in answer.aiter_bytes():
                pulse.beat()
                samples = self._samples(reader, piece, trained)
                if samples:
                    give(samples)
        if not reader.whole or not reader.loud:
            raise _silent()

    async def look(self, patience: float = _LOOK_SECONDS) -> ServerState:
        """Look at the port and at /docs; there is no better sign of life."""
        try:
            async with self._client(patience) as client:
                answer = await client.get("/docs")
        except httpx.ConnectError:
            return ServerState.GONE
        except httpx.HTTPError:
            return ServerState.BUSY
        return ServerState.READY if answer.status_code == 200 else ServerState.BUSY

    @asynccontextmanager
    async def explained(self) -> AsyncIterator[None]:
        """Turn what the connection suffers in the block into words."""
        try:
            yield
        except httpx.RemoteProtocolError as error:
            raise (self._gone(error) if await self._ended() else _broken(error)) from error
        except httpx.HTTPError as error:
            raise self._gone(error) from error

    async def _ended(self) -> bool:
        """Look whether the server has ended: one that dies breaks off a moment before nobody answers its port."""
        patience = time.monotonic() + _DYING_SECONDS
        while (state := await self.look()) is ServerState.BUSY and time.monotonic() < patience:
            await asyncio.sleep(POLL_SECONDS)
        return state is ServerState.GONE

    def _samples(self, reader: WavReader, piece: bytes, trained: TrainedVoice) -> bytes:
        try:
            samples = reader.feed(piece)
        except NotWavError as error:
            raise _refused(repr(error)) from None
        if reader.rate == _FAILED_RATE:
            raise _silent()
        if reader.rate not in (0, trained.sample_rate):
            self.loaded = {}
            raise ToolFailedError(
                N_("The voice server speaks at {rate} Hz: it has loaded another model than {version}."),
                remedy=N_("Speak again; the weights are then loaded again. Nobody else should change them."),
                rate=reader.rate,
                version=trained.version,
            )
        return samples

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
        state = await self.look()
        if pulse.last != since:
            return None
        if state is not ServerState.READY or pulse.quiet_for() > _SILENT_SECONDS:
            return self._gone(None)
        return None

    def _client(self, seconds: float | None) -> httpx.AsyncClient:
        patience = httpx.Timeout(seconds, connect=_CONNECT_SECONDS)
        return httpx.AsyncClient(base_url=self.address, timeout=patience, trust_env=False, verify=_certificates())

    def _gone(self, error: Exception | None) -> StudioError:
        self.loaded = {}  # whoever answers there next may have loaded something else
        address = urlsplit(self.address).netloc
        remedy = N_("Start it again on the voice page, then ask again.")
        if error is None:
            return GoneError(N_("The voice server at {address} hangs."), remedy=remedy, address=address)
        return GoneError(
            N_("The voice server at {address} does not answer: {problem}"),
            remedy=remedy,
            address=address,
            problem=_first_line(error),
        )


def look_at(address: str, *, patience: float = _LOOK_SECONDS) -> ServerState:
    """See `VoiceServer.look`, from any thread, also from one that has a loop of its own."""
    with ThreadPoolExecutor(1) as own:
        return own.submit(asyncio.run, server_at(address.rstrip("/")).look(patience)).result()


_servers: dict[str, VoiceServer] = {}
_servers_lock = Lock()


def server_at(address: str) -> VoiceServer:
    """Return the one server of this process at that address."""
    with _servers_lock:
        return _servers.setdefault(address, VoiceServer(address))


class _Pulse:
    """When something was heard last."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def beat(self) -> None:
        self.last = time.monotonic()

    def quiet_for(self) -> float:
        return time.monotonic() - self.last


@cache
def _certificates() -> ssl.SSLContext:
    """Return whom we believe; made anew for each client, as is usual, it would cost more time than a look itself."""
    return httpx.create_ssl_context()


async def _set(client: httpx.AsyncClient, what: str, **values: str) -> None:
    answer = await client.get(f"/{what}", params=values)
    if answer.status_code != 200:
        raise _refused(answer.text)


def _broken(error: Exception) -> StudioError:
    return ToolFailedError(
        N_("The voice server broke off in the middle: {problem}"),
        remedy=N_("Ask again. If it happens each time, the server's log says why."),
        problem=_first_line(error),
    )


def _silent() -> StudioError:
    return ToolFailedError(
        N_("The voice server failed and sent silence instead."),
        remedy=N_("Ask again. If it happens each time, the server's log says why."),
    )


def _refused(said: str) -> StudioError:
    return explain(said) or ToolFailedError(
        N_("The voice server refused: {problem}"),
        remedy=N_("Look at weights, reference and language of the voice, and at the server's log."),
        problem=" ".join(said.split())[:300],
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
