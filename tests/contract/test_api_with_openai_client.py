"""OpenAI's own client takes the service for one of its kind."""

from __future__ import annotations

import io
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import openai
import pytest
import soundfile

from core.services import Services
from core.settings import PROJECT, ApiSettings, inherited_environment
from tests.api_service import KEY, Service, answers_with, studio_of_a_qing
from tests.browser.running_app import program
from tests.contract.doubles import EchoModel, tone
from tests.contract.transcription_server import TranscriptionServer

SAYING = "今日琴声倒好。"


@pytest.fixture
def recogniser() -> Iterator[TranscriptionServer]:
    with TranscriptionServer() as server:
        yield server


@pytest.fixture
def studio(tmp_path: Path, migrated: Path, recogniser: TranscriptionServer) -> Iterator[Services]:
    listener = f"backend: openai\nmodel: listener\nbase_url: {recogniser.base_url}\n"
    api = ApiSettings(requests_per_minute=20)
    with studio_of_a_qing(tmp_path, migrated=migrated, api=api, configs={"transcription.yaml": listener}) as opened:
        yield opened


@pytest.fixture
def service(studio: Services) -> Iterator[Service]:
    with Service(studio, keys=(KEY,)) as running:
        yield running


def test_a_reply_comes_whole_and_as_a_stream(service: Service) -> None:
    client = service.client()
    asked: dict[str, Any] = {
        "model": "a-qing",
        "messages": [{"role": "user", "content": SAYING}],
        "seed": 7,
        "temperature": 0,
    }

    whole = client.chat.completions.create(**asked)
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))

    words = whole.choices[0].message.content
    assert words
    assert whole.choices[0].finish_reason == "stop"
    assert "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == words
    assert chunks[-1].usage == whole.usage
    assert (whole.usage and whole.usage.completion_tokens) == len(words)


def test_a_stream_that_breaks_off_raises_what_happened(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    answers_with(monkeypatch, EchoModel(breaks_after=2))
    stream = service.client().chat.completions.create(
        model="a-qing", messages=[{"role": "user", "content": SAYING}], stream=True
    )

    with pytest.raises(openai.APIError, match="The double broke"):
        list(stream)


def test_every_model_that_is_listed_can_be_asked(service: Service) -> None:
    client = service.client()
    listed = [one.id for one in client.models.list()]

    assert {"a-qing", "a-qing/retrieval"} <= set(listed)
    assert client.models.retrieve("a-qing/retrieval").owned_by == "chat-daiyu"
    for model in ("a-qing", "a-qing/retrieval"):
        assert client.chat.completions.create(model=model, messages=[{"role": "user", "content": SAYING}]).choices
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


@pytest.mark.parametrize("form", ["wav", "mp3"])
def test_speech_is_written_to_a_file_that_plays(service: Service, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"said.{form}"
    with service.client().audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="雨停了。出去走走罢。", response_format="wav" if form == "wav" else "mp3"
    ) as answer:
        answer.stream_to_file(file)

    with av.open(str(file), "r") as sound:
        rate = sound.streams.audio[0].rate
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in sound.decode(audio=0)]).astype(np.float64)
    assert len(samples) / rate > 1
    assert np.abs(samples).max() > 0


def test_what_is_said_is_written_down(service: Service, recogniser: TranscriptionServer) -> None:
    sound = ("said.wav", tone(1.5, 22_050).wav)
    client = service.client()

    plain = client.audio.transcriptions.create(model="whisper-1", file=sound)
    verbose = client.audio.transcriptions.create(model="whisper-1", file=sound, response_format="verbose_json")

    assert plain.text == verbose.text == recogniser.text
    assert verbose.segments is not None
    assert verbose.segments[0].text == recogniser.text
    with pytest.raises(openai.BadRequestError, match="cannot be read as sound"):
        client.audio.transcriptions.create(model="whisper-1", file=("said.wav", b"nothing" * 99))


def test_a_wrong_key_and_asking_too_often_raise_their_own_errors(service: Service) -> None:
    with pytest.raises(openai.AuthenticationError, match="missing or wrong"):
        service.client("a-wrong-key").models.list()
    client = service.client()
    for _ in range(20):
        client.models.list()
    with pytest.raises(openai.RateLimitError, match="Too many requests") as refused:
        client.models.list()
    assert refused.value.response.headers["retry-after"]


@contextmanager
def served_by_command(
    workspace: Path, project: Path = PROJECT, **more: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `python -m core serve` on a free port; yield the process and the URL it names."""
    environment = {**inherited_environment(), "DAIYU_WORKSPACE": str(workspace), "PYTHONUNBUFFERED": "1", **more}
    argv = [sys.executable, "-m", "core", "serve", "--port", "0"]
    with subprocess.Popen(
        argv, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as serving:
        try:
            assert serving.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/v1", serving.stdout.readline())
            assert found, serving.communicate(timeout=10)[1]
            yield serving, found[0]
        finally:
            serving.kill()


def ended(serving: subprocess.Popen[str]) -> str:
    """Tell it to stop and return what it logged."""
    serving.send_signal(signal.SIGTERM)
    return serving.communicate(timeout=30)[1]


@pytest.mark.slow
def test_the_command_ends_when_it_is_told_to_even_while_a_server_it_asked_never_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        listener = f"backend: openai\nmodel: m\nbase_url: {address}\ntimeout_seconds: 600\n"
        copy = program(tmp_path / "program", {"transcription.yaml": listener})
        with (
            served_by_command(tmp_path / "workspace", copy, DAIYU_JOBS__STOP_GRACE_SECONDS="1") as (serving, url),
            ThreadPoolExecutor(1) as asking,
        ):
            client = openai.OpenAI(base_url=url, api_key="none", timeout=120, max_retries=0)
            sound = ("a.wav", tone(1, 16_000).wav)
            asked = asking.submit(client.audio.transcriptions.create, model="any", file=sound)
            deaf.settimeout(60)
            deaf.accept()  # it has been asked, and will not be answered
            log = ended(serving)
            with pytest.raises(openai.OpenAIError):
                asked.result()

    assert serving.returncode == 0, log


@pytest.mark.slow
def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with served_by_command(tmp_path / "workspace", CHAT_DAIYU_API_KEYS=KEY) as (serving, url):
        client = openai.OpenAI(base_url=url, api_key=KEY, timeout=60)
        model = next(iter(client.models.list())).id
        reply = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "你今日可好？"}])
        sound = client.audio.speech.create(model=model, voice="alloy", input="好。", response_format="wav").content
        log = ended(serving)

    assert reply.choices[0].message.content
    assert soundfile.read(io.BytesIO(sound))[0].any()
    assert serving.returncode == 0, log
    assert "Traceback" not in log
    assert KEY not in log
