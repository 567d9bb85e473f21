"""Brings a finished model home: its folder under `workspace/models`, its manifest, its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"


def model_id_of(run_id: str) -> str:
    """Return the id of the model a run makes: one run, one model, however often it is interrupted."""
    return f"model-{run_id.removeprefix('run-')}"


def files_in(folder: Path) -> dict[str, str]:
    """Return relative name -> sha256 of every file below `folder`, the manifest itself left out."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != MANIFEST)
    return {str(file.relative_to(folder)): sha256_of(file) for file in files}


def sha256_of(file: Path) -> str:
    """Return a file's sha256 (hex), read in pieces."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def bring_home(finished: Path, home: Path, manifest: Mapping[str, Any]) -> None:
    """Move the finished folder to `home`, manifest included, whole or not at all; again changes nothing."""
    if home.exists():
        return
    (finished / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2), encoding="utf-8")
    home.parent.mkdir(parents=True, exist_ok=True)
    finished.rename(home)
