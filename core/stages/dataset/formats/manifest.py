"""`manifest.json`: where everything in an export comes from, down to the lines of the book.

It also gives back to the samples what their format could not hold, as long as the files are as they were.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample, Split, Turn, TurnRole
from core.stages.dataset.formats.parts import json_bytes
from core.stages.dataset.formats.report import Finding, Verdict
from core.stages.dataset.formats.rows import Files, Imported, Origins
from core.translation import N_

NAME = "manifest.json"
_TOOL = "chat-daiyu"
_LARGEST = 1 << 31


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TurnOrigin(_Part):
    """Who says a turn, and which lines it was made of."""

    speaker: str = Field(max_length=300)
    utterances: tuple[str, ...] = Field(max_length=10_000)
    context: bool = False
    expansion: str = Field(default="", max_length=300)


class SampleOrigin(_Part):
    """Where a sample stands."""

    ordinal: int = Field(ge=0, lt=_LARGEST)
    source: str = Field(max_length=300)
    chapter: int = Field(ge=0, lt=_LARGEST)
    split: Split
    synthetic: bool = False
    turns: tuple[TurnOrigin, ...]


class FileMark(_Part):
    """What a file was when it was exported."""

    sha256: str
    bytes: int


class Manifest(_Part):
    """What is read back of a manifest."""

    format: str
    dataset_version: dict[str, Any]
    samples: tuple[SampleOrigin, ...]
    files: dict[str, FileMark]


def manifest(
    format: str, version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins, files: Files
) -> bytes:
    """Return the manifest of these files; it says nothing of when or where they were written."""
    used = dict.fromkeys(sample.source_id for sample in samples)
    held_out = sum(sample.split is Split.HELD_OUT for sample in samples)
    turns = [turn for sample in samples for turn in sample.turns]
    return json_bytes(
        {
            "format": format,
            "tool": {"name": _TOOL, "version": tool_version()},
            "dataset_version": {
                "id": version.id,
                "name": version.name,
                "note": version.note,
                "fingerprint": version.fingerprint,
                "created_at": version.created_at.isoformat(),
                "system_prompt": version.system_prompt,
            },
            "persona": {"id": version.persona_id, "name": persona.name, "book": persona.book},
            "counts": {
                "samples": len(samples),
                "train": len(samples) - held_out,
                "held_out": held_out,
                "turns": len(turns),
                "replies": sum(turn.role is TurnRole.PERSONA for turn in turns),
            },
            "sources": {
                one: {"name": source.name, "sha256": source.sha256, "kind": source.kind.value}
                for one in used
                if (source := origins.sources.get(one))
            },
            "samples": [_origin(sample) for sample in samples],
            "files": {name: {"sha256": _sha256(data), "bytes": len(data)} for name, data in sorted(files.items())},
        }
    )


def read_manifest(files: Files) -> Manifest | None:
    """Return the manifest among the files, or None when there is none of ours."""
    if NAME not in files or b"\\u0000" in files[NAME]:  # which no database takes
        return None
    try:
        return Manifest.model_validate_json(files[NAME])
    except (ValidationError, RecursionError):
        return None


def restored(imported: Imported, known: Manifest, files: Files) -> Imported:
    """Return what was read with speakers, places and numbers again; unchanged, with a note, where files changed."""
    unchanged = all(
        name in files and _sha256(files[name]) == mark.sha256 for name, mark in known.files.items()
    ) and files.keys() <= {*known.files, NAME}
    samples = _matched(imported.samples, known.samples) if unchanged else None
    prompt = known.dataset_version.get("system_prompt")
    if samples is None:
        note = N_("the files are not as they were exported: where the samples come from was not taken over")
        findings = (*imported.report.findings, Finding(Verdict.NOTED, note, {}))
        return replace(imported, report=replace(imported.report, findings=findings))
    return replace(
        imported,
        samples=tuple(samples),
        system_prompt=imported.system_prompt or (prompt if isinstance(prompt, str) else ""),
    )


@cache
def tool_version() -> str:
    """Return this program's version, as its project file says."""
    file = Path(__file__).resolve().parents[4] / "pyproject.toml"
    return str(tomllib.loads(file.read_text(encoding="utf-8"))["project"]["version"])


def _origin(sample: Sample) -> dict[str, Any]:
    return {
        "ordinal": sample.ordinal,
        "source": sample.source_id,
        "chapter": sample.chapter,
        "split": sample.split.value,
        "synthetic": sample.synthetic,
        "turns": [
            {
                "speaker": turn.speaker,
                "utterances": list(turn.utterance_ids),
                "context": turn.context,
                "expansion": turn.expansion_id,
            }
            for turn in sample.turns
        ],
    }


def _matched(samples: Sequence[Sample], origins: Sequence[SampleOrigin]) -> list[Sample] | None:
    """Return the samples with their origins, side by side in the order of each side; None when they do not match."""
    matched: list[Sample] = []
    for split in Split:
        side = [sample for sample in samples if sample.split is split]
        known = [origin for origin in origins if origin.split is split]
        if len(side) != len(known) or any(len(a.turns) != len(b.turns) for a, b in zip(side, known, strict=True)):
            return None
        matched += [_with(sample, origin) for sample, origin in zip(side, known, strict=True)]
    matched.sort(key=lambda sample: sample.ordinal)
    if len({sample.ordinal for sample in matched}) < len(matched):  # one was cut where a reply is only context
        return [replace(sample, ordinal=ordinal) for ordinal, sample in enumerate(matched)]
    return matched


def _with(sample: Sample, origin: SampleOrigin) -> Sample:
    turns = tuple(
        Turn(turn.role, known.speaker, turn.text, known.utterances, known.context, known.expansion)
        for turn, known in zip(sample.turns, origin.turns, strict=True)
    )
    return Sample(origin.ordinal, origin.source, origin.chapter, origin.split, turns, origin.synthetic)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
