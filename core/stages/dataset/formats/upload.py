"""A dataset that somebody brings: told by its content, unpacked, read, and given back its origins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.errors import InvalidInputError
from core.stages.dataset.formats import FORMATS, format_named, png
from core.stages.dataset.formats.archive import MAGIC, MAX_BYTES, unpacked
from core.stages.dataset.formats.manifest import NAME as MANIFEST
from core.stages.dataset.formats.manifest import read_manifest, restored
from core.stages.dataset.formats.records import NOT_DATA, first_record
from core.stages.dataset.formats.rows import Files, Imported
from core.translation import N_

_PARQUET = b"PAR1"
_MEANING: tuple[tuple[str, Callable[[Mapping[str, Any]], bool]], ...] = (
    ("card-v3", lambda one: str(one.get("spec", "")).startswith("chara_card") or ("first_mes" in one)),
    ("xtuner", lambda one: "conversation" in one),
    ("huggingface", lambda one: "messages" in one and "utterances" in one),
    ("openai", lambda one: "messages" in one),
    ("sharegpt", lambda one: "conversations" in one),
    ("alpaca", lambda one: "instruction" in one),
    ("label-studio", lambda one: isinstance(one.get("data"), dict)),
)
"""Format -> how its records are told from others, tried in this order."""


def read_upload(data: bytes, name: str, *, format: str = "") -> Imported:
    """Return what a file holds, or a zip of files; its format is told by the content unless it is named.

    InvalidInputError, with a remedy, for whatever cannot be read; SettingsError for an unknown format.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInputError(
            N_("{name} is larger than {megabytes} MB."),
            remedy=N_("Split it into parts."),
            name=name,
            megabytes=MAX_BYTES >> 20,
        )
    row = format_named(format) if format else None
    files = _at_home(unpacked(data, name)) if data.startswith(MAGIC) else {_named_by_content(data, name): data}
    known = read_manifest(files)
    if row is None:
        told = known.format if known and known.format in FORMATS else _told(files, name)
        row = FORMATS[told]
    imported = row.read(files)
    return restored(imported, known, files) if known and imported.persona is None else imported


def _at_home(files: Files) -> Files:
    """Return the files as they were exported, when somebody has packed them again with their folder."""
    folder = next(iter(files), "").partition("/")[0] + "/"
    if f"{folder}{MANIFEST}" in files and all(name.startswith(folder) for name in files):
        return {name.removeprefix(folder): data for name, data in files.items()}
    return files


def _named_by_content(data: bytes, name: str) -> str:
    """Return a name that ends as the content says: readers choose their files by it."""
    last = name.replace("\\", "/").rpartition("/")[2] or "dataset"
    if data.startswith(png.MAGIC):
        wanted: tuple[str, ...] = (".png",)
    elif data.startswith(_PARQUET):
        wanted = (".parquet",)
    elif data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        wanted = (".json", ".jsonl", ".ndjson")
    else:
        wanted = (".csv", ".tsv", ".txt")
    return last if last.casefold().endswith(wanted) else last + wanted[0]


def _told(files: Files, name: str) -> str:
    for file, data in sorted(files.items()):
        if file.rpartition("/")[2] in NOT_DATA:
            continue
        if data.startswith(png.MAGIC):
            return "card-png"
        if data.startswith(_PARQUET):
            return "parquet"
        if file.casefold().endswith((".csv", ".tsv")) or (len(files) == 1 and file.casefold().endswith(".txt")):
            return "csv"
        if file.casefold().endswith((".json", ".jsonl", ".ndjson")):
            record = first_record(data, file)
            found = next((format for format, fits in _MEANING if record and fits(record)), None)
            if found:
                return found
    raise InvalidInputError(
        N_("Nothing in {name} looks like a dataset or a character card."),
        remedy=N_("Choose its format yourself, or compare it with the formats in docs/formats.md."),
        name=name,
    )
