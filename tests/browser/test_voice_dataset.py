"""Recordings come in, her lines are found and cut, clips are heard and decided about by key, sets are frozen."""

from __future__ import annotations

import io
import json
import math
import re
import struct
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.domain.text import ReviewStatus
from core.domain.voice import TextOrigin
from core.store.clips import ClipFilter
from core.store.utterances import UtteranceFilter
from tests.browser.conftest import House
from tests.browser.spoken_episode import LATE, spoken_episode
from tests.browser.visitor import PATIENCE, Visitor

OpenTab = Callable[..., Visitor]
WAVE = ".js-plotly-plot .scatterlayer path.js-line"


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


def add(visitor: Visitor, *files: Path, subtitles: Path | None = None) -> None:
    """Give the page recordings, with subtitles beside them, and import them."""
    visitor.unfold("Add a recording")
    uploaders = visitor.page.get_by_test_id("stFileUploader").filter(visible=True)
    for uploader, paths in ((uploaders.nth(0), list(files)), (uploaders.nth(1), [subtitles] if subtitles else [])):
        if paths:
            uploader.locator("input[type=file]").set_input_files(paths)
        for path in paths:
            expect(uploader.get_by_role("button", name=f"Remove {path.name}")).to_be_visible()
    visitor.settled()
    visitor.press("Import")


def newest(house: House, name: str) -> str:
    """The id of the recording of that name."""
    return next(one.id for one in house.services.store.voice.recordings(house.persona) if one.name == name)


def clip_on_the_screen(visitor: Visitor) -> str:
    """The id of the clip one looks at."""
    visitor.page.wait_for_function("() => new URLSearchParams(location.search).get('clip')")
    return str(visitor.page.evaluate("new URLSearchParams(location.search).get('clip')"))


def go_on_by(visitor: Visitor, key: str) -> str:
    """Press a key that leads to another clip, wait until that is there, and return which clip was left."""
    left = clip_on_the_screen(visitor)
    visitor.page.keyboard.press(key)
    visitor.page.wait_for_function("left => new URLSearchParams(location.search).get('clip') !== left", arg=left)
    visitor.settled()
    return left


