"""Files made to do harm, or made by accident: refused in words, or read; never a traceback."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInputError, SettingsError
from core.stages.dataset.export import export, export_archive
from core.stages.dataset.formats import FORMATS, png
from core.stages.dataset.formats.upload import read_upload
from tests.conftest import persona_a_qing
from tests.unit.stages.dataset.talks import ORIGINS, SAMPLES, VERSION

HER = persona_a_qing()
TALK = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'
PICTURE = export(VERSION, SAMPLES, format="card-png", persona=HER)
PARQUET = export(VERSION, SAMPLES, format="parquet")


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return out.getvalue()


def lying(data: bytes, size: int) -> bytes:
    """Return a zip whose directory says the file is this large, when it is not."""
    real = struct.pack("<I", len(data))
    packed = zipped(train_json=data)
    assert packed.count(real) >= 2
    return packed.replace(real, struct.pack("<I", size))


def card(value: bytes, keyword: bytes = b"chara") -> bytes:
    return png.with_texts(png.plain(1, 1, (0, 0, 0)), {keyword.decode(): value})


def chunk(kind: bytes, body: bytes, crc: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) if crc is None else crc)
    )


HOSTILE = {
    "nothing": b"",
    "white space": b" \n\t ",
    "zeros": b"\0" * 10_000,
    "half a character": b"\xff\xfe\xfd",
    "a deep list": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "a deep record": b'[{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "a number that is none": b'[{"conversation": NaN}]',
    "a number without end": b'[{"conversation": ' + b"9" * 10_000 + b"}]",
    "a list of numbers": b"[1, 2, 3]",
    "a list cut off": b'[{"conversation": []},',
    "an empty list": b"[]",
    "an empty object": b"{}",
    "a string": b'"messages"',
    "a record of five megabytes": b'[{"conversation": "' + b"x" * 5_000_000 + b'"}]',
    "a table without a head": b"1,2,3\n4,5,6\n",
    "a table cut off": b'sample,role,text\n1,user,"abc',
    "a cell of a megabyte": b"sample,role,text\n1,user," + b"x" * 1_000_000 + b"\n",
    "a table of a million columns": b"sample,role,text" + b",x" * 1_000_000 + b"\n1\n" * 1_000,
    "a name without end": zipped(**{"a" * 400 + "_json": b"[]"}),
    "a zip of nothing": zipped(),
    "a zip cut off": zipped(train_json=b"[]")[:-10],
    "a zip of a picture": zipped(a_jpg=b"\xff\xd8"),
    "a zip of zips": zipped(a_zip=zipped(b_zip=zipped())),
    "a zip that lies small": lying(b"[" + b" " * 5_000 + b"]", 3),
    "a zip that lies large": lying(b"[" + b" " * 5_000 + b"]", 0x7FFFFFFF),
    "too many files": zipped(**{f"a{number}_json": b"[]" for number in range(1_001)}),
    "a manifest alone": zipped(manifest_json=b"{}"),
    "a picture without a card": png.plain(2, 2, (0, 0, 0)),
    "a picture cut off": PICTURE[:-20],
    "a picture of its mark": png.MAGIC,
    "a chunk longer than the file": png.MAGIC + struct.pack(">I", 0xFFFFFFFF) + b"tEXt",
    "a chunk with another checksum": png.MAGIC + chunk(b"tEXt", b"chara\0e30=", crc=1) + chunk(b"IEND", b""),
    "a picture without an end": png.MAGIC + chunk(b"tEXt", b"chara\0e30="),
    "a card that is no base64": card(b"{}!"),
    "a card that is no JSON": card(base64.b64encode(b"{")),
    "a card that is no UTF-8": card(base64.b64encode(b"\xff\xff")),
    "a deep card": card(base64.b64encode(b"[" * 100_000)),
    "a card with a number that is none": card(base64.b64encode(b'{"spec": "chara_card_v2", "data": Infinity}')),
    "a card of nobody": b'{"spec": "chara_card_v2", "data": {"name": ""}}',
    "parquet of its mark": b"PAR1",
    "parquet cut off": PARQUET[:-30],
    "parquet with a hole": PARQUET[:200] + b"\0" * 200 + PARQUET[400:],
    "a task without turns": b'[{"data": {"dialogue": [1]}}]',
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_remedy(name):
    with pytest.raises(InvalidInputError) as refusal:
        read_upload(HOSTILE[name], "a.dat")

    assert refusal.value.remedy
    assert len(str(refusal.value)) < 1_000


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", HOSTILE)
def test_naming_a_format_makes_no_hostile_file_harmless(name, format):
    with pytest.raises(InvalidInputError):
        read_upload(HOSTILE[name], "a.dat", format=format)


def test_a_bomb_is_refused_before_it_is_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            with archive.open(f"{number}.json", "w") as member:
                for _ in range(100):
                    member.write(b" " * 1_000_000)

    with pytest.raises(InvalidInputError, match="256 MB"):
        read_upload(out.getvalue(), "a.zip")


def test_parquet_that_unpacks_to_too_much_is_refused():
    import pandas as pd

    frame = pd.DataFrame({"sample": range(5_000_001), "role": "user", "text": "x"})
    out = io.BytesIO()
    frame.to_parquet(out)

    with pytest.raises(InvalidInputError, match="5000001 rows"):
        read_upload(out.getvalue(), "a.parquet")


def test_a_locked_zip_is_refused():
    packed = bytearray(zipped(train_json=TALK))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + place] |= 1

    with pytest.raises(InvalidInputError, match="password"):
        read_upload(bytes(packed), "a.zip")


def test_a_path_in_a_zip_is_only_a_name():
    found = read_upload(zipped(**{"../../etc/passwd_jsonl": TALK}), "a.zip")

    assert found.report.read == 1


def test_a_manifest_of_lies_is_no_manifest():
    lies = [
        b"[" * 100_000,
        b'{"format": 1}',
        json.dumps({"format": "xtuner", "dataset_version": {}, "samples": [{"ordinal": -1}], "files": {}}).encode(),
    ]

    for lie in lies:
        assert read_upload(zipped(train_jsonl=TALK, manifest_json=lie), "a.zip").report.read == 1


def test_a_manifest_of_an_unknown_format_does_not_choose_it():
    known = {"format": "papyrus", "dataset_version": {}, "samples": [], "files": {}}

    found = read_upload(zipped(train_jsonl=TALK, manifest_json=json.dumps(known).encode()), "a.zip")

    assert found.report.read == 1


def test_an_unknown_format_is_refused():
    with pytest.raises(SettingsError, match="papyrus"):
        read_upload(TALK, "a.jsonl", format="papyrus")


def test_findings_and_fields_without_end_are_counted_and_cut():
    lines = [b'{"f%d": 1}' % number for number in range(2_000)]

    found = read_upload(b"\n".join([TALK, *lines]), "a.jsonl")

    assert found.report.refused == 2_000
    assert len(found.report.findings) == 500
    assert len(found.report.unknown_fields) == 100


VALID = [export_archive(VERSION, SAMPLES, format=name, persona=HER, origins=ORIGINS) for name in FORMATS]
VALID += [PICTURE, PARQUET, export(VERSION, SAMPLES), export(VERSION, SAMPLES, format="csv"), TALK]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(VALID), st.data())
def test_a_damaged_file_is_read_or_refused(data, drawn):
    damaged = bytearray(data)
    for _ in range(drawn.draw(st.integers(1, 4))):
        place = drawn.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = drawn.draw(st.integers(0, 255))
    cut = drawn.draw(st.integers(0, len(damaged)))
    with suppress(InvalidInputError):
        read_upload(bytes(damaged[cut:] if drawn.draw(st.booleans()) else damaged), "a.bin")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
KEYS = st.sampled_from(
    ["messages", "conversation", "conversations", "instruction", "output", "input", "history", "system", "role", "from",
     "value", "content", "data", "dialogue", "author", "text", "annotations", "result", "speakers", "utterances",
     "sample", "chapter", "spec", "name", "first_mes", "extensions", "split"]
)  # fmt: skip
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner), max_leaves=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.dictionaries(KEYS, ANY, min_size=1), min_size=1, max_size=3), st.sampled_from(["", *FORMATS]))
def test_any_json_is_read_or_refused(records, format):
    with suppress(InvalidInputError):
        read_upload(json.dumps(records).encode(), "a.json", format=format)
