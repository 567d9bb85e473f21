"""The text that a PNG carries beside its picture: read from strangers' files, and written into ours.

Source: W3C, "Portable Network Graphics (PNG) Specification", 11.3.3 Textual information.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping

from core.errors import InvalidInputError
from core.translation import N_

MAGIC = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 100_000


def texts(png: bytes) -> dict[str, bytes]:
    """Return keyword (lower case) -> text of each `tEXt` chunk, the first of a name; InvalidInputError when broken."""
    found: dict[str, bytes] = {}
    for kind, body in _chunks(png):
        if kind == b"tEXt":
            keyword, _, text = body.partition(b"\0")
            found.setdefault(keyword.decode("latin-1").casefold(), text)
    return found


def with_texts(png: bytes, wanted: Mapping[str, bytes]) -> bytes:
    """Return the picture with these texts in place of others of their names, before its end."""
    kept = [
        (kind, body)
        for kind, body in _chunks(png)
        if not (kind == b"tEXt" and body.partition(b"\0")[0].decode("latin-1").casefold() in wanted)
    ]
    added = [(b"tEXt", keyword.encode("latin-1") + b"\0" + text) for keyword, text in wanted.items()]
    return MAGIC + b"".join(_chunk(kind, body) for kind, body in [*kept[:-1], *added, kept[-1]])


def plain(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Return a picture of one colour."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + bytes(colour) * width) * height, 9)
    return MAGIC + _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each chunk up to the end; no chunk is longer than the file."""
    if not png.startswith(MAGIC):
        raise _broken()
    place = len(MAGIC)
    for _ in range(_MAX_CHUNKS):
        if place + 12 > len(png):
            raise _broken()
        length, kind = struct.unpack_from(">I4s", png, place)
        end = place + 8 + length
        if end + 4 > len(png) or zlib.crc32(png[place + 4 : end]) != struct.unpack_from(">I", png, end)[0]:
            raise _broken()
        yield kind, png[place + 8 : end]
        if kind == b"IEND":
            return
        place = end + 4
    raise _broken()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _broken() -> InvalidInputError:
    return InvalidInputError(
        N_("This PNG is damaged: a chunk is cut off or does not match its checksum."),
        remedy=N_("Download the picture again from where it comes from; messengers often rewrite pictures."),
    )
