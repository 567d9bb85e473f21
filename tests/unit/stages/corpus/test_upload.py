"""An upload is bounded, told by its content, and taken apart where it is a zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInputError
from core.stages.corpus.upload import UploadLimits, clean_name, receive
from tests.unit.stages.corpus.files import docx, paragraph

LIMITS = UploadLimits(max_megabytes=3, max_members=5)
TEXT = "第一回　雨\n青儿笑道：“好雨。”\n"


class Shelf:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def put(self, content: bytes) -> str:
        """Keep it."""
        self.kept.append(content)
        return f"{len(self.kept):064d}"


class Endless(io.RawIOBase):
    """A stream that never ends, and counts what was taken from it."""

    taken = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return letters."""
        self.taken += size
        return b"a" * size


def zipped(members: Mapping[str, bytes]) -> io.BytesIO:
    """Return a zip of those members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    stream.seek(0)
    return stream


def refused(stream: io.IOBase, name: str = "a.txt") -> str:
    """Receive what must be refused; return the refusal's words."""
    shelf = Shelf()
    with pytest.raises(InvalidInputError) as refusal:
        receive(stream, name, files=shelf, limits=LIMITS)
    assert shelf.kept == []
    assert refusal.value.remedy
    return str(refusal.value)


def test_a_text_is_kept_byte_for_byte():
    shelf = Shelf()

    (received,) = receive(io.BytesIO(TEXT.encode("gb18030")), "雨.txt", files=shelf, limits=LIMITS)

    assert shelf.kept == [TEXT.encode("gb18030")]
    assert (received.name, received.size, received.refused) == ("雨.txt", len(TEXT.encode("gb18030")), None)


def test_a_zip_of_texts_gives_each_of_them():
    shelf = Shelf()
    stream = zipped({"上/雨.txt": TEXT.encode(), "晴.TXT": TEXT.encode("gb18030"), "__MACOSX/雨.txt": b"\x00"})

    received = receive(stream, "书.zip", files=shelf, limits=LIMITS)

    assert [one.name for one in received] == ["雨.txt", "晴.TXT"]
    assert shelf.kept == [TEXT.encode(), TEXT.encode("gb18030")]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.exe", b"MZ\x90\x00", "EXE"),
        ("b.txt", b"\x00\x00", "binary"),
        ("c.txt", b"", "is empty"),
        ("d.zip", zipped({"a.txt": TEXT.encode()}).getvalue(), "archive within an archive"),
        ("e.odt", zipped({"mimetype": b"application/vnd.oasis.opendocument.text"}).getvalue(), "ODT"),
        ("f.docx", b"PK\x03\x04" + b"x" * 99, "damaged"),
    ],
)
def test_a_bad_file_in_a_zip_is_told_and_the_good_ones_are_kept(name, data, words):
    shelf = Shelf()

    received = receive(zipped({name: data, "雨.txt": TEXT.encode()}), "a.zip", files=shelf, limits=LIMITS)

    bad, good = received
    assert bad.refused
    assert words in str(bad.refused.error())
    assert bad.refused.remedy
    assert good.sha256
    assert shelf.kept == [TEXT.encode()]


def test_documents_that_are_zips_themselves_are_kept_whole():
    shelf = Shelf()
    document = docx(paragraph("好雨。"))

    (alone,) = receive(io.BytesIO(document), "a.docx", files=shelf, limits=LIMITS)
    (packed,) = receive(zipped({"b.docx": document}), "b.zip", files=shelf, limits=LIMITS)

    assert (alone.name, packed.name) == ("a.docx", "b.docx")
    assert shelf.kept == [document, document]


def test_a_password_on_a_file_in_a_zip_is_told_and_the_others_are_kept():
    locked = bytearray(zipped({"a.txt": TEXT.encode(), "b.txt": TEXT.encode()}).getvalue())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + at] |= 1

    bad, good = receive(io.BytesIO(bytes(locked)), "a.zip", files=Shelf(), limits=LIMITS)

    assert bad.refused
    assert "a.txt is locked with a password" in str(bad.refused.error())
    assert good.name == "b.txt"


def test_a_name_written_by_an_old_chinese_archiver_is_readable():
    legacy = "雨.txt".encode("gb18030").decode("cp437")

    received = receive(io.BytesIO(_without_utf8_flag(legacy)), "a.zip", files=Shelf(), limits=LIMITS)

    assert received[0].name == "雨.txt"


def _without_utf8_flag(legacy: str) -> bytes:
    """Return a zip whose member's name is bytes of GB18030 without the flag that says UTF-8."""
    stream = io.BytesIO()
    placeholder = "a" * len(legacy.encode("cp437"))
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(placeholder, TEXT.encode())
    return stream.getvalue().replace(placeholder.encode(), legacy.encode("cp437"))


def test_a_text_that_is_too_large_is_refused_before_all_of_it_is_read():
    stream = Endless()

    assert "larger than 3 MB" in refused(stream)
    assert stream.taken < 6_000_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02\x03" * 99, "binary"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 99, "PNG"),
        (b"PK\x03\x04 this is no zip", "damaged"),
        (b"\x1f\x8b\x08" + b"x" * 99, "gzip"),
    ],
)
def test_what_only_calls_itself_a_text_is_refused(data, words):
    assert words in refused(io.BytesIO(data))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"../../etc/cron.txt": TEXT.encode()}, "outside of it: cron.txt"),
        ({"/tmp/a.txt": TEXT.encode()}, "outside of it: a.txt"),
        ({"C:\\a.txt": TEXT.encode()}, "outside of it: a.txt"),
        ({"..\\..\\a.txt": TEXT.encode()}, "outside of it: a.txt"),
        ({f"{number}.txt": TEXT.encode() for number in range(6)}, "6 files"),
        ({"a.txt": b"a" * 2_900_000}, "zip bombs"),
        ({"a.txt": b"a" * 3_100_000}, "more than 3 MB"),
        ({f"{number}.txt": bytes([97 + number]) * 990_000 for number in range(4)}, "more than 3 MB"),
        ({}, "holds no file"),
        ({"a/": b""}, "holds no file"),
    ],
)
def test_a_crafted_zip_is_refused_as_a_whole(members, words):
    assert words in refused(zipped(members), "a.zip")


def test_a_zip_that_lies_about_its_sizes_is_refused():
    data = zipped({"a.txt": b"a" * 2_000_000}).getvalue()
    honest = (2_000_000).to_bytes(4, "little")

    assert "damaged" in refused(io.BytesIO(data.replace(honest, (900).to_bytes(4, "little"))), "a.zip")


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_damage_to_a_zip_does_more_than_get_it_refused(noise):
    data = zipped({"a.txt": TEXT.encode() * 40}).getvalue()
    damaged = data[:40] + noise + data[40 + len(noise) :]

    with suppress(InvalidInputError):
        assert receive(io.BytesIO(damaged), "a.zip", files=Shelf(), limits=LIMITS)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../雨.txt", "雨.txt"),
        ("C:\\书\\雨.txt", "雨.txt"),
        ("a\x00b\u202e.txt", "ab.txt"),
        ("...", "text"),
        ("", "text"),
        ("雨" * 300 + ".txt", "雨" * 116 + ".txt"),
    ],
)
def test_a_name_is_only_ever_a_name(name, clean):
    assert clean_name(name) == clean
