"""From bytes to text: what is not text is refused with the reason, what is gets its encoding found.

The offsets of every passage count characters of `data.decode(encoding)`, so the encoding found here is
kept with the source for ever.
"""

from __future__ import annotations

import codecs
import re

from core.errors import InvalidInputError
from core.translation import N_

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"RIFF", "RIFF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"PK\x05\x06", "ZIP"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\x7fELF", "ELF"),
    (b"MZ\x90", "EXE"),
    (b"\xd0\xcf\x11\xe0", "DOC"),
    (b"SQLite format 3", "SQLite"),
    (b"ID3", "MP3"),
    (b"OggS", "Ogg"),
    (b"fLaC", "FLAC"),
)
_MARKED: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Marks a text may begin with, and the encoding each names."""
_WIDE = ("utf-16", "utf-32")
"""Encodings whose bytes look binary."""
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")

# The characters that make up about half of any Chinese page, simplified and traditional, and the marks
# between them. A wrong decoding yields them only by accident.
_FREQUENT = re.compile(
    "["
    "的一是了不在有人我他这個个们中来上大为和国地到以说時时要就出会會可也你对對生能而子那得于着下自之年过過發"
    "发后後作里裡裏用道行所然家種种事成方多经經麼么去法学學如都同现現当當沒没動动面起看定天分还還進进好小部其"
    "些主样樣理心她本前開开但因只从從想實实這們來為國說裏笑姑娘太听聽見见便又哥姐妹爺爷玉老頭头罷罢叫問问話话"
    "兒儿回把日忙今何此已與与無无给給，。：；！？、“”「」『』‘’…　"
    "]"
)
_SAMPLE = 1 << 18
_CREDIBLE = 0.18
"""Share of frequent characters below which a decoding is not believed; true texts reach 0.35 and more."""

_REMEDY = N_("Save it as plain text in UTF-8 and import it again.")
_EMPTY_REMEDY = N_("Choose a file that holds text.")


def decode(data: bytes, name: str) -> tuple[str, str]:
    """Return the text and its encoding (utf-8, utf-8-sig, utf-16, utf-32, gb18030, big5hkscs, cp950).

    `name` is for the InvalidInputError that refuses what is no text.
    """
    _refuse_other_formats(data, name)
    unicode = next((encoding for mark, encoding in _MARKED if data.startswith(mark)), "utf-8")
    text = _decoded(data, unicode)
    if text is not None:
        if unicode in _WIDE:
            _refuse_binary(text.encode("utf-8"), name)
        return _not_empty(text, name), unicode
    readings = [(_credibility(text), text, encoding) for text, encoding in _legacy_readings(data)]
    best = max(readings, default=(0.0, "", ""), key=lambda reading: reading[0])
    if best[0] < _CREDIBLE:
        raise InvalidInputError(
            N_("The encoding of {name} is not recognised; it is neither UTF-8 nor GB18030 nor Big5."),
            remedy=_REMEDY,
            name=name,
        )
    return _not_empty(best[1], name), best[2]


def _refuse_other_formats(data: bytes, name: str) -> None:
    if not data:
        raise InvalidInputError(N_("{name} is empty."), remedy=_EMPTY_REMEDY, name=name)
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            raise InvalidInputError(N_("{name} is not a text but a {kind} file."), remedy=_REMEDY, name=name, kind=kind)
    if not data.startswith(tuple(mark for mark, encoding in _MARKED if encoding in _WIDE)):
        _refuse_binary(data, name)


def _refuse_binary(data: bytes, name: str) -> None:
    if b"\x00" in data or len(_CONTROL.findall(data, 0, _SAMPLE)) > len(data[:_SAMPLE]) // 500:
        raise InvalidInputError(N_("{name} is not a text but binary data."), remedy=_REMEDY, name=name)


def _legacy_readings(data: bytes) -> list[tuple[str, str]]:
    readings = ((_decoded(data, encoding), encoding) for encoding in ("gb18030", "big5hkscs", "cp950"))
    return [(text, encoding) for text, encoding in readings if text is not None]


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _credibility(text: str) -> float:
    """Return the share of frequent characters among all that are not ASCII, in the text's first stretch."""
    sample = re.sub(r"[\x00-\x7f]+", "", text[: _SAMPLE // 2])
    if not _HAN.search(sample):
        return 0.0
    return len(_FREQUENT.findall(sample)) / len(sample)


def _not_empty(text: str, name: str) -> str:
    if not text.strip("\ufeff \t\r\n\u3000\x0b\x0c"):
        raise InvalidInputError(N_("{name} is empty."), remedy=_EMPTY_REMEDY, name=name)
    return text
