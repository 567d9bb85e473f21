"""What is installed, what is missing, and the remedy for each: `python -m core doctor`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from core.settings import QueueSettings
from core.translation import N_

if TYPE_CHECKING:
    from core.services import Services

_OLDEST_PYTHON = (3, 11)
_ROOM_GB = 6
"""Disk that the tool environments and one fine-tuning need together."""

_PACKAGES = {
    "streamlit": "streamlit",
    "streamlit-chat": "streamlit_chat",
    "streamlit-audiorec": "st_audiorec",
    "transformers": "transformers",
    "torch": "torch",
    "openai": "openai",
    "kor": "kor",
    "pandas": "pandas",
    "plotly": "plotly",
    "librosa": "librosa",
    "noisereduce": "noisereduce",
    "av": "av",
    "pyloudnorm": "pyloudnorm",
    "dbos": "dbos",
    "espeakng-loader": "espeakng_loader",
}
"""Distribution -> module; found, not imported: a check must not take a minute."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    fine: bool
    detail: str
    remedy: str = ""

    def plain(self) -> dict[str, object]:
        """Return the finding as JSON values."""
        return asdict(self)


def examine(services: Services) -> list[Finding]:
    """Look at everything the app uses; takes a second or two, more where GPT-SoVITS is set up, changes nothing."""
    return [
        _python(),
        *_packages(),
        _recognition(),
        _disk(services),
        _gpu(services),
        _worker(services),
        _queues(services),
        *_toolchains(services),
        _voice_tool(services),
    ]


def _python() -> Finding:
    fine = sys.version_info >= _OLDEST_PYTHON
    return Finding("Python", fine, platform.python_version(), "" if fine else N_("Install Python 3.11 or newer."))


def _packages() -> Iterator[Finding]:
    for name, module in _PACKAGES.items():
        if importlib.util.find_spec(module) is None:
            yield Finding(name, False, N_("not installed"), N_("Run `make run` or `make test`; both install it."))
        else:
            yield Finding(name, True, importlib.metadata.version(name))


def _recognition() -> Finding:
    """Nothing lacks without it: words come from subtitles, a server, or by hand."""
    if importlib.util.find_spec("faster_whisper") is None:
        return Finding("faster-whisper", True, N_("not installed; words come from subtitles, a server, or by hand"))
    return Finding("faster-whisper", True, importlib.metadata.version("faster-whisper"))


def _disk(services: Services) -> Finding:
    free = shutil.disk_usage(services.settings.workspace).free / 1e9
    remedy = N_("Free some space, or move the workspace with DAIYU_WORKSPACE.")
    return Finding(N_("free disk"), free > _ROOM_GB, f"{free:.0f} GB", "" if free > _ROOM_GB else remedy)


def _gpu(services: Services) -> Finding:
    machine = services.execution.machine
    held = services.store.gpus.held(machine.name)
    shown = [f"{gpu} ({held[gpu]})" if gpu in held else gpu for gpu in machine.gpus]
    return Finding("GPU", True, ", ".join(shown) or N_("none; everything runs on the processor"))


def _worker(services: Services) -> Finding:
    alive = services.jobs.workers()
    names = ", ".join(f"{one.name} (pid {one.pid} on {one.host})" for one in alive)
    remedy = N_("Start the app with `make run`, or a worker alone with `python -m core worker`.")
    return Finding(N_("worker"), bool(alive), names or N_("none is running"), "" if alive else remedy)


def _queues(services: Services) -> Finding:
    """Each queue with how many of its runs are done at once; a run in a queue of nobody waits for ever."""
    workers = services.jobs.workers()
    at_once = {queue: sum(one.queues.get(queue, 0) for one in workers) for queue in QueueSettings.model_fields}
    fine = all(at_once.values())
    remedy = N_("Start a worker for each, e.g. DAIYU_JOBS__QUEUES__GPU=1 python -m core worker.")
    shown = ", ".join(f"{queue}: {number}" for queue, number in at_once.items())
    return Finding(N_("runs at once"), fine, shown, "" if fine or not workers else remedy)


def _toolchains(services: Services) -> Iterator[Finding]:
    from core.backends.tools.toolchains import check

    for name in services.settings.toolchains:
        report = check(name, services.settings)
        yield Finding(name, report.fine, report.detail, report.remedy)


def _voice_tool(services: Services) -> Finding:
    """Nothing lacks without it: trained voices are not everybody's."""
    name = "GPT-SoVITS"
    if services.voice_tool_place() is None:
        return Finding(name, True, N_("not set up; the voice training page asks where it is"))
    found = services.look_at_voice_tool()
    for problem in found.problems:
        return Finding(name, False, problem.message.format(**problem.values), problem.remedy.format(**problem.values))
    ready = ", ".join(model.version for model in found.models if not model.missing())
    device = ", ".join(found.gpus) or "CPU"
    versions = " ".join(f"{package} {version}" for package, version in found.versions.items())
    return Finding(name, True, f"{found.commit[:12]} · {versions} · {device} · {ready or '-'}")
