"""A voice server as a run, on the stand-in's api_v2: it answers, is watched, and comes back when it dies or hangs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.backends.tools.gpt_sovits.checkout import pretrained_gpt
from core.backends.tts import ServerState, state_of
from core.domain.identity import now
from core.domain.run import Run, RunState
from core.errors import RunCancelledError, ToolFailedError
from core.jobs.context import RunContext
from core.jobs.machine import Machine
from core.lending import own_servers
from core.settings import JobSettings
from core.stages.voice_training import server_watch
from core.stages.voice_training.serving import ServerSettings, run
from core.store import Store
from tests.standins.gpt_sovits.layout import StandIn, lay_out
from tests.standins.gpt_sovits.world import free_port, pid_of, trainer_on, until

PERSONA = "a-qing"


class Keeper:
    """Keeps a voice server running as a worker would."""

    def __init__(self, store: Store, stand_in: StandIn) -> None:
        self.store, self.stand_in = store, stand_in
        self._pool = ThreadPoolExecutor(1)
        self.serving: Future[Any] | None = None

    @property
    def folder(self) -> Path:
        return self.store.workspace / "runs" / "run-server"

    def start(self, **settings: Any) -> Future[Any]:
        """Begin to serve; the future fails when the run does."""
        wanted = ServerSettings(**{"version": "v2", "device": "cpu", "precision": "float32", **settings})
        record = Run(
            id="run-server",
            kind="voice_server",
            persona_id=PERSONA,
            queue="servers",
            state=RunState.RUNNING,
            settings=wanted.model_dump(mode="json"),
            inputs={},
            created_at=now(),
            created_by="test",
        )
        self.store.runs.add(record)
        machine = Machine(JobSettings(host="here", gpus=()))
        context = RunContext(record, store=self.store, folder=self.folder, poll=0.02, grace=1, machine=machine)
        serving: Future[Any] = self._pool.submit(
            run, wanted, context=context, store=self.store, trainer=trainer_on(self.stand_in)
        )
        self.serving = serving
        return serving

    def is_ready(self) -> bool:
        assert self.serving is not None
        if self.serving.done():
            self.serving.result()
        return [one.state for one in own_servers(self.store)] == ["ready"]

    @property
    def address(self) -> str:
        return own_servers(self.store)[0].address

    def pid(self) -> int:
        """Return the server's process; 0 while it is being started."""
        with suppress(FileNotFoundError):
            return pid_of(self.folder / "commands" / "server")
        return 0

    def log(self) -> str:
        return (self.folder / "run.log").read_text(encoding="utf-8")

    def stop(self) -> None:
        """Ask the run to stop, and wait until it has."""
        self.store.runs.request_stop("run-server")
        if self.serving is not None:
            self.serving.exception(30)
        self._pool.shutdown()


@pytest.fixture
def keeper(store: Store, tmp_path: Path) -> Iterator[Keeper]:
    made = Keeper(store, lay_out(tmp_path / "tool"))
    yield made
    made.stop()


def test_a_server_says_where_it_answers_and_ends_with_its_run(keeper: Keeper) -> None:
    serving = keeper.start()
    until(keeper.is_ready)
    address = keeper.address
    assert state_of(address) is ServerState.READY

    keeper.stop()

    assert isinstance(serving.exception(), RunCancelledError)
    assert state_of(address) is ServerState.GONE
    assert keeper.stand_in.git_status() == ""


def test_a_killed_server_is_started_again_at_the_same_address(keeper: Keeper) -> None:
    keeper.start()
    until(keeper.is_ready)
    address, first = keeper.address, keeper.pid()

    os.killpg(first, signal.SIGKILL)
    until(lambda: keeper.pid() not in (0, first) and keeper.is_ready())

    assert keeper.address == address
    assert state_of(address) is ServerState.READY
    assert "started again" in keeper.log()


def test_a_hanging_server_is_ended_and_started_again(keeper: Keeper) -> None:
    keeper.start()
    until(keeper.is_ready)
    first = keeper.pid()

    os.killpg(first, signal.SIGSTOP)
    until(lambda: keeper.pid() not in (0, first) and keeper.is_ready())

    assert "It hangs." in keeper.log()


def test_a_hang_is_noticed_within_five_seconds_however_the_looks_fall() -> None:
    steps = (
        server_watch.LOOK_EVERY,
        server_watch._FIRST_LOOK,
        server_watch._IDLE_SECONDS,
        server_watch._LAST_LOOK,
    )
    assert sum(steps) < 5


def test_a_server_that_loads_answers_nobody_and_is_left_alone(keeper: Keeper) -> None:
    keeper.start()
    until(keeper.is_ready)
    first = keeper.pid()
    keeper.stand_in.behave(switch_seconds=5.0)

    weights = keeper.stand_in.checkout / pretrained_gpt("v2")
    answer = httpx.get(f"{keeper.address}/set_gpt_weights", params={"weights_path": str(weights)}, timeout=30)

    assert answer.status_code == 200
    assert keeper.pid() == first
    assert "started again" not in keeper.log()


def test_a_server_that_does_not_come_up_fails_the_run_with_the_reason(keeper: Keeper) -> None:
    (keeper.stand_in.checkout / "api_v2.py").write_text("raise SystemExit('No module named \\'fastapi\\'')\n")

    with pytest.raises(ToolFailedError, match="fastapi"):
        keeper.start().result(60)


def test_a_server_that_ends_again_and_again_is_given_up(keeper: Keeper) -> None:
    serving = keeper.start()
    until(keeper.is_ready)
    while not serving.done():
        first = keeper.pid()
        os.killpg(first, signal.SIGKILL)
        until(lambda first=first: serving.done() or (keeper.pid() not in (0, first) and keeper.is_ready()))

    with pytest.raises(ToolFailedError, match="ended 5 times"):
        serving.result()


def test_a_chosen_port_is_kept(keeper: Keeper) -> None:
    port = free_port()
    keeper.start(port=port)
    until(keeper.is_ready)

    assert keeper.address == f"http://127.0.0.1:{port}"
