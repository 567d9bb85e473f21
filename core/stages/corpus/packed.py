"""Opens zips that strangers made: bounded before a byte is unpacked, and no name in them is ever used as a path."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

from core.errors import InvalidInputError
from core.translation import N_

MEGABYTE = 1_000_000
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_MAX_RATIO = 200
"""Unpacked to packed size; a text packs to about a third, a bomb to a thousandth."""
_MAX_PARTS = 20_000
"""Files in one packed document; the thickest ebooks have some thousands."""
_REMEDY = N_("Pack only the texts into a plain zip, or import them one by one.")


@contextmanager
def opened(stream: IO[bytes], *, name: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip; whatever is broken in it, found now or while it is read, is an InvalidInputError."""
    try:
        with zipfile.ZipFile(stream) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, LookupError):
        raise InvalidInputError(
            N_("{name} is damaged or packed in a way that cannot be read."),
            remedy=N_("Pack the texts again as a plain zip, or import them one by one."),
            name=name,
        ) from None


def checked_parts(archive: zipfile.ZipFile, *, name: str, max_bytes: int) -> frozenset[str]:
    """Return the names of what a packed document holds; InvalidInputError when it is locked or a bomb."""
    parts = archive.infolist()
    if len(parts) > _MAX_PARTS:
        raise InvalidInputError(
            N_("{name} is packed of {count} files; {limit} are allowed."),
            remedy=_REMEDY,
            name=name,
            count=len(parts),
            limit=_MAX_PARTS,
        )
    refuse_flood(parts, name=name, max_bytes=max_bytes)
    for part in parts:
        refuse_unsafe(part, shown=name)
        refuse_locked(part, shown=name)
    return frozenset(part.filename for part in parts)


def refuse_flood(members: list[zipfile.ZipInfo], *, name: str, max_bytes: int) -> None:
    """Raise InvalidInputError when the members together unpack to more than `max_bytes`."""
    if sum(member.file_size for member in members) > max_bytes:
        raise InvalidInputError(
            N_("{name} unpacks to more than {limit} MB."),
            remedy=N_("Split it into parts, or raise the limit in configs/app.yaml or configs/corpus.yaml."),
            name=name,
            limit=max_bytes // MEGABYTE,
        )


def refuse_unsafe(member: zipfile.ZipInfo, *, shown: str) -> None:
    """Raise InvalidInputError when a member wants out, or is a bomb."""
    path = member.filename.replace("\\", "/")
    problem = ""
    if path.startswith("/") or ".." in PurePosixPath(path).parts or re.match(r"[A-Za-z]:", path):
        problem = N_("The archive holds a file that wants to lie outside of it: {name}.")
    elif member.file_size > _MAX_RATIO * max(member.compress_size, 1) and member.file_size > MEGABYTE:
        problem = N_("The file {name} unpacks to more than {ratio} times its size, as zip bombs do.")
    if problem:
        raise InvalidInputError(problem, remedy=_REMEDY, name=shown, ratio=_MAX_RATIO)


def refuse_locked(member: zipfile.ZipInfo, *, shown: str) -> None:
    """Raise InvalidInputError when a member is encrypted."""
    if member.flag_bits & 1:
        raise InvalidInputError(N_("{name} is locked with a password."), remedy=_REMEDY, name=shown)


def member_bytes(archive: zipfile.ZipFile, member: str | zipfile.ZipInfo) -> bytes:
    """Return a member unpacked; never more than its directory entry promises."""
    entry = archive.getinfo(member) if isinstance(member, str) else member
    with archive.open(entry) as file:
        data = file.read(entry.file_size + 1)
    if len(data) > entry.file_size:  # the directory lied about the size, which only a crafted archive does
        raise zipfile.BadZipFile(entry.filename)
    return data
