"""Her voice as a stream of bytes, and sound written down."""

from __future__ import annotations

import errno
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import av
import httpx
import numpy as np
import pytest
import soundfile
from openai.types.audio import TranscriptionVerbose

from core.api.encoding import ENCODERS, Mp3, Pcm, Wav
from core.backends.tts import GoneError
from core.backends.tts.pcm import WavReader
from core.chat_services import ChatServices
from core.domain.persona import Persona
from core.domain.voice import Sound
from core.errors import ToolFailedError
from core.services import Services
from core.stages.chat.mouth import PersonaMouth
from tests.api_service import Service, speaks_with
from tests.contract.doubles import SineVoice, tone
from tests.contract.transcription_server import TranscriptionServer
from tests.kill_rounds import disk_of

TEXT = "雨停了。竹叶上还挂着水呢。你听。"


class Hoarse(SineVoice):
    """Fails at the clause of that number."""

    def __init__(self, fails_at: int, error: ToolFailedError) -> None:
        super().__init__()
        self.fails_at, self.error = fails_at, error

    def speak(self, text: str, *, draw: int = 0) -> Sound:
        if len(self.spoken) == self.fails_at:
            raise self.error
        return super().speak(text, draw=draw)


class Patient(SineVoice):
    """Does not say the second clause before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = Event()

    def speak(self, text: str, *, draw: int = 0) -> Sound:
        if self.spoken:
            assert self.may.wait(20)
        return super().speak(text, draw=draw)


def asked(**more: object) -> dict[str, object]:
    return {"model": "tts-1", "input": TEXT, "voice": "alloy", **more}


def decoded(sound: bytes) -> tuple[int, np.ndarray[tuple[int], np.dtype[np.float32]]]:
    """Return the rate and the samples of an mp3."""
    with av.open(io.BytesIO(sound), "r") as file:
        frames = [frame.to_ndarray().ravel() for frame in file.decode(audio=0)]
        return file.streams.audio[0].rate, np.concatenate(frames).astype(np.float32)


def test_a_wav_has_every_clause_and_can_be_read_before_its_end(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = SineVoice()
    speaks_with(monkeypatch, voice)
    with service.http() as http:
        answer = http.post("/v1/audio/speech", json=asked(response_format="wav"))

    reader = WavReader()
    samples = reader.feed(answer.content)
    assert answer.headers["content-type"] == "audio/wav"
    assert voice.spoken == ["雨停了。", "竹叶上还挂着水呢。你听。"]
    assert (reader.rate, len(samples)) == (8_000, 2 * 800 * 13)
    assert reader.whole
    assert reader.loud
    assert soundfile.read(io.BytesIO(answer.content))[1] == 8_000


def test_the_first_clause_is_heard_while_the_second_is_not_spoken_yet(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = Patient()
    speaks_with(monkeypatch, voice)
    with service.http() as http, http.stream("POST", "/v1/audio/speech", json=asked(response_format="pcm")) as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        spoken = list(voice.spoken)
        voice.may.set()
        rest = b"".join(pieces)

    assert spoken == ["雨停了。"]
    assert len(first) + len(rest) == pytest.approx(2 * 24_000 * 1.3, abs=20)


@pytest.mark.parametrize("rate", [8_000, 22_050, 32_000, 40_000])
def test_an_mp3_lasts_as_long_as_what_was_spoken(rate: int) -> None:
    encoder = Mp3()
    whole = b"".join([encoder.feed(tone(0.5, rate)), encoder.feed(tone(0.7, rate)), encoder.flush()])

    own, samples = decoded(whole)
    assert own == (24_000 if rate == 40_000 else rate)
    assert len(samples) / own == pytest.approx(1.2, abs=0.45)
    assert np.abs(samples).max() > 0.1


@pytest.mark.parametrize("encoder", [Wav, Pcm])
def test_sounds_of_another_rate_are_brought_to_that_of_the_stream(encoder: Callable[[], Wav | Pcm]) -> None:
    one = encoder()
    first, second = one.feed(tone(1, 24_000)), one.feed(tone(1, 16_000))

    assert len(second) == pytest.approx(2 * 24_000, abs=20)
    assert len(first) >= len(second)


def test_nothing_spoken_is_nothing_sent() -> None:
    assert [make().flush() for make, _ in ENCODERS.values()] == [b"", b"", b""]


def test_a_voice_that_fails_at_once_is_told_with_its_status(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for error, status in (
        (ToolFailedError("It broke.", remedy="None."), 502),
        (GoneError("It went.", remedy="-"), 503),
    ):
        speaks_with(monkeypatch, Hoarse(0, error))
        with service.http() as http:
            answer = http.post("/v1/audio/speech", json=asked())

        assert answer.status_code == status
        assert answer.json()["error"]["message"] == str(error)


@pytest.mark.parametrize("form", ["wav", "mp3", "pcm"])
def test_a_voice_that_fails_in_the_middle_breaks_the_connection_and_not_the_service(
    service: Service, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    speaks_with(monkeypatch, Hoarse(1, ToolFailedError("It broke.", remedy="None.")))
    with service.http() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.post("/v1/audio/speech", json=asked(response_format=form))
        speaks_with(monkeypatch, SineVoice())
        assert http.post("/v1/audio/speech", json=asked(response_format=form, input="好了。")).status_code == 200


@pytest.mark.parametrize(
    ("voice", "name"),
    [
        ("usual", "auto"),
        ("auto", "auto"),
        ("alloy", "auto"),
        (None, "auto"),
        ({"id": "alloy"}, "auto"),
        ("formant", "formant"),
        ({"id": "formant"}, "formant"),
        ("a-qing", "auto"),
    ],
)
def test_who_names_no_voice_of_hers_hears_her_usual_one(
    service: Service, monkeypatch: pytest.MonkeyPatch, voice: object, name: str
) -> None:
    speaks_with(monkeypatch, SineVoice())
    meant: list[str] = []
    choose = ChatServices.mouth

    def mouth(self: ChatServices, name: str, persona: Persona) -> PersonaMouth | None:
        meant.append(f"{persona.id}: {name}")
        return choose(self, name, persona)

    monkeypatch.setattr(ChatServices, "mouth", mouth)
    with service.http() as http:
        assert http.post("/v1/audio/speech", json=asked(voice=voice)).status_code == 200
    assert meant == [f"a-qing: {name}"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"voice": "nobody"},
        {"voice": ""},
        {"input": ""},
        {"input": "……！"},
        {"input": "长" * 4097},
        {"input": "\ud800"},
        {"response_format": "opus"},
        {"speed": 1.5},
        {"stream_format": "sse"},
    ],
)
def test_what_cannot_be_spoken_is_refused(service: Service, wrong: dict[str, object]) -> None:
    with service.http() as http:
        body = json.dumps(asked(**wrong))
        answer = http.post("/v1/audio/speech", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.fixture
def recogniser() -> Iterator[TranscriptionServer]:
    with TranscriptionServer() as server:
        yield server


@pytest.fixture
def listening(opened: Callable[..., Services], recogniser: TranscriptionServer) -> Iterator[Service]:
    config = f"backend: openai\nmodel: listener\nbase_url: {recogniser.base_url}\nattempts: 1\n"
    with Service(opened(configs={"transcription.yaml": config}, max_audio_minutes=0.1)) as running:
        yield running


def sent(listening: Service, sound: bytes, **form: str) -> httpx.Response:
    with listening.http() as http:
        return http.post("/v1/audio/transcriptions", files={"file": ("said.bin", sound)}, data={"model": "x", **form})


def test_sound_of_any_form_is_heard_as_16_khz_with_the_names_to_expect(
    listening: Service, recogniser: TranscriptionServer
) -> None:
    mp3 = Mp3()
    for sound in (tone(1, 8_000).wav, mp3.feed(tone(1, 44_100)) + mp3.flush()):
        assert sent(listening, sound).json() == {"text": recogniser.text}

    for request in recogniser.requests:
        heard = soundfile.info(io.BytesIO(request["file"]))
        assert (heard.samplerate, heard.channels) == (16_000, 1)
        assert heard.duration == pytest.approx(1, abs=0.2)
        assert request["language"] == b"zh"
        assert "沈青" in request["prompt"].decode()


@pytest.mark.parametrize("language", ["zh-CN", "ZH", "chinese", "zh_TW", "中文"])
def test_a_language_is_taken_as_clients_name_it(
    listening: Service, recogniser: TranscriptionServer, language: str
) -> None:
    assert sent(listening, tone(1, 16_000).wav, language=language).status_code == 200
    assert recogniser.requests[0]["language"] == b"zh"


def test_segments_have_all_that_openais_client_reads(listening: Service) -> None:
    answer = sent(listening, tone(1, 16_000).wav, response_format="verbose_json").json()
    segment = TranscriptionVerbose.model_validate(answer, strict=True).segments

    assert segment
    assert segment[0].avg_logprob < 0


@pytest.mark.parametrize("form", ["FLAC", "MP3"])
def test_a_full_disk_is_told_as_such_and_not_as_a_wrong_sound(
    opened: Callable[..., Services], recogniser: TranscriptionServer, tmp_path: Path, form: str
) -> None:
    studio = opened(configs={"transcription.yaml": f"backend: openai\nmodel: m\nbase_url: {recogniser.base_url}\n"})
    place, made = tmp_path / "small", io.BytesIO()
    place.mkdir()
    soundfile.write(made, np.zeros(24_000 * 300, np.float32), 24_000, format=form)
    with disk_of("4m", place) as mounted:
        if not mounted:
            pytest.skip("no disk can be mounted here")
        with Service(replace(studio, settings=studio.settings.model_copy(update={"workspace": place}))) as listening:
            answer = sent(listening, made.getvalue())

    assert answer.status_code == 503
    assert "disk is full" in answer.json()["error"]["message"]


def test_an_upload_that_has_no_room_is_not_told_as_a_wrong_request(
    listening: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_written: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "write", full)
    answer = sent(listening, tone(1, 16_000).wav)

    assert answer.status_code == 503
    assert "disk is full" in answer.json()["error"]["message"]


def test_the_answer_has_the_form_that_was_asked_for(listening: Service, recogniser: TranscriptionServer) -> None:
    wav = tone(1, 16_000).wav
    text = sent(listening, wav, response_format="text", language="en", prompt="雨")
    verbose = sent(listening, wav, response_format="verbose_json").json()

    assert (text.text, text.headers["content-type"]) == (f"{recogniser.text}\n", "text/plain; charset=utf-8")
    assert (recogniser.requests[0]["language"], recogniser.requests[0]["prompt"].decode()) == (b"en", "雨")
    assert (verbose["language"], verbose["duration"], verbose["text"]) == ("zh", 1.0, recogniser.text)
    assert verbose["segments"][0]["end"] == 1.5


@pytest.mark.parametrize("sound", [b"", b"no sound at all" * 100, tone(1, 8_000).wav[:30]])
def test_what_is_no_sound_is_refused_and_nobody_is_asked(
    listening: Service, recogniser: TranscriptionServer, sound: bytes
) -> None:
    answer = sent(listening, sound)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "invalid_input"
    assert recogniser.requests == []
    assert not [one for one in listening.studio.settings.workspace.iterdir() if one.name.startswith("tmp")]


def test_sound_that_is_too_long_and_forms_that_are_not_right_are_refused(listening: Service) -> None:
    assert "longer than" in sent(listening, tone(7, 8_000).wav).json()["error"]["message"]
    for wrong in ({"response_format": "vtt"}, {"language": "Chinese!"}, {"prompt": "长" * 501}):
        assert sent(listening, tone(1, 8_000).wav, **wrong).status_code == 400
    with listening.http() as http:
        assert http.post("/v1/audio/transcriptions", data={"model": "x"}).status_code == 400


@pytest.mark.parametrize(("theirs", "ours"), [(500, 503), (401, 502), (400, 400)])
def test_a_recogniser_that_fails_is_told_by_what_helps(
    listening: Service, recogniser: TranscriptionServer, theirs: int, ours: int
) -> None:
    recogniser.always = (theirs, '{"error": {"message": "no"}}')

    assert sent(listening, tone(1, 8_000).wav).status_code == ours


def test_without_a_recogniser_the_remedy_is_told(opened: Callable[..., Services], tmp_path: Path) -> None:
    config = {"transcription.yaml": f"backend: faster-whisper\nmodel: {tmp_path}/nothing\n"}
    with Service(opened(configs=config)) as running:
        answer = sent(running, tone(1, 8_000).wav)

    assert answer.status_code in (501, 503)  # without the package, or without its model
    assert answer.json()["error"]["type"] == "server_error"
