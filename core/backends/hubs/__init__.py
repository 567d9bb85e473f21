"""Hubs: where the world keeps its models. A hub lists a repository's files and hands out their bytes, from any place.

The hubs' own libraries know addresses, tokens and errors. Their downloads are not used: huggingface_hub 2 throws away
what it has of a file when it is broken off, and modelscope-hub gives a file up after an hour. `download.py` keeps every
byte, the same way for all.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from core.backends.rows import Row
from core.domain.run import Command
from core.errors import ToolFailedError
from core.settings import PROJECT
from core.translation import N_


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository."""

    name: str
    """Relative to the repository, with `/` between folders."""
    size: int
    sha256: str = ""
    """Empty where the hub does not tell it."""
    blob: str = ""
    """Its name in git (SHA-1), where the hub tells that instead."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository at one moment."""

    repository: str
    revision: str
    """The commit where the hub tells one; else the branch or tag that was asked for."""
    files: tuple[HubFile, ...]


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes of a file as they arrive."""

    begin: int
    """Where in the file they begin: where it was asked for, or 0 from a server that cannot begin there."""
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class HubSource:
    """What a hub is built from."""

    endpoint: str = ""
    """Base address; empty for the hub's own."""
    token: str = ""


class HubRefusedError(ToolFailedError):
    """The hub does not give this, however often it is asked."""


class HubUnreachableError(ToolFailedError):
    """This time nothing, or not everything, came; asking again may help."""


class Hub(Protocol):
    """One hub."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    def snapshot(self, repository: str, revision: str = "") -> Snapshot:
        """Return what is in the repository; HubRefusedError where it is not given, HubUnreachableError where silent."""
        ...

    def open(self, repository: str, revision: str, file: str, begin: int = 0) -> AbstractContextManager[Stream]:
        """Lend the file's bytes from `begin` on; raises as `snapshot` does, also while the bytes are read."""
        ...


def _huggingface(source: HubSource) -> Hub:
    from core.backends.hubs.huggingface import HuggingFace

    return HuggingFace(source)


def _modelscope(source: HubSource) -> Hub:
    from core.backends.hubs.modelscope import ModelScope

    return ModelScope(source)


HUBS: Mapping[str, Row[HubSource, Hub]] = {
    row.name: row
    for row in (
        Row(
            "huggingface",
            N_("Hugging Face, or a mirror that speaks its protocol."),
            _huggingface,
            modules=("huggingface_hub",),
            install="pip install huggingface-hub",
        ),
        Row(
            "modelscope",
            N_("ModelScope."),
            _modelscope,
            modules=("modelscope_hub",),
            install="pip install modelscope-hub",
        ),
    )
}


PART = ".part"
"""Ends the name of a file that is not whole yet."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the download program is to fetch, from where to where; the token itself is only in the environment."""

    hub: str
    endpoint: str
    token_name: str
    """The environment variable that holds the token."""
    repository: str
    revision: str
    folder: str
    report: str
    """The file that gets name -> sha256 once everything is there."""
    files: tuple[HubFile, ...] = ()

    def write(self, file: Path) -> None:
        """Write the request for the program to read."""
        file.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Request:
        """Read what `write` wrote."""
        values = json.loads(file.read_text(encoding="utf-8"))
        files = tuple(HubFile(**one) for one in values.pop("files"))
        return cls(**values, files=files)


def download_command(request: Path) -> Command:
    """Return the program that does the request in that file, and goes on from what is there.

    Its lines are JSON: `{"at", "of", "file", "rate", "when"}` for bytes that are there and bytes in all, the bytes a
    second, and the time of the line; `{"error": {"message", "remedy", "values"}}` where it ends with 1.
    """
    return Command((sys.executable, "-m", "core.backends.hubs.download", str(request)), PROJECT)


def missing_bytes(folder: Path, files: Sequence[HubFile]) -> int:
    """Return how much is still to come into the folder."""
    return sum(one.size - _there(folder, one) for one in files)


def _there(folder: Path, file: HubFile) -> int:
    for name in (file.name, file.name + PART):
        path = folder / name
        if path.exists():
            return min(path.stat().st_size, file.size)
    return 0


def absent(hub: str, repository: str, revision: str) -> HubRefusedError:
    """Return what to raise for a repository, revision or file that is not there, or hidden."""
    return HubRefusedError(
        N_("{hub} has no {repository}, or hides it."),
        remedy=N_("Check the name, owner/name, and the revision. A private one wants a token in the environment."),
        hub=hub,
        repository=f"{repository}@{revision}" if revision else repository,
    )


def gated(hub: str, repository: str) -> HubRefusedError:
    """Return what to raise for a repository that wants its terms accepted, or a token that is not right."""
    return HubRefusedError(
        N_("{hub} does not give {repository} to everybody."),
        remedy=N_(
            "Accept its terms on the hub's page, set your token in the environment (configs/hubs.yaml names the "
            "variable), and start the app again."
        ),
        hub=hub,
        repository=repository,
    )


def unreachable(hub: str, address: str, problem: object) -> HubUnreachableError:
    """Return what to raise where no answer, or only part of one, came."""
    return HubUnreachableError(
        N_("{hub} at {address} gives no whole answer: {problem}"),
        remedy=N_("Check the network, or name a mirror in configs/hubs.yaml; then try again."),
        hub=hub,
        address=address,
        problem=" ".join(str(problem).split())[:300] or type(problem).__name__,
    )


def first_byte(status: int, content_range: str | None, begin: int) -> int:
    """Return where the bytes of an answer begin: a server that cannot begin in the middle sends the whole file."""
    if status != 206:
        return 0
    told = (content_range or "").removeprefix("bytes ").partition("-")[0]
    return int(told) if told.isdecimal() else begin
