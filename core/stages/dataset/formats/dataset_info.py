"""`dataset_info.json`, by which LLaMA-Factory finds and reads a file.

Columns that are not named there do not exist for it, so all are named; it opens the file in the system's own encoding,
so it is ASCII. Source: LLaMA-Factory, `data/README.md` and `src/llamafactory/data/parser.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from core.domain.text import DatasetVersion, Sample
from core.stages.dataset.formats.parts import json_bytes, sides
from core.stages.dataset.formats.rows import Files

_NAME = "dataset_info.json"
_UNSAFE = re.compile(r"[^\w-]+")


def described_files(
    version: DatasetVersion,
    samples: Sequence[Sample],
    record: Callable[[Sample, str], Mapping[str, Any]],
    description: Mapping[str, Any],
) -> Files:
    """Return a JSON file of `record`s for each side, and what describes them to LLaMA-Factory."""
    files = {
        name: json_bytes([record(sample, version.system_prompt) for sample in part])
        for name, part in sides(samples, ".json")
    }
    return {**files, _NAME: _dataset_info(version, files, description)}


def _dataset_info(version: DatasetVersion, files: Iterable[str], description: Mapping[str, Any]) -> bytes:
    """Return the file that describes these files, each as a dataset named after the version and its side."""
    stem = _UNSAFE.sub("-", f"{version.persona_id}-{version.name}").strip("-") or "dataset"
    entries = {f"{stem}-{file.partition('.')[0]}": {"file_name": file, **description} for file in files}
    return (json.dumps(entries, indent=1) + "\n").encode()
