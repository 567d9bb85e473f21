"""A server of one's own that speaks one take after the other, and is started again when it ends or hangs."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from core.backends.tts import GoneError, ServerState, state_of, trained_voice
from core.domain.voice import Sound
from core.errors import ToolFailedError
from core.jobs.machine import free_port
from core.stages.voice_training.serving import HOST
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools import VoiceTrainer
    from core.backends.tts import StreamingVoice
    from core.domain.voice_training import TrainedVoice, VoiceServing
    from core.jobs.context import Companion, RunContext

_PROGRAM = "server"
_LOOK_EVERY = 0.2
_START_SECONDS = 300.0
_IDLE_SECONDS = 4.0
"""A server that neither answers nor computes for so long hangs."""
_MOST_RESTARTS = 4
_GRACE = 2.0
_TRIES = 2
"""How often a sentence is asked for whose server was lost on the way."""


class RefusedTakeError(ToolFailedError):
    """The server is there and did not speak this sentence."""


@dataclass(frozen=True, slots=True)
class BoothTake:
    """What was spoken."""

    sound: Sound
    took: float | None
    """Seconds; None where the server was started again meanwhile."""


@contextmanager
def opened(wanted: VoiceServing, *, context: RunContext, trainer: VoiceTrainer) -> Iterator[Booth]:
    """Have the server at work while the block runs."""
    with context.beside(_PROGRAM, lambda: trainer.serve(wanted)) as server:
        yield Booth(context, trainer, server, f"http://{HOST}:{wanted.port}")


def port_of(context: RunContext) -> int:
    """Return the run's port, the same after a crash: its server may still listen there."""
    return context.step("port", lambda: free_port(HOST))


@dataclass
class Booth:
    """Has a server speak and sees to it that there is one."""

    context: RunContext
    trainer: VoiceTrainer
    server: Companion
    address: str
    _restarts: int = field(default=0, repr=False)
    _ready: bool = field(default=False, repr=False)

    def speak(self, trained: TrainedVoice, text: str) -> BoothTake:
        """Return one take.

        RefusedTakeError when the server does not speak it, another StudioError when the server ends again and again,
        RunCancelledError when the run is stopped.
        """
        voice = trained_voice(trained, (self.address,))
        for left in reversed(range(_TRIES)):
            self._come_up()
            restarts = self._restarts
            try:
                sound, seconds = self._watched(voice, text)
            except GoneError:
                if not left:
                    raise
                self._again(N_("It does not answer."))
            else:
                return BoothTake(sound, seconds if restarts == self._restarts else None)
        raise AssertionError("every try returns or raises")

    def _watched(self, voice: StreamingVoice, text: str) -> tuple[Sound, float]:
        """Speak in another thread, and meanwhile start a server again that ended or hangs; the voice waits for it."""
        cancel = Event()
        speaker = ThreadPoolExecutor(1, thread_name_prefix="take")
        speaking = speaker.submit(_speak, voice, text, cancel)
        try:
            self._keep(speaking)
            return _result_of(speaking)
        finally:
            cancel.set()
            speaker.shutdown(wait=False)

    def _keep(self, speaking: Future[Any]) -> None:
        used, since = self.server.processor_seconds(), time.monotonic()
        while not speaking.done():
            self.context.check()
            time.sleep(_LOOK_EVERY)
            now_used, moment = self.server.processor_seconds(), time.monotonic()
            if not self.server.alive():
                self._again(N_("It ended."))
            elif now_used > used or state_of(self.address) is ServerState.READY:
                used, since = now_used, moment
                continue
            elif moment - since > _IDLE_SECONDS:
                self._again(N_("It hangs."))
            else:
                continue
            self._come_up()
            used, since = self.server.processor_seconds(), time.monotonic()

    def _come_up(self) -> None:
        """Wait until the server answers."""
        if self._ready and self.server.alive():
            return
        until = time.monotonic() + _START_SECONDS
        while state_of(self.address) is not ServerState.READY:
            self.context.check()
            if not self.server.alive() or time.monotonic() > until:
                self._again(N_("It did not come up."))
            time.sleep(_LOOK_EVERY)
        self._ready = True

    def _again(self, why: str) -> None:
        ever, self._ready = self._ready or self._restarts > 0, False
        self._restarts += 1
        if not ever or self._restarts > _MOST_RESTARTS:
            raise self.trainer.explain(self.context.last_output()) or ToolFailedError(
                N_("The voice server did not start, or ended again and again."),
                remedy=N_("Read the end of the run's log; resume the run once the cause is mended."),
            )
        self.context.log(f"{why} The voice server is started again.")
        self.server.restart(grace=_GRACE)


def _result_of(speaking: Future[tuple[Sound, float]]) -> tuple[Sound, float]:
    try:
        return speaking.result()
    except GoneError:
        raise
    except ToolFailedError as trouble:
        raise RefusedTakeError(trouble.message, remedy=trouble.remedy, **trouble.values) from trouble


def _speak(voice: StreamingVoice, text: str, cancel: Event) -> tuple[Sound, float]:
    """Load the voice first, so that only speaking is timed."""
    voice.prepare()
    began = time.monotonic()
    sounds = list(voice.stream(text, cancel=cancel))
    if not sounds:
        raise ToolFailedError(N_("The voice server said nothing."), remedy=N_("Read the end of the run's log."))
    return _joined(sounds), time.monotonic() - began


def _joined(sounds: Sequence[Sound]) -> Sound:
    whole = io.BytesIO()
    with wave.open(whole, "wb") as target:
        for number, one in enumerate(sounds):
            with wave.open(io.BytesIO(one.wav)) as source:
                if not number:
                    target.setparams(source.getparams())
                target.writeframes(source.readframes(source.getnframes()))
    return Sound(whole.getvalue(), sounds[0].sample_rate, sum(one.seconds for one in sounds))
