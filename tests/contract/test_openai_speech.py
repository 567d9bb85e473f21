"""A server that speaks the OpenAI protocol for speech: what it is told, and what is made of its answers."""

from __future__ import annotations

import json

import pytest

from core.backends.llm import Endpoint
from core.backends.rows import build
from core.backends.tts import VOICES, VoiceSource
from core.errors import SettingsError, StudioError, ToolFailedError
from tests.contract.doubles import tone
from tests.contract.speech_server import SpeechServer, streamed

WAV = tone(0.5, 24_000).wav


def voice(server: SpeechServer, **settings: float | str):
    endpoint = Endpoint(server.base_url, "tts-1", "secret-key")
    return build(VOICES, "openai", VoiceSource(settings, endpoint=endpoint))


def test_a_server_is_told_words_voice_model_and_key():
    with SpeechServer() as server:
        sound = voice(server, voice="nova", speed=1.5, instructions="Softly.").speak("外头冷")

    asked = server.requests[0]
    assert asked["path"] == "/v1/audio/speech"
    assert (asked["input"], asked["voice"], asked["model"]) == ("外头冷", "nova", "tts-1")
    assert (asked["speed"], asked["response_format"], asked["instructions"]) == (1.5, "wav", "Softly.")
    assert server.keys == ["Bearer secret-key"]
    assert sound.seconds == pytest.approx(0.3)


def test_instructions_are_only_sent_where_there_are_some():
    with SpeechServer() as server:
        voice(server).speak("好")

    assert "instructions" not in server.requests[0]


def test_a_wav_with_a_whole_head_and_something_after_its_sound_is_read_to_its_end():
    with SpeechServer(always=(200, "audio/wav", WAV + b"LIST\x04\0\0\0abcd")) as server:
        sound = voice(server).speak("好")

    assert sound.wav == WAV


@pytest.mark.parametrize(
    "answer",
    [
        (200, "audio/mpeg", b"ID3\x03 not a wav"),
        (200, "text/html", b"<html>sign in</html>"),
        (200, "audio/wav", b""),
        (200, "audio/wav", WAV[:2000]),
        (200, "audio/wav", streamed(WAV)[:-1]),
        (307, "audio/wav", WAV),
    ],
    ids=["mp3", "a page", "nothing", "cut off", "half a sample", "redirect"],
)
def test_what_is_no_whole_wav_is_a_failure(answer):
    with SpeechServer(always=answer) as server, pytest.raises(ToolFailedError) as failed:
        voice(server).speak("好")

    assert failed.value.remedy


def test_silence_is_a_failure():
    silence = WAV[:44] + bytes(len(WAV) - 44)
    with (
        SpeechServer(always=(200, "audio/wav", silence)) as server,
        pytest.raises(ToolFailedError, match="silence"),
    ):
        voice(server).speak("好")


def test_another_sample_rate_says_which_to_set():
    with SpeechServer(rate=22_050) as server:
        with pytest.raises(SettingsError, match="22050"):
            voice(server).speak("好")

        assert voice(server, sample_rate=22_050).speak("好").sample_rate == 22_050


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status):
    with SpeechServer(script=[(status, "application/json", b"{}")]) as server:
        assert voice(server).speak("好").seconds > 0


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, "key in the environment"), (404, "/v1"), (400, "voice's name"), (429, "quota")]
)
def test_each_refusal_has_its_remedy_and_keeps_the_key(status, remedy):
    told = json.dumps({"error": {"message": "no, secret-key is wrong"}}).encode()
    with SpeechServer(always=(status, "application/json", told)) as server, pytest.raises(ToolFailedError) as failed:
        voice(server, attempts=1).speak("好")

    assert remedy in failed.value.remedy
    assert "secret-key" not in str(failed.value)


def test_a_server_that_is_not_there_says_so():
    with SpeechServer() as server:
        gone = server
    with pytest.raises(ToolFailedError, match="base URL"):
        voice(gone, attempts=1).speak("好")


@pytest.mark.parametrize("address", ["", "ftp://x/v1", "http://me:secret@127.0.0.1/v1"])
def test_an_address_that_is_none_or_holds_a_password_is_refused(address):
    with pytest.raises(SettingsError):
        build(VOICES, "openai", VoiceSource(endpoint=Endpoint(address, "m")))


@pytest.mark.parametrize("settings", [{"speed": 9}, {"pitch": 60}, {"voice": ""}])
def test_a_wrong_setting_is_named(settings):
    with pytest.raises(StudioError) as refused:
        build(VOICES, "openai", VoiceSource(settings, endpoint=Endpoint("http://127.0.0.1/v1", "m")))

    assert next(iter(settings)) in str(refused.value)
