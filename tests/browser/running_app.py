"""The real app and its worker on a port of their own, in a workspace of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from core.services import Services, open_services
from core.settings import Settings, load_settings

PROJECT = Path(__file__).resolve().parents[2]


class RunningApp:
    """`python -m core run`, started and waited for; `stop` ends it as a service manager would."""

    def __init__(self, workspace: Path, settings: Mapping[str, str] | None = None, project: Path = PROJECT) -> None:
        """Start it; `settings` are further `DAIYU_…` variables, `project` a copy of the program with other configs."""
        self.workspace = workspace
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = workspace.with_name(f"{workspace.name}.log")
        self._environment = {
            **os.environ,
            "DAIYU_WORKSPACE": str(workspace),
            "DAIYU_SERVER__PORT": str(self.port),
            **(settings or {}),
        }
        with self.log.open("wb") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "core", "run"],
                cwd=project,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until(self._answers, 120, lambda: f"the app did not start; its log is {self.log}")
        except AssertionError:
            self.stop()
            raise

    def services(self) -> Services:
        """Open the same workspace from here, to prepare records and to look at what the app wrote."""
        settings: Settings = load_settings().model_copy(update={"workspace": self.workspace})
        return open_services(settings)

    def worker(self) -> psutil.Process:
        """Return the worker's process."""
        children = psutil.Process(self._supervisor.pid).children()
        return next(one for one in children if one.cmdline()[-1] == "worker")

    def stop(self) -> None:
        """End the app, the worker and the supervisor."""
        if self._supervisor.poll() is not None:
            return
        self._supervisor.send_signal(signal.SIGTERM)
        try:
            self._supervisor.wait(40)
        except subprocess.TimeoutExpired:
            parent = psutil.Process(self._supervisor.pid)
            for process in [*parent.children(recursive=True), parent]:
                process.kill()
            self._supervisor.wait(20)

    def _answers(self) -> bool:
        assert self._supervisor.poll() is None, f"the app ended at once; its log is {self.log}"
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def program(folder: Path, configs: Mapping[str, str]) -> Path:
    """Copy the program into a folder and write these of its configuration files (name -> text); return the folder."""
    for part in ("core", "pages", "configs", ".streamlit"):
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "Home.py", folder)
    for name, text in configs.items():
        (folder / "configs" / name).write_text(text, encoding="utf-8")
    return folder


def wait_until(condition: Callable[[], object], seconds: float, problem: Callable[[], str] = lambda: "") -> None:
    """Return as soon as the condition holds; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, problem() or "waited too long"
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
