"""`dataset_info.json`, by which LLaMA-Factory finds and reads a file.

Columns that are not named there do not exist for it, so all are named. Source: LLaMA-Factory, `data/README.md` and
`src/llamafactory/data/parser.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.domain.text import DatasetVersion
from core.stages.dataset.formats.parts import json_bytes

NAME = "dataset_info.json"
_UNSAFE = re.compile(r"[^\w-]+")


def dataset_info(version: DatasetVersion, files: Iterable[str], description: Mapping[str, Any]) -> bytes:
    """Return the file that describes these files, each as a dataset named after the version and its side."""
    stem = _UNSAFE.sub("-", f"{version.persona_id}-{version.name}").strip("-") or "dataset"
    return json_bytes({f"{stem}-{file.partition('.')[0]}": {"file_name": file, **description} for file in files})
