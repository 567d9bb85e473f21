"""A recording comes in, is seen as a waveform, and a clip of it is heard."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import House
from tests.browser.visitor import PATIENCE, Visitor


def a_tone(path: Path, seconds: float = 2.0, rate: int = 16_000) -> Path:
    """Write a swelling tone as a wav."""
    frames = int(seconds * rate)
    swell = (math.sin(math.pi * at / frames) * math.sin(2 * math.pi * 220 * at / rate) for at in range(frames))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", int(20_000 * value)) for value in swell))
    return path


@pytest.mark.slow
def test_a_recording_is_seen_as_a_waveform_and_cut_into_a_clip_that_plays(
    house: House, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.open("voice_dataset")
    visitor.unfold("Add a recording")

    visitor.give(a_tone(tmp_path / "tone.wav"))
    visitor.press("Keep it")
    visitor.sees("tone.wav is kept, 2 seconds long.")
    expect(visitor.page.locator(".js-plotly-plot .scatterlayer path.js-line").first).to_be_visible(timeout=PATIENCE)
    visitor.write("Words spoken", "竹子喝饱了。")
    visitor.press("Make a clip")
    visitor.sees("The clip is made: 竹子喝饱了。")
    visitor.settled()

    clip = house.services.store.voice.clips(house.persona)[0]
    assert (clip.text, clip.start, clip.end) == ("竹子喝饱了。", 0, 2)
    with wave.open(str(house.services.store.files.path(clip.sha256)), "rb") as rendered:
        assert rendered.getnframes() == 2 * rendered.getframerate()
    sound = visitor.page.locator(".st-key-clip-" + clip.id).locator("audio")
    sound.evaluate("async sound => { await sound.play(); }")
    visitor.page.wait_for_function(
        "name => document.querySelector(name + ' audio').currentTime > 0", arg=".st-key-clip-" + clip.id
    )


def test_what_is_no_sound_is_refused_with_a_remedy(house: House, visitor: Visitor, tmp_path: Path) -> None:
    fake = tmp_path / "fake.wav"
    fake.write_bytes(b"not a sound at all" * 100)
    kept = house.services.store.voice.recordings(house.persona)
    visitor.open("voice_dataset")
    visitor.unfold("Add a recording")

    visitor.give(fake)
    visitor.press("Keep it")

    visitor.sees_problem("fake.wav is not a sound file that is understood here.")
    visitor.sees_problem("Give a WAV, FLAC, OGG or MP3 file; the content counts, not the name.")
    assert house.services.store.voice.recordings(house.persona) == kept
