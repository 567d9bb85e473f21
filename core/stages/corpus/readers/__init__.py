"""The table of readers: how each format is told by its content, and who reads it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.domain.encoding import decode
from core.domain.text import TextFormat
from core.errors import InvalidInputError
from core.stages.corpus.document import Document, ReadingLimits, Tick
from core.stages.corpus.packed import ZIP_MAGIC, opened
from core.stages.corpus.readers import docx, epub, html, markdown, pdf, plain, subtitles
from core.translation import N_

Read = Callable[[bytes, str, ReadingLimits, Tick], Document]
"""Bytes, the name for messages, limits, who is told of the progress."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One format."""

    format: TextFormat
    read: Read
    in_text: Callable[[str, str], bool] | None = None
    """Whether a decoded text, under that name, is of this format; None for formats that are no text."""
    in_zip: str = ""
    """The member by which a packed document is known."""
    in_bytes: Callable[[bytes], bool] | None = None
    """Whether the bytes of a file that is neither text nor zip are of this format."""
    sandboxed: bool = False
    """Parsed by native code that must not take the worker with it: read in a process of its own."""


READERS: Final = (
    Reader(TextFormat.PDF, pdf.read, in_bytes=pdf.recognises, sandboxed=True),
    Reader(TextFormat.EPUB, epub.read, in_zip=epub.CONTAINER),
    Reader(TextFormat.DOCX, docx.read, in_zip=docx.BODY),
    Reader(TextFormat.ASS, subtitles.read, in_text=lambda text, _name: subtitles.recognises_ass(text)),
    Reader(TextFormat.VTT, subtitles.read, in_text=lambda text, _name: subtitles.recognises_vtt(text)),
    Reader(TextFormat.SRT, subtitles.read, in_text=lambda text, _name: subtitles.recognises_srt(text)),
    Reader(TextFormat.HTML, html.read, in_text=lambda text, _name: html.recognises(text)),
    Reader(TextFormat.MARKDOWN, markdown.read, in_text=markdown.recognises),
    Reader(TextFormat.PLAIN, plain.read, in_text=lambda _text, _name: True),
)
"""The first that recognises a file reads it."""

_OTHER_ZIPS: Final = (
    ("mimetype", "ODT"),
    ("xl/workbook.xml", "XLSX"),
    ("ppt/presentation.xml", "PPTX"),
)


def recognised(data: bytes, name: str) -> Reader:
    """Return the reader of a file, told by its content; InvalidInputError for what is none of the formats.

    The name only decides between readings that the content allows: any text may be Markdown.
    """
    for reader in READERS:
        if reader.in_bytes and reader.in_bytes(data):
            return reader
    if data.startswith(ZIP_MAGIC):
        return _packed_document(data, name)
    text, _encoding = decode(data, name)
    return next(one for one in READERS if one.in_text and one.in_text(text, name))


def is_archive(data: bytes, name: str) -> bool:
    """Whether a file is a zip that is no document itself; InvalidInputError when it is a damaged one."""
    if not data.startswith(ZIP_MAGIC):
        return False
    members = _members(data, name)
    return not any(one.in_zip in members for one in READERS if one.in_zip) and not _other_document(members)


def _packed_document(data: bytes, name: str) -> Reader:
    members = _members(data, name)
    for reader in READERS:
        if reader.in_zip and reader.in_zip in members:
            return reader
    kind = _other_document(members)
    raise InvalidInputError(
        N_("{name} is not a text but a {kind} file.") if kind else N_("{name} is an archive within an archive."),
        remedy=N_("Save it as plain text, DOCX or PDF and import it again.")
        if kind
        else N_("Unpack it first, and import what is in it."),
        name=name,
        kind=kind,
    )


def _other_document(members: frozenset[str]) -> str:
    return next((kind for member, kind in _OTHER_ZIPS if member in members), "")


def _members(data: bytes, name: str) -> frozenset[str]:
    with opened(io.BytesIO(data), name=name) as archive:
        return frozenset(archive.namelist())


def read_document(data: bytes, name: str, *, limits: ReadingLimits, tick: Tick) -> tuple[TextFormat, Document]:
    """Read a file in this process; InvalidInputError with the reason for what cannot be read."""
    reader = recognised(data, name)
    return reader.format, reader.read(data, name, limits, tick)
