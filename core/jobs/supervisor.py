"""Keeps the app and its worker running together: `python -m core run`."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from core.errors import ConflictError
from core.settings import PROJECT, Settings, inherited_environment
from core.translation import N_

_PR_SET_PDEATHSIG = 1
_LOOK_EVERY = 0.5
_PATIENCE = 60.0
"""A program that ran this long before it died is started again at once."""


@dataclass(slots=True)
class _Part:
    name: str
    argv: list[str]
    program: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    not_before: float = field(default=0.0)


def supervise(settings: Settings, *, until: threading.Event, say: Callable[[str], None]) -> None:
    """Run the app and the worker until `until` is set, starting again whichever dies.

    Raises ConflictError when something else listens on the app's port. Programs that runs have started are
    not ended: they go on and are followed again at the next start.
    """
    server = settings.server
    _refuse_busy_port(server.address, server.port)
    streamlit = ["-m", "streamlit", "run", str(PROJECT / "Home.py"), "--server.headless", "true"]
    address = ["--server.address", server.address, "--server.port", str(server.port)]
    parts = [
        _Part("app", [sys.executable, *streamlit, *address]),
        _Part("worker", [sys.executable, "-m", "core", "worker"]),
    ]
    try:
        while not until.is_set():
            for part in parts:
                _keep_up(part, say)
            until.wait(_LOOK_EVERY)
    finally:
        _end(parts, settings.jobs.stop_grace_seconds)


def _keep_up(part: _Part, say: Callable[[str], None]) -> None:
    if part.program is not None and part.program.poll() is not None:
        lasted = time.monotonic() - part.started
        part.deaths = 0 if lasted > _PATIENCE else part.deaths + 1
        wait = min(2 ** max(part.deaths - 1, 0), 30) if part.deaths > 1 else 0
        part.not_before = time.monotonic() + wait
        say(f"The {part.name} ended with code {part.program.returncode}; starting it again in {wait} s.")
        part.program = None
    if part.program is None and time.monotonic() >= part.not_before:
        part.started = time.monotonic()
        part.program = subprocess.Popen(
            part.argv,
            cwd=PROJECT,
            env=inherited_environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )


def _end(parts: list[_Part], grace: float) -> None:
    running = [part.program for part in parts if part.program is not None]
    for program in running:
        with suppress(ProcessLookupError):
            program.terminate()
    for program in running:
        try:
            program.wait(grace)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def _die_with_parent() -> None:
    """Let the kernel end the app and the worker when the supervisor is killed, so that no port stays taken."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _refuse_busy_port(address: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            raise ConflictError(
                N_("Something already listens on {address}:{port}."),
                remedy=N_("If it is this app, open it there; otherwise start with DAIYU_SERVER__PORT={other}."),
                address=address,
                port=port,
                other=port + 1,
            ) from None
