"""Who is answered, how often, and how much may be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event

import httpx
import pytest
from typer.testing import CliRunner

from core.__main__ import app as commands
from core.api.access import keys_of
from core.backends.llm import Delta
from core.domain.persona import Persona
from core.errors import ConflictError, SettingsError
from core.services import Services
from core.settings import ApiSettings
from core.store.personas import Personas
from tests.api_service import KEY, Service, answers_with, until
from tests.contract.doubles import EchoModel

ASKED = {"model": "a-qing", "messages": [{"role": "user", "content": "你好"}]}


def test_without_keys_only_this_machine_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAT_DAIYU_API_KEYS", raising=False)

    for address in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        assert keys_of(ApiSettings(), address) == ()
    for address in ("0.0.0.0", "192.168.1.7", "::", "bamboo.example"):
        with pytest.raises(SettingsError, match="CHAT_DAIYU_API_KEYS"):
            keys_of(ApiSettings(), address)


def test_keys_are_taken_apart_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_DAIYU_API_KEYS", " one, two ,,")

    assert keys_of(ApiSettings(), "0.0.0.0") == ("one", "two")


def test_the_command_refuses_to_listen_to_everybody_without_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("DAIYU_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("DAIYU_API__ADDRESS", "0.0.0.0")
    monkeypatch.delenv("CHAT_DAIYU_API_KEYS", raising=False)

    assert isinstance(CliRunner().invoke(commands, ["serve"]).exception, SettingsError)


def test_the_command_says_so_when_its_port_is_taken(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("DAIYU_WORKSPACE", f"{tmp_path}/other")
    port = service.url.rpartition(":")[2]

    assert isinstance(CliRunner().invoke(commands, ["serve", "--port", port]).exception, ConflictError)


@pytest.fixture
def guarded(studio: Services) -> Iterator[Service]:
    with Service(studio, keys=("another", KEY)) as running:
        yield running


@pytest.mark.parametrize("sent", [None, "Bearer a-guess", f"Basic {KEY}", KEY, "Bearer", "Bearer é"])
def test_a_wrong_key_is_refused_and_not_repeated(guarded: Service, sent: str | None) -> None:
    with guarded.http() as http:
        del http.headers["Authorization"]
        headers = [(b"Authorization", sent.encode())] if sent else []
        answer = http.get("/v1/models", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert KEY not in answer.text
    assert "guess" not in answer.text
    assert "é" not in answer.text


def test_a_load_balancer_needs_no_key(guarded: Service) -> None:
    with guarded.http() as http:
        assert http.get("/health", headers={"Authorization": ""}).json() == {"status": "ok"}
        assert http.head("/health", headers={"Authorization": ""}).status_code == 200
        assert http.get("/openapi.json", headers={"Authorization": ""}).status_code == 401


def test_all_who_ask_for_its_health_in_a_moment_share_one_look(
    guarded: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    look = Personas.get

    def looking(self: Personas, persona_id: str) -> Persona:
        looks.append(persona_id)
        return look(self, persona_id)

    monkeypatch.setattr(Personas, "get", looking)
    monkeypatch.setattr("core.api.app._LOOK_SECONDS", 60)
    with guarded.http() as http:
        answers = [http.get("/health").status_code for _ in range(20)]

    assert answers == [200] * 20
    assert len(looks) == 1


def test_a_key_of_any_letters_fits_as_it_was_sent(studio: Services) -> None:
    key = "schlüssel-鍵"
    with Service(studio, keys=(key,)) as running, httpx.Client(base_url=running.url) as http:
        answer = http.get("/v1/models", headers=[(b"Authorization", f"Bearer {key}".encode())])

    assert answer.status_code == 200


def test_a_place_is_free_again_only_when_the_work_for_it_has_ended(
    opened: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stubborn(EchoModel):
        asked_once, may = Event(), Event()

        def stream(self, messages, *, settings, cancel):
            self.asked_once.set()
            assert self.may.wait(20)
            yield Delta("好。")

    model = Stubborn()
    answers_with(monkeypatch, model)
    with Service(opened(max_replies=1)) as running, running.http() as http:
        with pytest.raises(httpx.ReadTimeout):
            http.post("/v1/chat/completions", json=ASKED, timeout=0.5)
        assert model.asked_once.wait(20)
        busy = http.get("/v1/models").status_code
        model.may.set()
        free = until(lambda: http.get("/v1/models").status_code == 200)

    assert (busy, free) == (503, True)


@pytest.mark.parametrize(
    "headers", [{"Host": "bamboo.example"}, {"Host": ""}, {"Origin": "https://bamboo.example"}, {"Origin": "null"}]
)
def test_without_keys_a_page_of_another_site_cannot_ask(service: Service, headers: dict[str, str]) -> None:
    with service.http() as http:
        answer = http.get("/v1/models", headers=headers)
        allowed = http.get("/v1/models", headers={"Host": "localhost:1", "Origin": "http://localhost:3000"})

    assert answer.status_code == 403
    assert allowed.status_code == 200


def test_who_asks_too_often_is_told_when_to_ask_again(opened: Callable[..., Services]) -> None:
    with Service(opened(requests_per_minute=2), keys=(KEY, "another")) as running, running.http() as http:
        answers = [http.get("/v1/models") for _ in range(3)]
        other = http.get("/v1/models", headers={"Authorization": "Bearer another"})

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 30
    assert answers[-1].json()["error"]["type"] == "rate_limit_error"
    assert other.status_code == 200


def test_guessing_keys_has_a_limit_that_the_right_key_does_not_share(opened: Callable[..., Services]) -> None:
    with Service(opened(requests_per_minute=2), keys=(KEY,)) as running, running.http() as http:
        guesses = [http.get("/v1/models", headers={"Authorization": f"Bearer {guess}"}) for guess in range(3)]
        right = http.get("/v1/models")

    assert [answer.status_code for answer in guesses] == [401, 401, 429]
    assert right.status_code == 200


def test_a_request_that_is_too_large_is_refused_however_it_is_sent(service: Service) -> None:
    large = b'{"model": "' + b"a" * 1_000_001 + b'"}'
    headers = {"content-type": "application/json"}

    def pieces() -> Iterator[bytes]:
        yield from (large[at : at + 50_000] for at in range(0, len(large), 50_000))

    with service.http() as http:
        told = http.post("/v1/chat/completions", content=large, headers=headers)
        grown = http.post("/v1/chat/completions", content=pieces(), headers=headers)

    for answer in (told, grown):
        assert answer.status_code == 413
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_no_more_are_answered_at_once_than_the_settings_say(
    opened: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_with(monkeypatch, EchoModel(reply="慢" * 1000, pause=0.01))
    with (
        Service(opened(max_replies=1)) as running,
        running.http() as http,
        http.stream("POST", "/v1/chat/completions", json={**ASKED, "stream": True}) as first,
    ):
        words = first.iter_lines()
        next(words)
        refused = http.get("/v1/models")

    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "busy"
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/nothing", 404), ("GET", "/v1/audio/speech", 405)])
def test_what_is_not_served_is_refused_in_openais_form(service: Service, method: str, path: str, status: int) -> None:
    with service.http() as http:
        answer = http.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]["message"]
