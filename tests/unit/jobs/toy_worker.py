"""A worker with toy jobs, run as a program of its own so that tests can kill it: `toy_worker.py WORKSPACE`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.domain.run import Command
from core.errors import InvalidInputError
from core.jobs.context import RunContext
from core.jobs.queue import Job, Jobs
from core.jobs.worker import work
from core.settings import JobSettings, Settings
from core.store import Store


class ToySettings(BaseModel):
    """What a toy job takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = 1
    fail: bool = False
    gpus: int = 0


def count(settings: ToySettings, context: RunContext) -> Mapping[str, Any]:
    """Work in this process: one line to `done` for each second's tenth, a step that must happen once."""
    context.step("prepare", lambda: _append(context.folder / "prepared"))
    _append(context.folder / "counting")  # only now is the step remembered: a kill before this may repeat it
    ticks = round(settings.seconds * 10)
    for tick in range(ticks):
        context.check()
        context.progress(tick / ticks, "tick {tick}", tick=tick)
        time.sleep(0.1)
    _append(context.folder / "finished")
    if settings.fail:
        raise InvalidInputError("The toy {name} is broken.", remedy="Take another toy.", name="drum")
    return {"ticks": ticks}


def program(settings: ToySettings, context: RunContext) -> Mapping[str, Any]:
    """Work in another program, which notes each of its starts and ends."""
    script = (
        f"import time, sys; open('started', 'a').write('x'); print('hello', flush=True); "
        f"time.sleep({settings.seconds}); open('ended', 'a').write('x'); print('bye'); sys.exit({int(settings.fail)})"
    )
    lines: list[str] = []
    context.execute("sleep", lambda: Command((sys.executable, "-c", script), cwd=context.folder), on_line=lines.append)
    return {"lines": lines}


def relay(settings: ToySettings, context: RunContext) -> Mapping[str, Any]:
    """Run two programs; the second fails the first time it runs."""
    heard: list[str] = []

    def say(words: str) -> Command:
        once = f"import os, sys; print({words!r}, flush=True); open({words!r}, 'a').write('x')"
        fail = "; sys.exit(os.path.getsize('second') < 2)" if words == "second" else ""
        return Command((sys.executable, "-c", once + fail), cwd=context.folder)

    context.execute("first", lambda: say("first"), on_line=heard.append)
    context.execute("second", lambda: say("second"))
    return {"heard": heard}


def on_gpus(settings: ToySettings, context: RunContext) -> Mapping[str, Any]:
    """Work in another program on GPUs; it notes when it starts and ends, and which it sees."""
    held = context.gpus(settings.gpus)
    script = (
        "import os, time; note = lambda what: print(what, time.time(), os.environ.get('CUDA_VISIBLE_DEVICES', ''), "
        f"file=open('turns', 'a')); note('start'); time.sleep({settings.seconds}); note('end')"
    )
    context.execute("work", lambda: Command((sys.executable, "-c", script), cwd=context.folder))
    return {"gpus": list(held)}


def bug(settings: ToySettings, context: RunContext) -> Mapping[str, Any]:
    """Fail as no job should."""
    raise ZeroDivisionError("a bug")


TOYS = {
    job.kind: job
    for job in (
        Job("count", "Count", "cpu", ToySettings, count),
        Job("program", "Program", "gpu", ToySettings, program),
        Job("on_gpus", "On GPUs", "gpu", ToySettings, on_gpus),
        Job("relay", "Relay", "cpu", ToySettings, relay),
        Job("bug", "Bug", "cpu", ToySettings, bug),
    )
}


def open_toys(workspace: Path) -> tuple[Settings, Store, Jobs]:
    """Return a workspace's settings, store and toy jobs."""
    settings = Settings(workspace=workspace, jobs=JobSettings(poll_seconds=0.1, stop_grace_seconds=1))
    store = Store(settings.store_url, workspace)
    return settings, store, Jobs(settings, store, TOYS)


def _append(path: Path) -> int:
    with path.open("a") as file:
        file.write("x")
    return path.stat().st_size


if __name__ == "__main__":
    until = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: until.set())
    work(*open_toys(Path(sys.argv[1])), until=until)
    os._exit(0)
