"""A server of one's own that speaks one take after the other, and is started again when it ends or hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from core.backends.tts import GoneError, trained_voice
from core.domain.sounds import joined
from core.domain.voice import Sound
from core.errors import ToolFailedError
from core.stages.voice_training.server_watch import LOOK_EVERY, PROGRAM, ServerWatch
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools import VoiceTrainer
    from core.backends.tts import StreamingVoice
    from core.domain.voice_training import TrainedVoice, VoiceServing
    from core.jobs.context import RunContext

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
    with context.beside(PROGRAM, lambda: trainer.serve(wanted)) as server:
        yield Booth(ServerWatch(context, trainer, server, wanted.port))


@dataclass(frozen=True)
class Booth:
    """Has a server speak and sees to it that there is one."""

    watch: ServerWatch

    def speak(self, trained: TrainedVoice, text: str) -> BoothTake:
        """Return one take.

        RefusedTakeError when the server does not speak it, another StudioError when the server ends again and again,
        RunCancelledError when the run is stopped.
        """
        voice = trained_voice(trained, (self.watch.address,))
        for left in reversed(range(_TRIES)):
            self.watch.come_up()
            restarts = self.watch.restarts
            try:
                sound, seconds = self._watched(voice, text)
            except GoneError:
                if not left:
                    raise
            else:
                return BoothTake(sound, seconds if restarts == self.watch.restarts else None)
        raise AssertionError("every try returns or raises")

    def _watched(self, voice: StreamingVoice, text: str) -> tuple[Sound, float]:
        """Speak in another thread, and meanwhile see to the server; the voice waits for one that is started again."""
        cancel = Event()
        speaker = ThreadPoolExecutor(1, thread_name_prefix="take")
        speaking = speaker.submit(_speak, voice, text, cancel)
        try:
            while not wait((speaking,), timeout=LOOK_EVERY).done:
                self.watch.context.check()
                self.watch.look()
            return _result_of(speaking)
        finally:
            cancel.set()
            speaker.shutdown(wait=False)


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
    return joined(sounds), time.monotonic() - began
