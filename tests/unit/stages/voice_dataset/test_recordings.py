from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConflictError, InvalidInputError
from core.stages.voice_dataset.recordings import shown_name
from core.stages.voice_dataset.sound.sound_file import format_of
from core.store import Store
from tests.unit.stages.voice_dataset.sounds import file_of, take_in, tones

WAV = file_of(tones((0.5, 1)))


def kept(store: Store) -> list[Path]:
    """What lies in the content store, and drafts beside it."""
    return [path for path in store.workspace.rglob("*") if path.is_file() and "store.db" not in path.name]


@pytest.mark.parametrize(
    ("kind", "subtype", "rate"),
    [
        ("WAV", "PCM_16", 16_000), ("WAV", "PCM_U8", 8_000), ("WAV", "PCM_24", 192_000), ("WAV", "FLOAT", 44_100),
        ("FLAC", None, 48_000), ("OGG", "VORBIS", 32_000), ("OGG", "OPUS", 48_000), ("MP3", None, 44_100),
    ],
)  # fmt: skip
def test_a_sound_file_is_kept_as_it_is_with_its_true_shape(store, kind, subtype, rate):
    content = file_of(tones((0.5, 1), rate=rate, seconds=2), rate, kind=kind, subtype=subtype)
    recording = take_in(content, store, name="whatever.bin")

    assert store.files.read(recording.sha256) == content
    assert recording.sample_rate == rate
    assert recording.seconds == pytest.approx(2, abs=0.1)
    assert store.voice.recordings("a-qing") == [recording]


def test_channels_are_kept(store):
    recording = take_in(file_of(np.stack([tones((0, 1))] * 6, axis=1)), store)

    assert recording.channels == 6


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just a text that calls itself a sound",
        WAV[:30],
        file_of(np.zeros(0, dtype=np.float32)),
        b"RIFF\xff\xff\xff\xffWAVEgarbage" * 4,
        b"fLaC" + b"\x00" * 100,
        b"OggS" + b"\xff" * 100,
        b"ID3" + b"\x01" * 200,
        file_of(np.zeros((100, 9), dtype=np.float32)),
    ],
    ids=[
        "empty",
        "text",
        "cut in the header",
        "no frames",
        "bad wav",
        "bad flac",
        "bad ogg",
        "bad mp3",
        "nine channels",
    ],
)
def test_what_is_no_sound_is_refused_plainly_and_nothing_is_kept(store, content):
    with pytest.raises(InvalidInputError) as refused:
        take_in(content, store)

    assert refused.value.remedy
    assert "a.wav" in str(refused.value)
    assert kept(store) == []
    assert store.voice.recordings("a-qing") == []


def test_a_recording_cut_off_in_the_middle_is_as_long_as_what_is_left(store):
    recording = take_in(WAV[: len(WAV) // 2], store)

    assert recording.seconds == pytest.approx(1.5, abs=0.01)


def test_a_header_that_lies_about_its_length_is_not_believed(store):
    lying = WAV[:4] + struct.pack("<I", 0xFFFFFFF0) + WAV[8:40] + struct.pack("<I", 0xC0000000) + WAV[44:]
    recording = take_in(lying, store)

    assert recording.seconds == pytest.approx(3, abs=0.01)


def test_a_file_over_the_limit_is_refused_while_it_streams(store):
    with pytest.raises(InvalidInputError, match="larger than 1 MB"):
        take_in(WAV * 20, store, megabytes=1)

    assert kept(store) == []


def test_the_same_file_twice_is_said_to_be_there(store):
    take_in(WAV, store, name="first.wav")

    with pytest.raises(ConflictError, match=r"first\.wav"):
        take_in(WAV, store, name="second.wav")


@pytest.mark.parametrize("seed", range(40))
def test_damaged_bytes_are_refused_or_read_but_never_crash(store, seed):
    dice = random.Random(seed)
    content = bytearray(file_of(tones((0.5, 1), seconds=1), kind=dice.choice(["WAV", "FLAC", "OGG", "MP3"])))
    for _ in range(dice.randint(1, 30)):
        content[dice.randrange(min(len(content), 200))] = dice.randrange(256)
    try:
        recording = take_in(bytes(content), store)
    except InvalidInputError:
        return

    assert recording.seconds > 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [("../../etc/a.wav", "a.wav"), ("C:\\x\\她.wav", "她.wav"), ("a\n\x00b.wav", "ab.wav"), ("", "recording")],
)
def test_a_name_is_only_shown(name, shown):
    assert shown_name(name) == shown


@pytest.mark.parametrize("head", [b"", b"\xff", b"RIFF1234AVI ", b"PK\x03\x04", b"\x00" * 16])
def test_other_contents_are_no_format(head):
    assert format_of(head) is None
