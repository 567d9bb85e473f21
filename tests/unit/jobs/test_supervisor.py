"""The app and its worker are kept running together, and end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.domain.run import RunState
from core.services import open_services
from core.settings import load_settings

PROJECT = Path(__file__).resolve().parents[3]


def wait_until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.2)


class House:
    """A whole app on a port of its own."""

    def __init__(self, workspace: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {
            **os.environ,
            "DAIYU_WORKSPACE": str(workspace),
            "DAIYU_SERVER__PORT": str(self.port),
        }
        self.supervisor = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "core", "run"], cwd=PROJECT, env=self.environment)

    def part(self, word: str) -> psutil.Process | None:
        children = psutil.Process(self.supervisor.pid).children()
        return next((one for one in children if word in " ".join(one.cmdline())), None)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.supervisor.send_signal(signal.SIGTERM)
    made.supervisor.wait(60)


@pytest.mark.slow
def test_a_killed_app_comes_back_while_a_run_goes_on_and_all_ends_together(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAIYU_WORKSPACE", str(tmp_path))
    wait_until(house.answers)
    services = open_services(load_settings())
    run = services.jobs.submit("dialogues", services.settings.persona, {}, who="test")
    app = house.part("streamlit")
    assert app is not None

    app.send_signal(signal.SIGKILL)
    app.wait(20)
    wait_until(lambda: (again := house.part("streamlit")) is not None and again.pid != app.pid)
    wait_until(house.answers)
    wait_until(lambda: services.store.runs.get(run.id).state.over)

    assert services.store.runs.get(run.id).state is RunState.SUCCEEDED
    parts = [house.part("streamlit"), house.part("worker")]
    house.supervisor.send_signal(signal.SIGTERM)
    assert house.supervisor.wait(60) == 0
    wait_until(lambda: not any(one is not None and one.is_running() for one in parts))
    services.close()


@pytest.mark.slow
def test_a_taken_port_is_named_with_a_free_one(house: House) -> None:
    wait_until(house.answers)

    second = subprocess.run(
        [sys.executable, "-m", "core", "run"],
        cwd=PROJECT,
        env=house.environment,
        capture_output=True,
        timeout=90,
        check=False,
    )

    assert second.returncode == 2
    assert f"DAIYU_SERVER__PORT={house.port + 1}" in second.stderr.decode()
