"""What every voice promises, asked of each backend and of the double."""

from __future__ import annotations

import io
import struct
import wave
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.backends.llm import Endpoint
from core.backends.rows import build
from core.backends.tts import VOICES, VoiceSource
from core.errors import InvalidInputError
from tests.contract.doubles import SineVoice
from tests.contract.speech_server import SpeechServer
from tests.standins.gpt_sovits.layout import lay_out
from tests.standins.gpt_sovits.world import pretrained_voice, serving, trainer_on

GREETING = "你来了？外头冷，快坐下罢。"


@pytest.fixture(scope="module")
def voice_server(tmp_path_factory):
    """GPT-SoVITS's server, played by the stand-in, with a voice it may speak with."""
    folder = tmp_path_factory.mktemp("voice-server")
    stand_in = lay_out(folder)
    with serving(trainer_on(stand_in), folder / "serve") as address:
        yield VoiceSource(trained=pretrained_voice(stand_in, folder), addresses=(address,))


@pytest.fixture(scope="module")
def speech_server():
    with SpeechServer() as server:
        yield VoiceSource(endpoint=Endpoint(server.base_url, "tts-1"))


SERVED = {"gpt-sovits": "voice_server", "openai": "speech_server"}


@pytest.fixture(params=[*VOICES, "sine"])
def voice(request):
    source = request.getfixturevalue(SERVED[request.param]) if request.param in SERVED else VoiceSource()
    made = SineVoice() if request.param == "sine" else build(VOICES, request.param, source)
    yield made
    made.close()


def samples_of(wav: bytes) -> tuple[int, ...]:
    with wave.open(io.BytesIO(wav)) as file:
        assert file.getsampwidth() == 2
        assert file.getnchannels() == 1
        frames = file.readframes(file.getnframes())
    return struct.unpack(f"<{len(frames) // 2}h", frames)


def test_words_become_a_16_bit_mono_wav_that_is_heard(voice):
    sound = voice.speak(GREETING)
    samples = samples_of(sound.wav)

    assert sound.sample_rate == voice.sample_rate
    assert sound.seconds == pytest.approx(len(samples) / sound.sample_rate)
    assert 0.5 < sound.seconds < 10
    assert max(abs(sample) for sample in samples) > 1000


def test_more_words_take_longer(voice):
    assert voice.speak(GREETING * 3).seconds > 2 * voice.speak(GREETING).seconds


def test_the_same_recipe_and_words_give_the_same_sound(voice):
    assert voice.speak(GREETING).wav == voice.speak(GREETING).wav


@pytest.mark.parametrize("text", ["", "  ", "……。，！", "\n"])
def test_a_text_without_words_is_refused(voice, text):
    with pytest.raises(InvalidInputError):
        voice.speak(text)


@pytest.mark.parametrize(
    "text",
    [
        "共3件，值12.5两银子。",
        "他说hello，又说OK。",
        "颦儿（黛玉）——“嗯”。",
        "<voice>好</voice>&amp;[[x]]",
        "好\0了",
        "😀好😀",
    ],
    ids=["digits", "Latin", "marks", "markup", "NUL", "emoji"],
)
def test_whatever_is_mixed_into_the_words_does_not_stop_the_voice(voice, text):
    assert voice.speak(text).seconds > 0.05


def test_several_may_speak_at_once(voice):
    with ThreadPoolExecutor(4) as pool:
        sounds = list(pool.map(voice.speak, [GREETING] * 8))

    assert len({sound.wav for sound in sounds}) == 1


def test_a_voice_names_itself_and_its_recipe(voice):
    assert voice.name
    assert voice.label
    assert dict(voice.recipe)
    assert voice.placeholder in (True, False)
