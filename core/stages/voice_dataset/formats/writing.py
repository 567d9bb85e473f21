"""Writes an export as a zip or into a folder, a wav at a time: two hours of clips never lie in memory."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from core.errors import ConflictError, InvalidInputError
from core.stages.voice_dataset.formats.rows import Member, Stored
from core.store.files import Files
from core.translation import N_

_CHUNK = 1 << 20
_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest a zip can say; when it was packed must not change its bytes."""
_MODE = 0o644 << 16


def write_zip(members: Iterable[Member], out: IO[bytes], files: Files) -> None:
    """Write the members, in their order, to a file that can seek; the same members give the same bytes.

    Nothing is deflated: wavs hardly shrink, and how a machine deflates would change the bytes. What cannot be read
    raises NotFoundError, what is not as its sha256 says InvalidInputError; what was written by then is no zip.
    """
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            entry = zipfile.ZipInfo(member.name, _TIME)
            entry.create_system = 3  # the same on every system
            entry.external_attr = _MODE
            with archive.open(entry, "w") as file:
                for chunk in _content(member, files):
                    file.write(chunk)


def write_folder(members: Iterable[Member], folder: Path, files: Files) -> None:
    """Write the members into a folder that is new or empty; ConflictError when there is something in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConflictError(
            N_("The folder {folder} is not empty."),
            remedy=N_("Name a new one; nothing is written over."),
            folder=folder,
        )
    for member in members:
        place = folder / member.name
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            for chunk in _content(member, files):
                file.write(chunk)


def _content(member: Member, files: Files) -> Iterator[bytes]:
    if isinstance(member.content, bytes):
        yield member.content
    else:
        yield from _stored(member.name, member.content, files)


def _stored(name: str, content: Stored, files: Files) -> Iterator[bytes]:
    digest = hashlib.sha256()
    with files.open(content.sha256) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            yield chunk
    if digest.hexdigest() != content.sha256:
        raise InvalidInputError(
            N_("The file {name} in the content store is damaged."),
            remedy=N_("Restore the workspace from a backup, or render the clip anew and freeze another set."),
            name=name,
        )
