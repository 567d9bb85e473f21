from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.errors import InvalidInputError
from core.stages.voice_dataset.sound.activity import Profile
from core.stages.voice_dataset.sound.decoding import ACTIVITY, SOUND, Decoded, decode
from core.stages.voice_dataset.sound.slicing import Silence, cuts
from core.stages.voice_dataset.sound.sound_file import Samples
from tests.unit.stages.voice_dataset.media_files import encoded, film
from tests.unit.stages.voice_dataset.sounds import file_of, tones

RATE = 48_000
SPEECH = tones((0.5, 1.0), (1.5, 2.5), rate=RATE)
WAV = file_of(SPEECH, RATE)

CONTAINERS = [
    ("wav", "pcm_s16le", "wav"), ("wav", "pcm_s24le", "wav"), ("wav", "pcm_f32le", "wav"),
    ("aiff", "pcm_s16be", "aiff"), ("flac", "flac", "flac"),
    ("mp3", "libmp3lame", "mp3"), ("mp4", "aac", "m4a"), ("ipod", "alac", "m4a"),
    ("ogg", "libopus", "ogg"), ("matroska", "aac", "mkv"), ("webm", "libopus", "webm"),
    ("adts", "aac", "aac"),
]  # fmt: skip


def decoded(content: bytes, folder: Path, *, minutes: float = 5, stream: int = 0) -> Decoded:
    path = folder / "upload.bin"
    path.write_bytes(content)
    return decode(path, folder, name="她的声音", max_minutes=minutes, stream=stream)


def sound_in(folder: Path, found: Decoded) -> Samples:
    """The sound as it is cut from."""
    samples, rate = soundfile.read(folder / (SOUND if found.copied else "upload.bin"), dtype="float32")
    assert (rate, samples.ndim, len(samples)) == (found.sample_rate, 1, found.frames)
    sound: Samples = samples
    return sound


def beginnings(folder: Path, found: Decoded) -> list[float]:
    """Where the pieces of speech begin, by the profile made while decoding."""
    profile = Profile.load(folder / ACTIVITY, found.seconds)
    return [piece.start for piece in cuts(profile, Silence(padding=0, join_below=0))]


@pytest.mark.parametrize(("kind", "codec", "container"), CONTAINERS)
def test_every_format_gives_the_sound_at_its_time_and_rate(tmp_path, kind, codec, container):
    found = decoded(encoded(SPEECH, RATE, kind, codec), tmp_path)

    assert (found.container, found.sample_rate, found.channels, found.truncated) == (container, RATE, 1, False)
    assert found.seconds == pytest.approx(3, abs=0.06)
    assert beginnings(tmp_path, found) == pytest.approx([0.5, 1.5], abs=0.06)
    assert np.abs(sound_in(tmp_path, found)).max() == pytest.approx(0.31, abs=0.04)


@pytest.mark.parametrize("kind", ["mp4", "matroska"])
def test_the_sound_of_a_film_is_at_the_time_of_its_pictures(tmp_path, kind):
    found = decoded(film(tones((0.5, 1), rate=RATE, seconds=1.5), RATE, kind, late=0.4), tmp_path)

    assert found.container == {"mp4": "mp4", "matroska": "mkv"}[kind]
    assert beginnings(tmp_path, found) == pytest.approx([0.9], abs=0.05)


@pytest.mark.parametrize("kind", ["mp4", "matroska"])
def test_what_a_clock_leaves_out_is_silence(tmp_path, kind):
    found = decoded(encoded(SPEECH, RATE, kind, "aac", late=1, gap=(1.1, 1.4)), tmp_path)

    assert beginnings(tmp_path, found) == pytest.approx([1.5, 2.5], abs=0.06)
    assert found.seconds == pytest.approx(4, abs=0.06)


@pytest.mark.parametrize("rate", [8_000, 22_050, 192_000])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_sample_of_a_wav_comes_back(tmp_path, rate, subtype, channels):
    dice = np.random.default_rng(rate)
    samples = dice.integers(-100, 100, (3_001, channels)).astype(np.float32) / np.float32(128)
    found = decoded(file_of(samples, rate, subtype=subtype), tmp_path)
    step = 2**-23 if subtype in ("PCM_24", "FLOAT") else 2**-16

    assert (found.frames, found.sample_rate, found.channels) == (3_001, rate, channels)
    assert found.copied is (channels > 1)
    assert np.abs(sound_in(tmp_path, found) - samples.mean(axis=1)).max() <= step


def test_sixteen_bits_come_back_bit_for_bit(tmp_path):
    ramp = np.arange(-32_768, 32_768, dtype=np.int16)
    content = file_of(np.stack([ramp, ramp], axis=1), 16_000)
    decoded(content, tmp_path)

    assert np.array_equal(soundfile.read(tmp_path / SOUND, dtype="int16")[0], ramp)


