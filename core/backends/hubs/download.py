"""The program that fetches a model's files: `python -m core.backends.hubs.download REQUEST.json`.

It is a program of its own so that it can be stopped at once, outlives the worker that started it, and goes on
from the bytes that are there. What it prints are lines of JSON: how far it is, and what went wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.backends.hubs import HUBS, PART, Hub, HubFile, HubSource, HubUnreachableError, Request, missing_bytes
from core.backends.rows import build
from core.errors import StudioError, ToolFailedError
from core.full_disk import full_disk
from core.settings import secret
from core.translation import N_

ATTEMPTS = 5
"""How often in a row a hub may give nothing before the program ends; every byte that comes starts the count anew."""

_SAY_EVERY, _SPEED_OVER = 1.0, 15.0
_LONGEST_PAUSE = 20.0
_BLOCK = 1 << 22


@dataclass
class Meter:
    """Says once a second how far everything is."""

    total: int
    before: int
    """Bytes that were there when the program began."""
    arrived: int = 0
    file: str = ""
    _said: float = 0.0
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, count: int) -> None:
        """Count bytes that arrived; less than none where a file begins anew."""
        self.arrived += count
        clock = time.monotonic()
        if clock - self._said >= _SAY_EVERY:
            self._said = clock
            self.say(clock)

    def say(self, clock: float) -> None:
        """Print a line; the speed is that of the last seconds."""
        self._marks.append((clock, self.arrived))
        while clock - self._marks[0][0] > _SPEED_OVER and len(self._marks) > 1:
            self._marks.popleft()
        began, had = self._marks[0]
        rate = (self.arrived - had) / (clock - began) if clock > began else 0.0
        _say({"at": self.before + self.arrived, "of": self.total, "file": self.file, "rate": rate, "when": time.time()})


def fetch(hub: Hub, request: Request) -> dict[str, str]:
    """Fetch every file that is not there whole, check each against what the hub tells of it; return name -> sha256.

    A file that came damaged is removed; the others are fetched all the same, then ToolFailedError names it.
    """
    folder = Path(request.folder)
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(one.size for one in request.files)
    meter = Meter(total, total - missing_bytes(folder, request.files))
    found: dict[str, str] = {}
    damaged = []
    for file in request.files:
        meter.file = file.name
        sha256 = _fetched(hub, request, file, meter)
        if sha256 is None:
            damaged.append(file.name)
        else:
            found[file.name] = sha256
    meter.say(time.monotonic())
    if damaged:
        raise ToolFailedError(
            N_("Came damaged, and was removed: {names}."),
            remedy=N_("Resume the run: only what was removed is fetched again."),
            names=", ".join(damaged),
        )
    return found


def _fetched(hub: Hub, request: Request, file: HubFile, meter: Meter) -> str | None:
    """Return the file's sha256 once it is there whole; None where it came damaged."""
    final = Path(request.folder) / file.name
    if not final.exists():
        part = final.with_name(final.name + PART)
        _fill(hub, request, file, part, meter)
        with part.open("rb+") as content:
            os.fsync(content.fileno())
        part.replace(final)
    sha256, fine = _checked(final, file)
    if not fine:
        meter.add(-final.stat().st_size)
        final.unlink()
    return sha256 if fine else None


def _fill(hub: Hub, request: Request, file: HubFile, part: Path, meter: Meter) -> None:
    """Ask for what is missing until it is there; a hub that gives nothing several times in a row is given up."""
    part.touch()
    failures = 0
    while (had := part.stat().st_size) < file.size:
        try:
            _append(hub, request, file, part, meter)
        except HubUnreachableError:
            failures = 0 if part.stat().st_size > had else failures + 1
            if failures >= ATTEMPTS:
                raise
            time.sleep(min(2.0**failures / 2, _LONGEST_PAUSE))
        else:
            if part.stat().st_size <= had:  # an answer without an error, and shorter than told
                break


def _append(hub: Hub, request: Request, file: HubFile, part: Path, meter: Meter) -> None:
    had = part.stat().st_size
    with (
        hub.open(request.repository, request.revision, file.name, had) as stream,
        part.open("rb+") as content,
    ):
        if stream.begin not in (0, had):
            return  # nothing that would fit; the check names the file
        content.seek(stream.begin)
        content.truncate()
        meter.add(stream.begin - had)
        for piece in stream.pieces:
            content.write(piece)
            content.flush()  # what is here survives the end of this process
            meter.add(len(piece))
            if content.tell() > file.size:  # what comes is not what was told; the check names it
                return


def _checked(path: Path, file: HubFile) -> tuple[str, bool]:
    """Return the file's sha256, and whether it is what the hub told of it."""
    sha256 = hashlib.sha256()
    size = path.stat().st_size
    blob = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)  # git's name for a file
    with path.open("rb") as content:
        while block := content.read(_BLOCK):
            sha256.update(block)
            blob.update(block)
    told = file.sha256.lower() or sha256.hexdigest()
    named = file.blob.lower() if len(file.blob) == 40 and not file.sha256 else blob.hexdigest()
    fine = size == file.size and told == sha256.hexdigest() and named == blob.hexdigest()
    return sha256.hexdigest(), fine


def _say(told: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _failed(error: StudioError) -> int:
    values = {name: str(value) for name, value in error.values.items()}
    _say({"error": {"message": error.message, "remedy": error.remedy, "values": values}})
    return 1


def main(arguments: Sequence[str]) -> int:
    """Do one request; 1 where a known failure ended it, told in the last line."""
    request = Request.read(Path(arguments[0]))
    try:
        hub = build(HUBS, request.hub, HubSource(request.endpoint, secret(request.token_name) or ""))
        found = fetch(hub, request)
        Path(request.report).write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    except StudioError as error:
        return _failed(error)
    except OSError as error:
        full = full_disk(error)
        if full is None:
            raise
        return _failed(full)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
