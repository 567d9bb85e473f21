"""Receives an upload: bounded while it streams, told by its content; an archive is taken apart, file by file."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from core.errors import InvalidInputError
from core.stages.corpus.packed import (
    MEGABYTE,
    ZIP_MAGIC,
    member_bytes,
    opened,
    refuse_flood,
    refuse_locked,
    refuse_unsafe,
)
from core.stages.corpus.readers import is_archive, recognised
from core.stages.corpus.settings import Refusal, UploadedText
from core.translation import N_

SUFFIXES = ("txt", "md", "markdown", "epub", "docx", "html", "htm", "xhtml", "pdf", "srt", "ass", "ssa", "vtt", "zip")
"""What a browser's file dialogue offers; the content decides what a file is."""

_CHUNK = 1 << 20
_MAX_NAME = 120
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


def receive(stream: Readable, name: str, *, files: ContentStore, limits: UploadLimits) -> tuple[UploadedText, ...]:
    """Store one file, or each file of a zip; InvalidInputError, and nothing stored, when it is refused.

    A zip is refused as a whole when it is too large or crafted; a file in it that is locked or that nobody can read
    comes back with the reason, so that the others are not lost. The name is for people: cleaned, and never a path.
    """
    shown = clean_name(name)
    data = _bounded(stream, limits)
    if data.startswith(ZIP_MAGIC) and is_archive(data, shown):
        with opened(io.BytesIO(data), name=shown) as archive:
            members = [(_shown(member), _unpacked(archive, member)) for member in _checked(archive, shown, limits)]
        return tuple(_taken(member, content, files) for member, content in members)
    recognised(data, shown)
    return (UploadedText(sha256=files.put(data), name=shown, size=len(data)),)


def clean_name(name: str) -> str:
    """Return the last part of a name without what could mislead a reader or a file system; never empty."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    cleaned = _UNSAFE_IN_NAME.sub("", last).strip(" .")
    return cleaned[-_MAX_NAME:] or "text"


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | Refusal:
    try:
        refuse_locked(member, shown=_shown(member))
    except InvalidInputError as refusal:
        return Refusal.of(refusal)
    return member_bytes(archive, member)


def _taken(name: str, data: bytes | Refusal, files: ContentStore) -> UploadedText:
    if isinstance(data, Refusal):
        return UploadedText(name=name, refused=data)
    try:
        recognised(data, name)
    except InvalidInputError as refusal:
        return UploadedText(name=name, size=len(data), refused=Refusal.of(refusal))
    return UploadedText(sha256=files.put(data), name=name, size=len(data))


def _bounded(stream: Readable, limits: UploadLimits) -> bytes:
    received = bytearray()
    while chunk := stream.read(_CHUNK):
        received += chunk
        if len(received) > limits.max_megabytes * MEGABYTE:
            raise InvalidInputError(
                N_("The text is larger than {limit} MB."),
                remedy=N_("Split it into parts, or raise uploads.max_text_mb in configs/app.yaml."),
                limit=limits.max_megabytes,
            )
    return bytes(received)


def _checked(archive: zipfile.ZipFile, name: str, limits: UploadLimits) -> Iterator[zipfile.ZipInfo]:
    members = [member for member in archive.infolist() if not (member.is_dir() or _is_litter(member))]
    if len(members) > limits.max_members:
        raise InvalidInputError(
            N_("The archive holds {count} files; {limit} are allowed."),
            remedy=N_("Import it in parts, or raise uploads.max_archive_members in configs/app.yaml."),
            count=len(members),
            limit=limits.max_members,
        )
    if not members:
        raise InvalidInputError(N_("The archive holds no file."), remedy=N_("Choose a zip with texts in it."))
    refuse_flood(members, name=name, max_bytes=limits.max_megabytes * MEGABYTE)
    for member in members:
        refuse_unsafe(member, shown=_shown(member))
    yield from members


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