@pytest.mark.parametrize(
    "container", [("wav", "pcm_s16le"), ("flac", "flac"), ("mp3", "libmp3lame"), ("ogg", "libopus")]
)
@pytest.mark.parametrize("left", [0.5, 0.9])
def test_what_is_left_of_a_file_cut_off_is_kept_and_said_to_be_cut_off(tmp_path, container, left):
    content = encoded(SPEECH, RATE, *container)
    found = decoded(content[: int(len(content) * left)], tmp_path)

    assert found.truncated
    assert 3 * left * 0.6 < found.seconds < 3 * left * 1.4
    assert len(sound_in(tmp_path, found)) == found.frames


def test_a_film_cut_off_before_its_index_is_refused(tmp_path):
    content = film(SPEECH, RATE)

    with pytest.raises(InvalidInputError, match="damaged or cut off"):
        decoded(content[: len(content) // 2], tmp_path)


def test_damage_in_the_middle_leaves_the_rest_where_it_was(tmp_path):
    content = bytearray(encoded(SPEECH, RATE, "flac", "flac"))
    content[len(content) // 3 : len(content) // 3 + 400] = b"\xaa" * 400
    found = decoded(bytes(content), tmp_path)

    assert found.truncated
    assert found.seconds == pytest.approx(3, abs=0.2)
    assert len(sound_in(tmp_path, found)) == found.frames


@pytest.mark.parametrize("claim", [0xC0000000, 0xFFFFFFFF, 0])
def test_a_header_that_lies_about_its_length_is_not_believed(tmp_path, claim):
    lying = WAV[:4] + struct.pack("<I", min(claim + 36, 0xFFFFFFFF)) + WAV[8:40] + struct.pack("<I", claim) + WAV[44:]
    found = decoded(lying, tmp_path)

    assert found.seconds == pytest.approx(3, abs=0.01)
    assert len(sound_in(tmp_path, found)) == found.frames


@pytest.mark.parametrize("copy", [1, 2], ids=["its own sound", "mixed down"])
def test_floats_that_are_no_numbers_are_silence(tmp_path, copy):
    samples = np.stack([SPEECH] * copy, axis=1)
    samples[100:200] = np.nan
    samples[300] = np.inf
    found = decoded(file_of(samples, RATE, subtype="FLOAT"), tmp_path)

    assert beginnings(tmp_path, found) == pytest.approx([0.5, 1.5], abs=0.06)


def test_a_longer_file_than_allowed_is_refused_whatever_its_header_says(tmp_path):
    with pytest.raises(InvalidInputError, match="longer than"):
        decoded(WAV, tmp_path, minutes=0.04)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (film(None, RATE), "no sound"),
        (file_of(np.zeros(0, np.float32)), "length is zero|cannot be read"),
        (file_of(np.zeros((100, 9), np.float32)), "9 channels"),
        (file_of(SPEECH, 4_000), "4000 samples"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "cannot be read"),
    ],
    ids=["a film without sound", "no frames", "nine channels", "a rate too low", "nothing but a head"],
)  # fmt: skip
def test_what_cannot_be_a_recording_is_refused_with_the_reason(tmp_path, content, reason):
    with pytest.raises(InvalidInputError, match=reason) as refused:
        decoded(content, tmp_path)

    assert "她的声音" in str(refused.value)


def test_a_sound_track_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InvalidInputError, match="sound tracks"):
        decoded(WAV, tmp_path, stream=1)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{other}'\n",
        "<?xml version='1.0'?><MPD><Period><BaseURL>{other}</BaseURL></Period></MPD>",
        "v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
        "[Playlist]\nFile1={other}\n",
        "RIFF{other}",
    ],
    ids=["hls", "concat", "dash", "sdp", "pls", "fake riff"],
)
def test_a_text_that_names_other_files_opens_none(tmp_path, text):
    other = tmp_path / "secret.wav"
    other.write_bytes(WAV)

    with pytest.raises(InvalidInputError, match="cannot be read"):
        decoded(text.format(other=other).encode(), tmp_path)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_bytes_are_refused_or_read_but_never_crash(tmp_path, seed):
    dice = random.Random(seed)
    kind, codec, _container = CONTAINERS[seed % len(CONTAINERS)]
    content = bytearray(encoded(tones((0.2, 0.5), rate=RATE, seconds=0.6), RATE, kind, codec))
    for _ in range(dice.randint(1, 30)):
        content[dice.randrange(min(len(content), dice.choice([64, 400, 10_000])))] = dice.randrange(256)
    if dice.random() < 0.3:
        content = content[: dice.randrange(len(content))]
    try:
        found = decoded(bytes(content), tmp_path)
    except InvalidInputError:
        return

    assert found.frames > 0
    assert len(sound_in(tmp_path, found)) == found.frames
