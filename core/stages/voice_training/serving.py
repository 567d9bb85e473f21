"""A server of trained voices as a run: started, watched, started again when it ends or hangs, until it is stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NoReturn

from pydantic import Field

from core.backends.tts import trained_voice
from core.domain.section import Section
from core.domain.voice_training import TrainedVoice, VoiceServing, VoiceVersion
from core.errors import StudioError
from core.stages.voice_training.cards import card_of
from core.stages.voice_training.devices import held_gpu
from core.stages.voice_training.server_watch import LOOK_EVERY, PROGRAM, Seen, ServerWatch, port_of
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools import VoiceTrainer
    from core.jobs.context import RunContext
    from core.store import Store

_SAY_EVERY = 2.0


class ServerSettings(Section):
    """What is served, where."""

    model_id: str = Field(default="", description="The voice whose weights are loaded first; empty for none yet.")
    version: VoiceVersion = Field(default="v2Pro", description="The pretrained model, where no voice is chosen.")
    device: Literal["cpu", "gpu"] = Field(default="gpu", description="Where it runs; a CPU takes seconds a sentence.")
    precision: Literal["float32", "float16"] = Field(
        default="float16", description="Number format. On a CPU and on old GPUs float32."
    )
    port: int = Field(default=0, ge=0, le=65535, description="Port to listen on, on this machine only; 0 for any.")


def run(settings: ServerSettings, *, context: RunContext, store: Store, trainer: VoiceTrainer) -> NoReturn:
    """Serve until the run is stopped, which raises RunCancelledError.

    The run's progress tells its address and its state. Raises ToolFailedError with the reason when the server does
    not start or ends again and again, MissingArtifactError when the voice was removed.
    """
    trained = _trained(settings, store)
    gpu, port = held_gpu(settings.device, context), port_of(context, settings.port)
    wanted = VoiceServing(
        folder=context.folder / PROGRAM,
        version=trained.version if trained else settings.version,
        gpt=trained.gpt if trained else None,
        sovits=trained.sovits if trained else None,
        device=settings.device,
        precision="float32" if settings.device == "cpu" else settings.precision,
        gpu=gpu,
        port=port,
    )
    with context.beside(PROGRAM, lambda: trainer.serve(wanted)) as server:
        _Keeper(ServerWatch(context, trainer, server, port), settings.model_id, trained).keep()


def _trained(settings: ServerSettings, store: Store) -> TrainedVoice | None:
    if not settings.model_id:
        return None
    card, home = card_of(store.models.get(settings.model_id), store)
    return card.trained(home.resolve())


@dataclass
class _Keeper:
    """Keeps a server up, and says how it is."""

    watch: ServerWatch
    model_id: str
    trained: TrainedVoice | None
    _before: Seen | None = field(default=None, repr=False)
    _said: tuple[str, float] = field(default=("", 0.0), repr=False)

    def keep(self) -> NoReturn:
        """Watch until the run is stopped."""
        self.watch.restarting = lambda: self._say(Seen.RESTARTING.value)
        while True:
            self.watch.context.check()
            seen = self.watch.look()
            if seen is Seen.READY and self._before in (None, Seen.STARTING, Seen.RESTARTING):
                self._warm_up()
            self._before = seen
            self._say("ready" if seen is Seen.BUSY else seen.value)
            time.sleep(LOOK_EVERY)

    def _warm_up(self) -> None:
        """Load the voice and let it speak once unheard; what goes wrong will be told to whoever speaks next."""
        context, address = self.watch.context, self.watch.address
        context.log(f"the voice server answers at {address}")
        if self.trained is None:
            return
        self._say("warming up")
        try:
            trained_voice(self.trained, (address,)).prepare()
        except StudioError as trouble:
            context.log(f"warming up: {trouble}")

    def _say(self, state: str) -> None:
        """Write the state where others look for it; a state that did not change now and then only."""
        before, at = self._said
        if state == before and time.monotonic() - at < _SAY_EVERY:
            return
        self._said = (state, time.monotonic())
        address = self.watch.address
        self.watch.context.progress(None, _WORDS[state], address=address, state=state, model_id=self.model_id)


_WORDS: Mapping[str, str] = {
    "starting": N_("The voice server loads its models"),
    "warming up": N_("The voice server warms up"),
    "ready": N_("The voice server answers at {address}"),
    "restarting": N_("The voice server is started again"),
}
