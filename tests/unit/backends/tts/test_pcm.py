"""A wav that comes in pieces, as servers send it."""

from __future__ import annotations

import pytest

from core.backends.tts.pcm import NotWavError, WavReader, sound_of

SAMPLES = bytes(range(1, 201))
WAV = sound_of(SAMPLES, 24_000).wav
UNTOLD = WAV[:4] + (36).to_bytes(4, "little") + WAV[8:40] + b"\0\0\0\0" + WAV[44:]


@pytest.mark.parametrize("size", [1, 3, 44, 45, 1000])
@pytest.mark.parametrize("wav", [WAV, UNTOLD], ids=["length told", "length untold"])
def test_whatever_the_pieces_the_samples_are_the_same_and_never_half(wav, size):
    reader = WavReader()
    pieces = [reader.feed(wav[place : place + size]) for place in range(0, len(wav), size)]

    assert b"".join(pieces) == SAMPLES
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert (reader.rate, reader.whole, reader.loud) == (24_000, True, True)


@pytest.mark.parametrize("wav", [WAV[:-1], WAV[:-2], WAV[:30], b"", UNTOLD[:-1]])
def test_what_broke_off_is_not_whole(wav):
    reader = WavReader()
    reader.feed(wav)

    assert not reader.whole


def test_what_follows_the_samples_is_no_sound():
    assert WavReader().feed(WAV + b"LIST\x04\0\0\0abcd") == SAMPLES


def test_a_chunk_before_the_samples_is_skipped():
    assert WavReader().feed(WAV[:36] + b"LIST\x03\0\0\0abc\0" + WAV[36:]) == SAMPLES


def test_silence_is_not_loud():
    reader = WavReader()
    reader.feed(sound_of(bytes(100), 16_000).wav)

    assert (reader.whole, reader.loud) == (True, False)


@pytest.mark.parametrize(
    "content", [b"ID3\x03", b"<html>", b'{"message": 1}', b"RIFF\0\0\0\0AVI ", WAV[:22] + b"\x02" + WAV[23:]]
)
def test_what_is_no_wav_of_one_channel_is_told(content):
    with pytest.raises(NotWavError):
        WavReader().feed(content)
