"""A worker with the jobs that ask a model, run as a program of its own so that tests can kill it: WORKSPACE."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from core.jobs.worker import work
from core.services import Services, open_services
from core.settings import JobSettings, Settings


def open_studio(workspace: Path) -> Services:
    """Return the services of a workspace; runs are looked for often."""
    return open_services(Settings(workspace=workspace, jobs=JobSettings(poll_seconds=0.1, stop_grace_seconds=1)))


if __name__ == "__main__":
    until = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: until.set())
    studio = open_studio(Path(sys.argv[1]))
    work(studio.settings, studio.store, studio.jobs, until=until)
    os._exit(0)
