"""Watches a server of trained voices that a run has started: looks at it, and starts it again when it ends or hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from core.backends.tts import ServerState, state_of
from core.errors import ToolFailedError
from core.jobs.machine import free_port
from core.jobs.whole import write_whole
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools import VoiceTrainer
    from core.jobs.context import Companion, RunContext

HOST = "127.0.0.1"
PROGRAM = "server"
"""What the run calls the program."""
LOOK_EVERY = 0.5
_PORT = "port"
"""In the run's folder: where the server listens that was started last."""
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


def port_of(context: RunContext, wanted: int = 0) -> int:
    """Return the port to serve on: the one that a server left alive by a crash listens on, else `wanted`, or a free one
    for 0."""
    kept = context.folder / _PORT
    if context.alive(PROGRAM) and kept.exists():
        return int(kept.read_text(encoding="ascii"))
    port = wanted or free_port(HOST)
    write_whole(kept, str(port))
    return port


class Seen(StrEnum):
    """How a watched server is."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    """It answers nobody, but it is at work."""
    RESTARTING = "restarting"


@dataclass
class ServerWatch:
    """One server and how often it had to be started again."""

    context: RunContext
    trainer: VoiceTrainer
    server: Companion
    port: int
    restarting: Callable[[], None] = lambda: None
    """Called before it is started again, for those who are told of it."""
    restarts: int = 0
    _recent: list[float] = field(default_factory=list, repr=False)
    _since: float = field(default_factory=time.monotonic, repr=False)
    """When it was started the last time."""
    _served: bool = field(default=False, repr=False)
    """Whether it has answered since it was started."""
    _ever: bool = field(default=False, repr=False)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def look(self) -> Seen:
        """Look at it once, start it again where that is needed, and return how it is; takes four seconds at most.

        Raises ToolFailedError, with the reason where its log tells one, when it did not come up at all or ends again
        and again.
        """
        used = self.server.processor_seconds()
        state = state_of(self.address, patience=_FIRST_LOOK)
        if not self.server.alive():
            return self._again(N_("It ended."))
        if state is ServerState.READY:
            self._served = self._ever = True
            return Seen.READY
        if not self._served:
            if time.monotonic() - self._since > _START_SECONDS:
                return self._again(N_("It did not come up."))
            return Seen.RESTARTING if self._ever else Seen.STARTING
        return self._again(N_("It hangs.")) if self._hangs(used) else Seen.BUSY

    def come_up(self) -> None:
        """Look until it answers; raises as `look` does, and RunCancelledError when the run is stopped."""
        while self.look() is not Seen.READY:
            self.context.check()
            time.sleep(LOOK_EVERY)

    def _hangs(self, used: float) -> bool:
        """Whether a server that does not answer does nothing either; loading weights it answers nobody, but works."""
        time.sleep(_IDLE_SECONDS)
        if self.server.processor_seconds() - used >= _AT_WORK:
            return False
        return state_of(self.address, patience=_LAST_LOOK) is not ServerState.READY

    def _again(self, why: str) -> Seen:
        reason = self.trainer.explain(self.context.last_output())
        if not self._ever:
            raise reason or ToolFailedError(
                N_("The voice server did not start."), remedy=N_("Read the end of the run's log; it says why.")
            )
        moment = time.monotonic()
        self._recent = [one for one in self._recent if moment - one < _WITHIN]
        if len(self._recent) >= _MOST_RESTARTS:
            raise reason or ToolFailedError(
                N_("The voice server ended {count} times within minutes."),
                remedy=N_("Read the end of the run's log; start it again once the cause is mended."),
                count=len(self._recent) + 1,
            )
        self._recent.append(moment)
        self.restarts += 1
        self.context.log(f"{why} The voice server is started again.")
        self.restarting()
        self.server.restart(grace=_GRACE)
        self._since, self._served = time.monotonic(), False
        return Seen.RESTARTING