@pytest.mark.slow
def test_a_stretch_of_a_recording_is_marked_on_the_waveform_and_becomes_a_clip_that_plays(
    house: House, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.open("voice_dataset")
    add(visitor, a_tone(tmp_path / "tone.wav", 4.0))
    visitor.sees("tone.wav is kept, 4 seconds long.", patience=4 * PATIENCE)
    recording = newest(house, "tone.wav")
    visitor.open(f"voice_dataset?recording={recording}")

    drawn = visitor.page.locator(".js-plotly-plot").first
    expect(drawn.locator("path.js-line").first).to_be_visible()
    plot = drawn.locator(".nsewdrag").first.bounding_box()
    assert plot is not None
    visitor.page.mouse.move(plot["x"] + plot["width"] / 4, plot["y"] + plot["height"] / 2)
    visitor.page.mouse.down()
    visitor.page.mouse.move(plot["x"] + plot["width"] * 3 / 4, plot["y"] + plot["height"] / 2, steps=8)
    visitor.page.mouse.up()
    visitor.sees("Make a clip of")
    visitor.write("Words spoken", "竹子喝饱了。")
    visitor.press("Make a clip of")
    visitor.sees("The clip is made: 竹子喝饱了。")
    visitor.settled()

    clip = next(iter(house.services.store.clips.iterate(ClipFilter(house.persona, recording))))
    assert (clip.text, clip.text_origin, clip.status) == ("竹子喝饱了。", TextOrigin.HAND, ReviewStatus.ACCEPTED)
    assert clip.start == pytest.approx(1, abs=0.1)
    assert clip.end == pytest.approx(3, abs=0.1)
    visitor.open(f"voice_dataset?part=clips&clip={clip.id}")
    sound = visitor.page.locator(".st-key-clip-made audio")
    sound.evaluate("async sound => { await sound.play(); }")
    visitor.page.wait_for_function("document.querySelector('.st-key-clip-made audio').currentTime > 0")


@pytest.mark.slow
def test_her_lines_are_found_in_an_episode_decided_about_by_key_and_frozen(
    house: House, visitor: Visitor, tmp_path: Path
) -> None:
    store = house.services.store
    name = store.personas.get(house.persona).name
    book = store.utterances.iterate(UtteranceFilter(house.persona, house.source_id))
    lines = [one for one in book if len(one.text) > 7][:16]
    hers = {one.id for one in lines if one.speaker == name}
    assert 3 <= len(hers) < len(lines)
    sound, subtitles = spoken_episode(tmp_path, lines, name)

    visitor.open("voice_dataset")
    add(visitor, sound, subtitles=subtitles)
    visitor.sees(re.compile("episode.wav is kept"), patience=4 * PATIENCE)
    recording = newest(house, "episode.wav")
    visitor.open(f"voice_dataset?recording={recording}")
    visitor.unfold("Cut into clips")
    visitor.sees("The subtitles are moved by", patience=2 * PATIENCE)
    visitor.starts_and_sees_succeed(f"Cut {len(hers)} clips")
    clips = {one.id: one for one in store.clips.iterate(ClipFilter(house.persona, recording))}
    assert {one.utterance_id for one in clips.values()} == hers
    assert all(one.start - LATE < one.end for one in clips.values())

    visitor.open(f"voice_dataset?part=clips&recording={recording}")
    expect(visitor.page.locator(".st-key-clip-made audio")).to_be_visible()
    visitor.settled()
    accepted = go_on_by(visitor, "a")
    rejected = go_on_by(visitor, "x")
    assert (store.clips.get(accepted).status, store.clips.get(rejected).status) == (
        ReviewStatus.ACCEPTED,
        ReviewStatus.REJECTED,
    )
    visitor.page.keyboard.press("Control+z")
    visitor.sees("Undone: 1 clip")
    visitor.settled()
    assert store.clips.get(rejected).status is ReviewStatus.PENDING
    assert clip_on_the_screen(visitor) == rejected

    visitor.page.keyboard.press("e")
    field = visitor.page.locator(".st-key-clip-panel textarea").first
    expect(field).to_be_focused()
    field.fill("另写的一句话。")
    go_on_by(visitor, "Control+Enter")
    written = store.clips.get(rejected)
    assert (written.text, written.text_origin, written.status) == (
        "另写的一句话。",
        TextOrigin.HAND,
        ReviewStatus.ACCEPTED,
    )

    visitor.open("voice_dataset?part=sets")
    visitor.unfold("Freeze a set")
    visitor.starts_and_sees_succeed("Freeze")
    frozen = store.clip_sets.sets(house.persona)[0]
    assert {accepted, rejected} <= {one.clip_id for one in store.clip_sets.clips(frozen.id)}
    with visitor.page.expect_download() as download:
        visitor.press("Download the zip")
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        listed = next(archive.read(one).decode() for one in archive.namelist() if one.endswith(".list"))
        manifest = json.loads(archive.read("manifest.json"))
    rows = [row.split("|") for row in listed.splitlines()]
    assert {row[3] for row in rows} >= {"另写的一句话。", clips[accepted].text}
    assert {(row[1], row[2]) for row in rows} == {(name, "zh")}
    assert frozen.fingerprint in json.dumps(manifest)


@pytest.mark.slow
def test_what_is_spoken_into_the_microphone_becomes_a_clip_of_that_length(house: House, visitor: Visitor) -> None:
    visitor.open("voice_dataset")
    visitor.unfold("Add a recording")
    visitor.page.get_by_role("radio", name="The microphone").click()
    visitor.page.get_by_role("button", name="Record").click()
    visitor.page.wait_for_timeout(3_000)
    visitor.page.get_by_role("button", name="Stop recording").click()
    kept = visitor.sees(re.compile(r"Keep it as a clip \(\d"))
    said = float(re.findall(r"\((\d+\.?\d*) s", kept.inner_text())[0])
    visitor.write("Words spoken", "我在这里说话。")
    visitor.press("Keep it as a clip")
    visitor.sees(re.compile("microphone.wav is kept"), patience=4 * PATIENCE)

    recording = newest(house, "microphone.wav")
    clip = next(iter(house.services.store.clips.iterate(ClipFilter(house.persona, recording))))
    assert 2.0 < said < 6.0
    assert clip.seconds == pytest.approx(said, abs=0.06)
    assert (clip.text, clip.start) == ("我在这里说话。", 0)


def test_an_empty_take_is_noticed_and_said(house: House, visitor: Visitor) -> None:
    """In a Chromium without a screen the recorder of streamlit-audiorec hears nothing, as with a muted microphone."""
    visitor.open("voice_dataset")
    visitor.unfold("Add a recording")
    visitor.page.get_by_role("radio", name="A short take").click()
    recorder = visitor.page.frame_locator("iframe[title*=audiorec], iframe[title*=audio_rec]").first
    recorder.get_by_role("button", name=re.compile("Start", re.IGNORECASE)).click()
    visitor.page.wait_for_timeout(600)
    recorder.get_by_role("button", name="Stop").click()
    visitor.sees(re.compile("The take is empty|Keep it as a clip"))


def test_what_is_no_sound_is_refused_with_a_remedy(house: House, visitor: Visitor, tmp_path: Path) -> None:
    fake = tmp_path / "fake.wav"
    fake.write_bytes(b"not a sound at all" * 100)
    kept = house.services.store.voice.recordings(house.persona)
    visitor.open("voice_dataset")

    add(visitor, fake)

    problem = visitor.sees_problem("fake.wav is no sound or video file that is understood here.")
    expect(problem).to_be_visible()
    assert house.services.store.voice.recordings(house.persona) == kept


def test_subtitles_that_cannot_be_read_keep_the_recording_out(house: House, visitor: Visitor, tmp_path: Path) -> None:
    nothing = tmp_path / "tone.srt"
    nothing.write_text("nothing said here", encoding="utf-8")
    visitor.open("voice_dataset")
    add(visitor, a_tone(tmp_path / "quiet.wav"), subtitles=nothing)
    visitor.sees_problem("tone.srt holds no words with times.")
