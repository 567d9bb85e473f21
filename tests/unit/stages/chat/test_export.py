from __future__ import annotations

import io
import json
import wave
from dataclasses import replace

import av
import numpy as np
import pytest
from markdown_it import MarkdownIt

from core.domain.chat import Message, Speaker
from core.domain.identity import now
from core.domain.sounds import samples_of
from core.domain.text import DatasetVersion
from core.domain.training import Model, ModelKind
from core.errors import InvalidInputError
from core.stages.chat.export import FORMAT, PAUSE, SoundKind, as_json, as_markdown, as_sound, makers
from tests.contract.doubles import tone

NAMES = {Speaker.VISITOR: "客", Speaker.PERSONA: "沈青"}


@pytest.fixture
def talk(store):
    """The visitor asks, a model of hers answers; both names are of people who like to format."""
    version = DatasetVersion("data-1", "a-qing", "v1", "", "f" * 64, "", {}, 1, 0, now())
    store.datasets.add(version, [])
    model = Model("model-1", "a-qing", ModelKind.TEXT, "竹", None, version.id, "tiny", "models/x", now())
    store.models.add(model)
    begun = store.talks.start("a-qing", "# 雨\n天")
    store.talks.say(Message("m-0", begun.id, 0, Speaker.PERSONA, "你来了。", now()))
    store.talks.say(Message("m-1", begun.id, 0, Speaker.VISITOR, "*冷*么？\n- 说。", now()))
    reply = Message(
        "m-2", begun.id, 0, Speaker.PERSONA, "不冷。", now(), "transformers", "model-1", "formant", "0" * 64,
        timings={"text": 0.5}, memories=("s-1.1.0",),
    )  # fmt: skip
    store.talks.say(reply)
    return store.talks.conversation(begun.id)


@pytest.fixture
def heard(store):
    """Make replies of sounds, and return them."""

    def made(*sounds):
        kept = [store.files.put(one.wav) for one in sounds]
        return [
            Message(f"m-{n}", "t", n, Speaker.PERSONA, "。", now(), "retrieval", sound_sha256=one)
            for n, one in enumerate(kept)
        ]

    return made


def test_a_conversation_is_read_turn_by_turn_with_what_the_caller_knows_of_it(store, persona, talk):
    text = as_markdown(
        talk,
        store.talks.messages(talk.id),
        persona,
        names=NAMES,
        facts={"m-2": ["竹 · 0.5 s", "*v1*"]},
        when=lambda moment: "今日",
    )

    assert text == (
        "# \\# 雨 天\n\n沈青 · 竹声 · 今日\n\n## 沈青 · 今日\n\n你来了。\n\n"
        "## 客 · 今日\n\n\\*冷\\*么？\\\n\\- 说。\n\n"
        "## 沈青 · 今日\n\n不冷。\n\n> 竹 · 0.5 s\\\n> \\*v1\\*\n"
    )


def test_a_title_keeps_the_signs_it_ends_in(store, persona, talk):
    text = as_markdown(replace(talk, title="# 问题 #"), [], persona, names=NAMES)

    heading = MarkdownIt("commonmark").parse(text)[1]
    assert "".join(part.content for part in heading.children or ()) == "# 问题 #"


def test_programs_are_told_what_made_each_reply(store, persona, talk):
    messages = store.talks.messages(talk.id)

    told = json.loads(as_json(talk, messages, persona, names=NAMES, made=makers(messages, store)))

    assert told["format"] == FORMAT
    assert (told["persona"]["name"], told["conversation"]["title"]) == ("沈青", "# 雨\n天")
    greeting, asked, reply = told["messages"]
    assert (greeting["text"], asked["name"], asked["speaker"]) == ("你来了。", "客", "user")
    assert "made_by" not in greeting
    assert "made_by" not in asked
    assert reply["made_by"] == {
        "backend": "transformers",
        "model": {"id": "model-1", "name": "竹"},
        "dataset_version": {"id": "data-1", "name": "v1", "fingerprint": "f" * 64},
        "voice": {"id": "formant", "name": None},
        "line": None,
    }
    assert (reply["timings"], reply["memories"], reply["sound"]) == ({"text": 0.5}, ["s-1.1.0"], "0" * 64)


def test_her_replies_are_heard_in_order_at_the_finest_rate_with_a_pause_between(store, heard):
    replies = heard(tone(0.5, 8_000, 300), tone(0.25, 24_000, 600))
    visitor = replace(replies[0], speaker=Speaker.VISITOR)

    samples, rate = samples_of(as_sound([visitor, *replies], store.files, SoundKind.WAV))

    assert rate == 24_000
    assert len(samples) == pytest.approx((0.75 + PAUSE) * rate, abs=2)
    pause = samples[int(0.52 * rate) : int((0.48 + PAUSE) * rate)]
    assert float(np.abs(pause).max()) == 0
    for start, hertz in ((0.1, 300), (0.55 + PAUSE, 600)):
        part = samples[int(start * rate) : int((start + 0.15) * rate)]
        assert np.argmax(np.abs(np.fft.rfft(part))) / 0.15 == pytest.approx(hertz, abs=8)


def test_one_sound_comes_out_as_it_was_kept(store, heard):
    sound = tone(0.3, 16_000)

    with wave.open(io.BytesIO(as_sound(heard(sound), store.files, SoundKind.WAV))) as file:
        frames = file.readframes(file.getnframes())

    assert frames == sound.wav[44:]


@pytest.mark.parametrize(("own", "written"), [(8_000, 8_000), (32_000, 32_000), (22_000, 22_050), (96_000, 48_000)])
def test_an_mp3_plays_as_long_as_the_sounds(store, heard, own, written):
    whole = io.BytesIO(as_sound(heard(tone(1, own), tone(1, own)), store.files, SoundKind.MP3))
    with av.open(whole, "r") as file:
        frames = list(file.decode(audio=0))

    assert file.format.name == "mp3"
    assert frames[0].sample_rate == written
    assert sum(one.samples for one in frames) / written == pytest.approx(2 + PAUSE, abs=0.2)


def test_a_sound_that_is_gone_is_left_out_and_none_at_all_is_refused(store, heard):
    (kept,) = heard(tone(0.5, 8_000))
    gone = replace(kept, sound_sha256="0" * 64)

    samples, _rate = samples_of(as_sound([gone, kept, gone], store.files, SoundKind.WAV))

    assert len(samples) == 4_000
    for nothing in ([gone], [replace(kept, sound_sha256=None)], []):
        with pytest.raises(InvalidInputError):
            as_sound(nothing, store.files, SoundKind.MP3)


@pytest.mark.parametrize("kind", SoundKind)
def test_a_sound_without_a_frame_is_left_out_and_makes_no_pause(store, heard, kind):
    empty, kept = heard(tone(0, 24_000), tone(0.5, 8_000))
    whole = as_sound([empty, kept, empty], store.files, kind)

    with av.open(io.BytesIO(whole), "r") as file:
        frames = list(file.decode(audio=0))

    assert frames[0].sample_rate == 8_000
    assert sum(one.samples for one in frames) / 8_000 == pytest.approx(0.5, abs=0.2)
    with pytest.raises(InvalidInputError):
        as_sound([empty], store.files, kind)
