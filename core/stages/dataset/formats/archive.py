"""Zips: ours are the same bytes for the same content, strangers' are bounded before a byte is unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath

from core.errors import InvalidInputError
from core.stages.dataset.formats.rows import Files
from core.translation import N_

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
MAX_BYTES = 256 << 20
"""Of all files together, unpacked."""
_MAX_FILES = 1_000
_MAX_NAME = 300
_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest a zip can say; when it was packed must not change its bytes."""


def packed(files: Files) -> bytes:
    """Return the files as a zip, in order of their names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # the same on every system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name], compresslevel=6)
    return out.getvalue()


def unpacked(data: bytes, name: str) -> dict[str, bytes]:
    """Return the files of a zip by name; InvalidInputError when it is damaged, locked, or too large unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [one for one in archive.infolist() if not one.is_dir() and not _is_litter(one.filename)]
            _check(members, name)
            return {member.filename: _content(archive, member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, LookupError):
        raise InvalidInputError(
            N_("{name} is damaged or packed in a way that cannot be read."),
            remedy=N_("Pack the files again as a plain zip, or choose one of them."),
            name=name,
        ) from None


def _check(members: list[zipfile.ZipInfo], name: str) -> None:
    problem = ""
    if len(members) > _MAX_FILES:
        problem = N_("{name} holds more than {files} files.")
    elif sum(member.file_size for member in members) > MAX_BYTES:
        problem = N_("{name} unpacks to more than {megabytes} MB.")
    elif any(len(member.filename) > _MAX_NAME for member in members):
        problem = N_("{name} holds a file whose name is too long.")
    elif any(member.flag_bits & 1 for member in members):
        problem = N_("{name} is locked with a password.")
    if problem:
        remedy = N_("Pack only the dataset's files into a plain zip.")
        raise InvalidInputError(problem, remedy=remedy, name=name, files=_MAX_FILES, megabytes=MAX_BYTES >> 20)


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        data = file.read(member.file_size + 1)
    if len(data) > member.file_size:  # the directory lied about the size, which only a crafted archive does
        raise zipfile.BadZipFile(member.filename)
    return data


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name in (".DS_Store", "Thumbs.db", "desktop.ini")
