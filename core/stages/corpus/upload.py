"""Receives an upload: bounded while it streams, checked by content, kept only when all of it can be read."""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Protocol

from core.errors import InvalidInputError
from core.stages.corpus.encoding import decode
from core.translation import N_

_CHUNK = 1 << 20
_MEGABYTE = 1_000_000
_MAX_RATIO = 200
"""Unpacked to packed size; a text packs to about a third, a bomb to a thousandth."""
_MAX_NAME = 120
_TEXT_SUFFIXES = (".txt", ".text")
_UNSAFE_IN_NAME = re.compile(r"[\x00-\x1f\x7f<>:\"|?*\u202a-\u202e\u2066-\u2069]")


class ContentStore(Protocol):
    """Where the bytes go: the store's files."""

    def put(self, content: bytes) -> str:
        """Store the content and return its sha256."""


class Readable(Protocol):
    """An upload: anything that hands out bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What an upload may weigh."""

    max_megabytes: int
    max_members: int
    """Files in one archive."""


@dataclass(frozen=True, slots=True)
class ReceivedText:
    """A file that was read completely and understood as text; it lies in the content store."""

    sha256: str
    name: str
    size: int
    encoding: str


def receive(stream: Readable, name: str, *, files: ContentStore, limits: UploadLimits) -> tuple[ReceivedText, ...]:
    """Store one text, or each text of a zip; InvalidInputError, and nothing stored, when any of it is refused.

    The name is for people: it is cleaned, never used as a path, and says nothing about the content.
    """
    with tempfile.SpooledTemporaryFile(max_size=16 * _MEGABYTE) as spool:
        _spool(stream, spool, limits)
        spool.seek(0)
        if spool.read(4) in (b"PK\x03\x04", b"PK\x05\x06"):
            texts = _unpacked(spool, limits)
        else:
            spool.seek(0)
            texts = [(clean_name(name), spool.read())]
    checked = [(shown, data, decode(data, shown)[1]) for shown, data in texts]
    return tuple(ReceivedText(files.put(data), shown, len(data), encoding) for shown, data, encoding in checked)


def clean_name(name: str) -> str:
    """Return the last part of a name without what could mislead a reader or a file system; never empty."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    cleaned = _UNSAFE_IN_NAME.sub("", last).strip(" .")
    return cleaned[-_MAX_NAME:] or "text"


def _spool(stream: Readable, spool: IO[bytes], limits: UploadLimits) -> None:
    received = 0
    while chunk := stream.read(_CHUNK):
        received += len(chunk)
        if received > limits.max_megabytes * _MEGABYTE:
            raise _too_large(limits)
        spool.write(chunk)


def _too_large(limits: UploadLimits) -> InvalidInputError:
    return InvalidInputError(
        N_("The text is larger than {limit} MB."),
        remedy=N_("Split it into parts, or raise uploads.max_text_mb in configs/app.yaml."),
        limit=limits.max_megabytes,
    )


def _unpacked(spool: IO[bytes], limits: UploadLimits) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(spool) as archive:
            members = list(_checked_members(archive, limits))
            return [(_shown(member), _member_bytes(archive, member)) for member in members]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise InvalidInputError(
            N_("The archive is damaged or packed in a way that cannot be read."),
            remedy=N_("Pack the texts again as a plain zip, or import them one by one."),
        ) from None


def _checked_members(archive: zipfile.ZipFile, limits: UploadLimits) -> Iterator[zipfile.ZipInfo]:
    members = [member for member in archive.infolist() if not (member.is_dir() or _is_litter(member))]
    if len(members) > limits.max_members:
        raise InvalidInputError(
            N_("The archive holds {count} files; {limit} are allowed."),
            remedy=N_("Import it in parts, or raise uploads.max_archive_members in configs/app.yaml."),
            count=len(members),
            limit=limits.max_members,
        )
    if sum(member.file_size for member in members) > limits.max_megabytes * _MEGABYTE:
        raise _too_large(limits)
    if not members:
        raise InvalidInputError(N_("The archive holds no file."), remedy=N_("Choose a zip with .txt files in it."))
    for member in members:
        _check_member(member)
        yield member


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename.replace("\\", "/")
    problem = ""
    if name.startswith("/") or ".." in PurePosixPath(name).parts or re.match(r"[A-Za-z]:", name):
        problem = N_("The archive holds a file that wants to lie outside of it: {name}.")
    elif member.flag_bits & 1:
        problem = N_("The archive is locked with a password.")
    elif not name.lower().endswith(_TEXT_SUFFIXES):
        problem = N_("The archive holds something that is no .txt file: {name}.")
    elif member.file_size > _MAX_RATIO * max(member.compress_size, 1) and member.file_size > _MEGABYTE:
        problem = N_("The file {name} unpacks to more than {ratio} times its size, as zip bombs do.")
    if problem:
        raise InvalidInputError(
            problem,
            remedy=N_("Pack only the texts into a plain zip, or import them one by one."),
            name=_shown(member),
            ratio=_MAX_RATIO,
        )


def _is_litter(member: zipfile.ZipInfo) -> bool:
    """Whether the member was put there by an operating system, not by a person."""
    return member.filename.startswith("__MACOSX/") or clean_name(member.filename) in ("DS_Store", "Thumbs.db")


def _shown(member: zipfile.ZipInfo) -> str:
    """Return the member's clean name; names of older Chinese archives are GB18030 read as code page 437."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = member.filename
    return clean_name(name)


def _member_bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        data = file.read(member.file_size + 1)
    if len(data) > member.file_size:  # the directory lied about the size, which only a crafted archive does
        raise zipfile.BadZipFile(member.filename)
    return data
