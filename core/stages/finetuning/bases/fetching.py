"""Brings the files of a plan into a folder: a hub's by a program of its own, a folder's by links or copies."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.backends.hubs import PART, Request, download_command, missing_bytes
from core.errors import StudioError, ToolFailedError
from core.stages.finetuning.bases.json_files import json_object
from core.stages.finetuning.bases.planning import BasePlan, refuse_without_room, shown_size
from core.store.files import sha256_of
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext
    from core.stages.finetuning.bases.settings import Hubs

_REQUEST, _REPORT = "download.json", "fetched.json"
_STALE = 10.0
"""Seconds after which a line is no news: of a program that is followed anew, the first lines are read again."""


def fetch(plan: BasePlan, folder: Path, *, context: RunContext, hubs: Hubs, until: float) -> dict[str, str]:
    """Bring every file of the plan into the folder and return name -> sha256; what is there already stays.

    `until` is the share of the run's progress that this takes. Raises MissingArtifactError, before it begins, where
    the disk has no room for what is missing; ToolFailedError with a remedy when the hub does not give everything.
    """
    if plan.source == "folder":
        return _from_folder(plan, folder, context=context, until=until)
    report = context.folder / _REPORT
    if not report.exists():
        refuse_without_room(plan, missing_bytes(folder, plan.files), folder.parent)
        address = hubs.address(plan.source)
        request = Request(
            hub=plan.source,
            endpoint=address.endpoint,
            token_name=address.token,
            repository=plan.repository,
            revision=plan.revision,
            folder=str(folder),
            report=str(report),
            files=plan.files,
        )
        request.write(context.folder / _REQUEST)
    watch = _DownloadWatch(context, until)
    try:
        context.execute("download", lambda: download_command(context.folder / _REQUEST), on_line=watch.on_line)
    except ToolFailedError as failure:
        raise (watch.failure or failure) from failure
    found: dict[str, str] = json.loads(report.read_text(encoding="utf-8"))
    return found


@dataclass
class _DownloadWatch:
    """Reads what the download program says."""

    context: RunContext
    until: float
    failure: StudioError | None = None

    def on_line(self, line: str) -> None:
        """Report how far a line says it is; keep what it says went wrong."""
        told = json_object(line)
        if "error" in told:
            error = told["error"]
            self.failure = ToolFailedError(error["message"], remedy=error["remedy"], **error["values"])
        elif "at" in told and time.time() - told["when"] < _STALE:
            self._report(told)

    def _report(self, told: Mapping[str, Any]) -> None:
        at, of, rate = told["at"], max(told["of"], 1), told["rate"]
        self.context.progress(
            self.until * at / of,
            N_("Fetching {file}: {at} of {of}, {rate} a second"),
            seconds_left=(of - at) / rate if rate > 0 else None,
            file=told["file"],
            at=shown_size(at),
            of=shown_size(of),
            rate=shown_size(rate),
        )


def _from_folder(plan: BasePlan, folder: Path, *, context: RunContext, until: float) -> dict[str, str]:
    """Link each file, which costs no room, or copy it where the disks differ."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(plan.repository)
    done, found = 0, {}
    for file in plan.files:
        context.check()
        context.progress(until * done / max(plan.bytes, 1), N_("Taking over {file}"), file=file.name)
        _place((source / file.name).resolve(), folder / file.name, plan)
        found[file.name] = sha256_of(folder / file.name)
        done += file.size
    return found


def _place(source: Path, target: Path, plan: BasePlan) -> None:
    if target.exists():
        return
    with suppress(OSError):  # another disk, or one that knows no links
        os.link(source, target)
        return
    refuse_without_room(plan, source.stat().st_size, target.parent)
    part = target.with_name(target.name + PART)
    shutil.copyfile(source, part)
    part.replace(target)
