"""What is text is decoded right; what is not is refused with the reason."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.encoding import decode
from core.errors import InvalidInputError

SIMPLIFIED = "第一回　竹声\r\n这一日青儿在窗下看书，只听外面有人说道：“下雨了，快收衣裳。”青儿笑道：“不妨事。”\n" * 3
TRADITIONAL = (
    "第一回　竹聲\r\n這一日青兒在窗下看書，只聽外面有人說道：「下雨了，快收衣裳。」青兒笑道：「不妨事。」\n" * 3
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_a_simplified_text_is_read_in_every_usual_encoding(encoding):
    text, found = decode(SIMPLIFIED.encode(encoding), "a.txt")

    assert text == SIMPLIFIED
    assert found == ("gb18030" if encoding == "gbk" else encoding)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_text_that_says_it_is_in_a_wide_unicode_is_read(encoding):
    data = SIMPLIFIED.encode(encoding)

    text, found = decode(data, "a.txt")

    assert text == data.decode(found) == SIMPLIFIED
    assert found == encoding


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5"])
def test_a_traditional_text_is_read_in_every_usual_encoding(encoding):
    text, _ = decode(TRADITIONAL.encode(encoding), "a.txt")

    assert text == TRADITIONAL


def test_the_encoding_found_decodes_the_file_again_to_the_same_text():
    data = TRADITIONAL.encode("big5")

    text, found = decode(data, "a.txt")

    assert data.decode(found) == text


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_utf8_text_is_decoded_exactly_or_refused(text):
    data = text.encode("utf-8")

    with suppress(InvalidInputError):
        decoded, encoding = decode(data, "a.txt")
        assert decoded.encode(encoding) == data


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_decoded_or_refused_and_nothing_else(data):
    with suppress(InvalidInputError):
        text, encoding = decode(data, "a.txt")
        assert data.decode(encoding) == text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \r\n\t\n", "is empty"),
        ("　\n".encode(), "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("竹声".encode("utf-16-be") + b"\x00", "binary"),
        ("竹\x00声".encode("utf-16"), "binary"),
        ("竹声".encode("utf-16") + b"\x00", "not recognised"),
        (b"\x89PNG\r\n\x1a\n....", "PNG"),
        (b"\xff\xd8\xff\xe0....", "JPEG"),
        (b"PK\x03\x04....", "ZIP"),
        (b"%PDF-1.7", "PDF"),
        ("竹".encode() + b"\x00" + "声".encode(), "binary"),
        (b"\x7fELF\x02\x01", "ELF"),
        (bytes(range(1, 32)) * 100, "binary"),
        (random.Random(7).randbytes(5000).replace(b"\x00", b"\x01"), "binary"),
        ("Žluťoučký kůň úpěl ďábelské ódy. ".encode("iso-8859-2") * 50, "not recognised"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason_and_a_remedy(data, words):
    with pytest.raises(InvalidInputError) as refusal:
        decode(data, "a.txt")

    assert words in str(refusal.value)
    assert "a.txt" in str(refusal.value)
    assert refusal.value.remedy
