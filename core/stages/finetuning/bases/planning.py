"""What an import would bring: listed, judged and measured before a byte of weights is fetched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.backends.hubs import Hub, HubFile
from core.errors import InvalidInputError, MissingArtifactError
from core.stages.finetuning.bases.inspecting import (
    CONFIG,
    BaseProblem,
    architecture_of,
    inspect_base,
    needs_conversion,
    refusal_of,
    without_config,
    without_weights,
)
from core.stages.finetuning.bases.json_files import json_object
from core.stages.finetuning.bases.settings import BaseImport
from core.stages.finetuning.bases.wanted import MOST_BYTES_BESIDE, is_weights, wanted
from core.translation import N_

SPARE: Final = 256 << 20
"""Bytes that must stay free on the disk."""

_REPOSITORY: Final = re.compile(r"(?!\.)[\w.-]+/(?!\.)[\w.-]+", re.ASCII)
_MOST_CONFIG: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class BasePlan:
    """What would come, from where, and what stands in the way."""

    source: str
    repository: str
    """owner/name; or the folder, absolute."""
    revision: str
    """The commit, where the hub tells one; empty for a folder."""
    origin: str
    """As a base model's record names it."""
    files: tuple[HubFile, ...]
    architecture: str
    needs_conversion: bool
    free: int
    """Bytes free on the disk of the workspace."""
    problem: BaseProblem | None

    @property
    def bytes(self) -> int:
        """How large all files are together."""
        return sum(one.size for one in self.files)

    @property
    def needed(self) -> int:
        """How much room it takes while it is brought in: a conversion writes all of it once more."""
        return self.bytes * (2 if self.needs_conversion else 1) + SPARE


def plan_import(settings: BaseImport, *, workspace: Path, hub: Callable[[str], Hub]) -> BasePlan:
    """List what the settings name and judge it; `hub` gives the hub of that name. Nothing but a small file is fetched.

    Raises HubRefusedError or HubUnreachableError where the hub gives nothing, InvalidInputError for a name that is
    none, MissingArtifactError where the folder is not there.
    """
    if settings.source == "folder":
        return _of_folder(settings, workspace)
    if not _REPOSITORY.fullmatch(settings.repository):
        raise InvalidInputError(
            N_("{repository} is no name of a model on a hub."),
            remedy=N_("Write it as owner/name, e.g. Qwen/Qwen2.5-0.5B-Instruct."),
            repository=settings.repository,
        )
    chosen = hub(settings.source)
    found = chosen.snapshot(settings.repository, settings.revision)
    sizes = {one.name: one for one in found.files}
    files = tuple(sizes[name] for name in wanted(sizes) if is_weights(name) or sizes[name].size <= MOST_BYTES_BESIDE)
    config = _config(chosen, settings.repository, found.revision) if CONFIG in sizes else {}
    return BasePlan(
        source=settings.source,
        repository=settings.repository,
        revision=found.revision,
        origin=f"{settings.source}:{settings.repository}@{found.revision}",
        files=files,
        architecture=architecture_of(config),
        needs_conversion=needs_conversion(config),
        free=_free(workspace),
        problem=_problem(config, list(sizes), files, settings.repository),
    )


def refuse_without_room(plan: BasePlan, missing: int, workspace: Path) -> None:
    """Raise MissingArtifactError where what is still to come has no room on the disk."""
    needed = missing + (plan.bytes if plan.needs_conversion else 0) + SPARE
    free = _free(workspace)
    if free < needed:
        raise MissingArtifactError(
            N_("The disk has no room for this model: {needed} are needed, {free} are free."),
            remedy=N_(
                "Free some space (old models can be removed on the fine-tuning page), or choose a smaller model."
            ),
            needed=shown_size(needed),
            free=shown_size(free),
        )


def shown_size(size: float) -> str:
    """Return a number of bytes as people read it."""
    for unit, bytes_of_unit in (("GB", 1e9), ("MB", 1e6)):
        if size >= bytes_of_unit:
            return f"{size / bytes_of_unit:.1f} {unit}"
    return f"{size / 1e3:.1f} kB"


def _of_folder(settings: BaseImport, workspace: Path) -> BasePlan:
    folder = (workspace / settings.repository).resolve()
    if not folder.is_dir():
        raise MissingArtifactError(
            N_("There is no folder {folder}."),
            remedy=N_("Give the folder that holds config.json and the weights."),
            folder=settings.repository,
        )
    names = wanted([one.name for one in folder.iterdir() if one.is_file()])
    files = tuple(HubFile(name, (folder / name).stat().st_size) for name in names)
    report = inspect_base(folder)
    stray = [name for name in names if not _belongs(folder / name, folder)]
    problem = _linked_out(stray[0]) if stray else next(iter(report.problems), None)
    return BasePlan(
        source="folder",
        repository=str(folder),
        revision="",
        origin=f"folder:{folder.name}",
        files=files,
        architecture=report.architecture,
        needs_conversion=report.needs_conversion,
        free=_free(workspace),
        problem=problem,
    )


def _belongs(file: Path, folder: Path) -> bool:
    """Whether the file lies in the folder; a link may lead into the hub's own cache, which keeps files that way."""
    place = file.resolve().parent
    return place == folder or (folder.parent.name == "snapshots" and place == folder.parent.parent / "blobs")


def _linked_out(name: str) -> BaseProblem:
    return BaseProblem(
        N_("{file} is a link that leads out of the folder."),
        N_("Copy the file itself into the folder."),
        {"file": name},
    )


def _problem(
    config: Mapping[str, Any], names: list[str], files: tuple[HubFile, ...], repository: str
) -> BaseProblem | None:
    if not any(is_weights(one.name) for one in files):
        return without_weights(names, repository)
    if not config:
        return without_config(repository)
    return refusal_of(config)


def _config(hub: Hub, repository: str, revision: str) -> Mapping[str, Any]:
    content = bytearray()
    with hub.open(repository, revision, CONFIG) as stream:
        for piece in stream.pieces:
            content += piece
            if len(content) > _MOST_CONFIG:
                return {}
    return json_object(bytes(content))


def _free(workspace: Path) -> int:
    return shutil.disk_usage(workspace).free
