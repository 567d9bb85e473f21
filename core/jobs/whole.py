"""Writes files whole or not at all, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import SEEK_END, FileIO
from pathlib import Path


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file anew, text as UTF-8; when that fails, what it held before is still there."""
    draft = file.with_name(f"{file.name}.draft")
    try:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def append_lines(file: Path, lines: Sequence[str]) -> None:
    """Add lines at a file's end, all of them or none; half a line that somebody left there is cut off first."""
    content = "".join(f"{line}\n" for line in lines).encode()
    with file.open("ab+", buffering=0) as target:
        end = _cut_to_whole_lines(target)
        try:
            while content:  # a full disk takes what has room, and refuses at the next try
                content = content[target.write(content) :]
        except OSError:
            target.truncate(end)
            raise


def json_lines(file: Path) -> list[dict[str, object]]:
    """Read the objects of a file, one a line; none where there is no file."""
    if not file.exists():
        return []
    whole = file.read_text(encoding="utf-8", errors="replace").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines() if line]


def _cut_to_whole_lines(file: FileIO) -> int:
    end = file.seek(0, SEEK_END)
    file.seek(max(0, end - 1))
    if end and file.read(1) != b"\n":
        file.seek(0)
        end = file.readall().rfind(b"\n") + 1
        file.truncate(end)
    return end
