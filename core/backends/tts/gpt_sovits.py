"""A trained voice of GPT-SoVITS: its weights, reference and sampling, spoken by a running server of theirs."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from typing import Any

from core.backends.addresses import is_address
from core.backends.relay import relayed, run_until
from core.backends.tts import GoneError, speakable
from core.backends.tts.gpt_sovits_server import VoiceServer, server_at
from core.backends.tts.pcm import WIDTH, sound_of
from core.domain.voice import Sound
from core.domain.voice_training import ADAPTED, TrainedVoice
from core.errors import InvalidInputError, MissingArtifactError, SettingsError
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
_SEEDS = 2**31
_BACK_SECONDS = 45.0
"""How long a server that is gone is waited for; it loads for 15 seconds."""
_ASK_AGAIN_AFTER = 0.5
_LEAST_SECONDS = 0.3
"""Of a sound that is handed on; the last may be shorter."""


class GptSovitsVoice:
    """Speaks with the given weights and reference; sees to it that the server has them."""

    name = "gpt-sovits"
    label = N_("Trained voice")
    placeholder = False

    def __init__(self, trained: TrainedVoice | None, addresses: Sequence[str]) -> None:
        if not addresses or not all(is_address(one) for one in addresses):
            raise SettingsError(
                N_("The address of the voice server is missing."),
                remedy=N_("Start a server on the voice page, or give an address such as http://127.0.0.1:9880."),
            )
        if trained is None:
            raise SettingsError(N_("No trained voice is chosen."), remedy=N_("Choose one on the voice page."))
        if trained.version in ADAPTED and not trained.reference_text.strip():
            raise SettingsError(
                N_("A voice of v3 or v4 must be told what is said in its reference."),
                remedy=N_("Write down the words of the reference clip."),
            )
        self._trained = trained
        self._servers = tuple(server_at(one.rstrip("/")) for one in addresses)

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

    def speak(self, text: str, *, draw: int = 0) -> Sound:
        """Return the words as sound; InvalidInputError without words, ToolFailedError when the servers fail."""
        samples = self._samples(speakable(text, most=MOST_CHARACTERS), BY_SENTENCE, cancel=Event(), draw=draw)
        return sound_of(b"".join(samples), self.sample_rate)

    def stream(self, text: str, *, cancel: Event, hurried: bool = False) -> Generator[Sound, None, None]:
        """Yield sentence by sentence; hurried, a third of a second at a time, for a short first clause."""
        words = speakable(text, most=MOST_CHARACTERS)
        return self._sounds(self._samples(words, BY_CHUNK if hurried else BY_SENTENCE, cancel=cancel), cancel)

    def prepare(self) -> None:
        """Load the weights, set the reference and warm up."""
        for _ in self._samples("", BY_SENTENCE, cancel=Event()):
            pass

    def close(self) -> None:
        """Each take has its own connection, closed with it."""

    def _samples(self, text: str, mode: int, *, cancel: Event, draw: int = 0) -> Generator[bytes, None, None]:
        """Have a server to oneself, make it ready, and yield what it says as the network cuts it.

        A server that is gone before it has said anything is asked again once it is back, or another one is.
        """

        def produce(put: Callable[[bytes], None], stop: Event) -> None:
            given: list[bool] = []

            def give(samples: bytes) -> None:
                given.append(True)
                put(samples)

            patience, gone = time.monotonic() + _BACK_SECONDS, None
            while not stop.is_set():
                server = self._free_one(gone)
                try:
                    with server.taken(stop) as ours:
                        if ours:
                            run_until(stop, self._speak(server, text, mode, give, draw))
                        return
                except GoneError:
                    if given or time.monotonic() > patience:
                        raise
                    gone = server
                stop.wait(_ASK_AGAIN_AFTER)

        return relayed(produce, cancel=cancel)

    def _free_one(self, gone: VoiceServer | None) -> VoiceServer:
        """Return a server that is free and has the voice loaded, or at least one of both; not the one that is gone."""
        wanted, others = self._wanted(), [one for one in self._servers if one is not gone]
        return min(others or self._servers, key=lambda one: (one.busy, one.loaded != wanted))

    def _sounds(self, samples: Generator[bytes, None, None], cancel: Event) -> Generator[Sound, None, None]:
        """Gather samples until they are worth playing."""
        enough, gathered = _LEAST_SECONDS * self.sample_rate * WIDTH, b""
        with closing(samples):
            for piece in samples:
                gathered += piece
                if len(gathered) >= enough:
                    yield sound_of(gathered, self.sample_rate)
                    gathered = b""
        if gathered and not cancel.is_set():
            yield sound_of(gathered, self.sample_rate)

    async def _speak(
        self, server: VoiceServer, text: str, mode: int, give: Callable[[bytes], object], draw: int
    ) -> None:
        async with server.explained():
            await self._make_ready(server)
            if text:
                await server.take(self._trained, self._request(text, mode, draw), give)

    async def _make_ready(self, server: VoiceServer) -> None:
        """Load what the server does not have yet. It is asked for files that are there only, or it is left spoiled."""
        wanted = self._wanted()
        if server.loaded == wanted:
            return
        seconds = _seconds_of(self._trained.reference)
        if not SHORTEST_REFERENCE <= seconds <= LONGEST_REFERENCE:
            raise InvalidInputError(
                N_("The reference is {seconds:.1f} seconds long; GPT-SoVITS takes 3 to 10 seconds."),
                remedy=N_("Choose another clip as reference."),
                seconds=seconds,
            )
        server.loaded = {}
        await server.load(self._trained)
        warm_up = self._request(_WARM_UP.get(self._trained.language, "Hello, how are you?"), BY_SENTENCE, 0)
        for _ in range(_WARM_UPS):
            await server.take(self._trained, warm_up, _unheard)
        server.loaded = wanted

    def _request(self, text: str, mode: int, draw: int) -> dict[str, Any]:
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
            "seed": (sampling.seed + draw) % _SEEDS,
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
