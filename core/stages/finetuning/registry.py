"""Brings a finished model home: its folder under `workspace/models`, with its adapter, copies and manifest in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import MissingArtifactError
from core.store.files import sha256_of
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.training import Model
    from core.store import Store

MANIFEST = "manifest.json"
ADAPTER = "adapter"
"""In a model's folder: the adapter it was merged from, where its method makes one."""
FOUR_BIT = "4bit"
"""In a model's folder: its 4-bit copy, once one was made."""


def model_id_of(run_id: str) -> str:
    """Return the id of the model a run makes: one run, one model, however often it is interrupted."""
    return f"model-{run_id.removeprefix('run-')}"


def files_in(folder: Path) -> dict[str, str]:
    """Return relative name -> sha256 of every file below `folder`, the manifest itself left out."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != MANIFEST)
    return {str(file.relative_to(folder)): sha256_of(file) for file in files}


def bring_home(finished: Path, home: Path, manifest: Mapping[str, Any]) -> None:
    """Move the finished folder to `home`, manifest included, whole or not at all; again changes nothing."""
    if home.exists():
        return
    write_manifest(finished, manifest)
    home.parent.mkdir(parents=True, exist_ok=True)
    finished.rename(home)


def put_beside(adapter: Path, finished: Path) -> None:
    """Copy the adapter into the finished model's folder, whole or not at all; the run keeps its own."""
    target = finished / ADAPTER
    if target.exists():
        return
    draft = finished.with_name(f"{finished.name}.{ADAPTER}")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(adapter, draft)
    draft.rename(target)


def put_in_place(finished: Path, target: Path) -> None:
    """Move a finished folder to `target`, whole or not at all; one that was there before makes way."""
    before = finished.with_name(f"{finished.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if target.exists():
        target.rename(before)
    finished.rename(target)
    shutil.rmtree(before, ignore_errors=True)


def write_manifest(home: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest into the model's folder, in place of the one before."""
    draft = home / f"{MANIFEST}.draft"
    draft.write_text(json.dumps(manifest, ensure_ascii=False, indent=2), encoding="utf-8")
    draft.replace(home / MANIFEST)


def home_of(model: Model, store: Store) -> Path:
    """Return the model's folder; MissingArtifactError when it was removed or is not whole."""
    home = store.workspace / model.folder
    if model.removed_at is not None or not (home / "config.json").is_file():
        raise MissingArtifactError(
            N_("The files of {name} are not there any more."),
            remedy=N_("Choose another model, or run its fine-tuning again."),
            name=model.name,
        )
    return home
