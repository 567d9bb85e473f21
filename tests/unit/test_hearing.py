"""What visitors say aloud is written down by the recogniser that the configuration names, or refused with a remedy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from core import settings as reading
from core.errors import InvalidInputError, StudioError, TooManyError
from core.services import Services, open_services
from core.settings import CONFIGS, Settings
from tests.contract.doubles import tone
from tests.contract.transcription_server import TranscriptionServer


@pytest.fixture
def listening(tmp_path, monkeypatch) -> Iterator[tuple[Services, TranscriptionServer]]:
    configs = tmp_path / "configs"
    shutil.copytree(CONFIGS, configs)
    with TranscriptionServer("外头可是下雨了？") as server:
        (configs / "transcription.yaml").write_text(
            f"backend: openai\nmodel: m\nbase_url: {server.base_url}\nattempts: 1\n"
        )
        (configs / "chat.yaml").write_text("messages_per_minute: 4\n")
        monkeypatch.setattr(reading, "CONFIGS", configs)
        services = open_services(Settings(workspace=tmp_path / "workspace"))
        yield services, server
        services.close()


def test_what_is_said_is_written_down_with_the_names_of_the_book_to_expect(listening):
    services, server = listening
    persona = services.store.personas.get(services.settings.persona)

    assert services.chat.hear(tone(1, 16_000).wav, persona) == "外头可是下雨了？"
    assert persona.name in server.requests[0]["prompt"].decode()


@pytest.mark.parametrize("wav", [b"", b"no sound at all", tone(0, 16_000).wav], ids=["nothing", "garbage", "no frame"])
def test_an_empty_or_lost_take_is_noticed_and_nobody_is_asked(listening, wav):
    services, server = listening
    with pytest.raises(InvalidInputError) as refused:
        services.chat.hear(wav, services.store.personas.get(services.settings.persona))

    assert refused.value.remedy
    assert not server.requests


def test_silence_is_not_answered_for_the_visitor(listening):
    services, server = listening
    server.text = ""
    with pytest.raises(InvalidInputError):
        services.chat.hear(tone(1, 16_000).wav, services.store.personas.get(services.settings.persona))


def test_a_recogniser_that_talks_garbage_is_told_with_a_remedy(listening):
    services, server = listening
    server.always = 200, "<html>not what was asked for</html>"
    with pytest.raises(StudioError) as failed:
        services.chat.hear(tone(1, 16_000).wav, services.store.personas.get(services.settings.persona))

    assert failed.value.remedy


def test_one_visitor_who_sends_too_much_does_not_keep_another_out(listening):
    services, _ = listening
    services.chat.admit("visitor.one")
    with pytest.raises(TooManyError):
        services.chat.admit("visitor.one")
    services.chat.admit("visitor.two")
