"""A server of trained voices as a run: started, watched, started again when it ends or hangs, until it is stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NoReturn

from pydantic import Field

from core.backends.tts import ServerState, state_of, trained_voice
from core.domain.section import Section
from core.domain.voice_training import TrainedVoice, VoiceServing, VoiceVersion
from core.errors import InvalidInputError, StudioError, ToolFailedError
from core.jobs.machine import free_port
from core.stages.voice_training.cards import card_of
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools import VoiceTrainer
    from core.jobs.context import Companion, RunContext
    from core.store import Store

HOST = "127.0.0.1"
_PROGRAM = "server"
_LOOK_EVERY = 0.5
_AT_WORK = 0.05
"""Seconds of processor time between two looks that tell a working server from a hanging one."""
_IDLE_SECONDS = 1.0
_FIRST_LOOK, _LAST_LOOK = 2.0, 0.5
"""Seconds a server gets to answer a look, and the last one before it is ended; with the idle second and the pause
between looks a hang is noticed within four seconds."""
_START_SECONDS = 300.0
"""A cold start from a slow disk."""
_MOST_RESTARTS, _WITHIN = 4, 600.0
"""So many restarts within so many seconds, and it is given up."""
_GRACE = 2.0
"""Seconds a server that is to be started again gets to end by itself."""
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
    gpu = held_gpu(settings.device, context)
    port = settings.port or context.step("port", lambda: free_port(HOST))
    wanted = VoiceServing(
        folder=context.folder / _PROGRAM,
        version=trained.version if trained else settings.version,
        gpt=trained.gpt if trained else None,
        sovits=trained.sovits if trained else None,
        device=settings.device,
        precision="float32" if settings.device == "cpu" else settings.precision,
        gpu=gpu,
        port=port,
    )
    with context.beside(_PROGRAM, lambda: trainer.serve(wanted)) as server:
        _Watch(context, trainer, server, f"http://{HOST}:{port}", settings.model_id, trained).keep()


def _trained(settings: ServerSettings, store: Store) -> TrainedVoice | None:
    if not settings.model_id:
        return None
    card, home = card_of(store.models.get(settings.model_id), store)
    return card.trained(home.resolve())


def held_gpu(device: Literal["cpu", "gpu"], context: RunContext) -> str:
    """Hold the GPU a server needs and return its number, or nothing for a CPU; InvalidInputError for a slice of one."""
    if device == "cpu":
        context.gpus(0)
        return ""
    (gpu,) = context.gpus(1)
    if not gpu.isdecimal():
        raise InvalidInputError(
            N_("GPT-SoVITS takes GPUs by their number, and {gpu} has none."),
            remedy=N_("Name GPUs by number in configs/app.yaml (jobs.gpus); a slice of a GPU cannot be used."),
            gpu=gpu,
        )
    return gpu


@dataclass
class _Watch:
    """Looks at a server, says how it is, and starts it again."""

    context: RunContext
    trainer: VoiceTrainer
    server: Companion
    address: str
    model_id: str
    trained: TrainedVoice | None
    _restarts: list[float] = field(default_factory=list, repr=False)
    _said: tuple[str, float] = field(default=("", 0.0), repr=False)
    _since: float = field(default_factory=time.monotonic, repr=False)
    """When it was started the last time."""
    _served: bool = field(default=False, repr=False)
    """Whether it has answered since it was started."""
    _ever: bool = field(default=False, repr=False)

    def keep(self) -> NoReturn:
        """Watch until the run is stopped."""
        while True:
            self.context.check()
            self._look()
            time.sleep(_LOOK_EVERY)

    def _look(self) -> None:
        used = self.server.processor_seconds()
        state = state_of(self.address, patience=_FIRST_LOOK)
        if not self.server.alive():
            self._again(N_("It ended."))
        elif state is ServerState.READY:
            self._answered()
        elif not self._served:
            self._say("restarting" if self._ever else "starting")
            if time.monotonic() - self._since > _START_SECONDS:
                self._again(N_("It did not come up."))
        elif self._hangs(used):
            self._again(N_("It hangs."))

    def _hangs(self, used: float) -> bool:
        """Whether a server that does not answer does nothing either; loading weights it answers nobody, but works."""
        time.sleep(_IDLE_SECONDS)
        if self.server.processor_seconds() - used >= _AT_WORK:
            return False
        return state_of(self.address, patience=_LAST_LOOK) is not ServerState.READY

    def _answered(self) -> None:
        if not self._served:
            self._served = self._ever = True
            self.context.log(f"the voice server answers at {self.address}")
            self._say("warming up")
            self._warm_up()
        self._say("ready")

    def _warm_up(self) -> None:
        """Load the voice and let it speak once unheard; what goes wrong will be told to whoever speaks next."""
        if self.trained is None:
            return
        try:
            trained_voice(self.trained, (self.address,)).prepare()
        except StudioError as trouble:
            self.context.log(f"warming up: {trouble}")

    def _again(self, why: str) -> None:
        reason = self.trainer.explain(self.context.last_output())
        if not self._ever:
            raise reason or ToolFailedError(
                N_("The voice server did not start."), remedy=N_("Read the end of the run's log; it says why.")
            )
        moment = time.monotonic()
        self._restarts = [one for one in self._restarts if moment - one < _WITHIN]
        if len(self._restarts) >= _MOST_RESTARTS:
            raise reason or ToolFailedError(
                N_("The voice server ended {count} times within minutes."),
                remedy=N_("Read the end of the run's log; start it again once the cause is mended."),
                count=len(self._restarts) + 1,
            )
        self._restarts.append(moment)
        self.context.log(f"{why} The voice server is started again.")
        self._say("restarting")
        self.server.restart(grace=_GRACE)
        self._since, self._served = time.monotonic(), False

    def _say(self, state: str) -> None:
        """Write the state where others look for it; a state that did not change now and then only."""
        before, at = self._said
        if state == before and time.monotonic() - at < _SAY_EVERY:
            return
        self._said = (state, time.monotonic())
        words = _WORDS[state]
        self.context.progress(None, words, address=self.address, state=state, model_id=self.model_id)


_WORDS: Mapping[str, str] = {
    "starting": N_("The voice server loads its models"),
    "warming up": N_("The voice server warms up"),
    "ready": N_("The voice server answers at {address}"),
    "restarting": N_("The voice server is started again"),
}
