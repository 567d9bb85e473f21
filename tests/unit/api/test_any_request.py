"""Whatever is sent, the service has an answer of its own: no request breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from core.api.app import PATHS, create_app
from core.services import Services
from tests.api_service import KEY, answers_with, speaks_with
from tests.contract.doubles import EchoModel, SineVoice, tone
from tests.contract.transcription_server import TranscriptionServer

# Schemathesis's own plugin does not know this pytest, so its cases are drawn by Hypothesis directly.
CALM = settings(
    max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

MEANT: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "a-qing", "messages": [{"role": "user", "content": "你好"}]},
    "/v1/audio/speech": {"input": "你好。", "voice": "usual"},
    "/v1/audio/transcriptions": {"file": tone(0.1, 16_000).wav, "language": "zh"},
}
"""What a request of each kind needs in order to be answered; no schema can say who is there."""


@pytest.fixture
def described(opened: Callable[..., Services], monkeypatch: pytest.MonkeyPatch) -> Iterator[schemathesis.BaseSchema]:
    """The service as it describes itself, with doubles behind it."""
    answers_with(monkeypatch, EchoModel())
    speaks_with(monkeypatch, SineVoice())
    with TranscriptionServer() as server:
        listener = f"backend: openai\nmodel: listener\nbase_url: {server.base_url}\n"
        app = create_app(opened(configs={"transcription.yaml": listener}), keys=(KEY,))
        yield schemathesis.openapi.from_asgi("/openapi.json", app, headers={"Authorization": f"Bearer {KEY}"})


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), [(method, path.replace(":path", "")) for method, path, _ in PATHS])
def test_no_request_is_answered_with_a_failure_of_the_service(
    described: schemathesis.BaseSchema, method: str, path: str
) -> None:
    right, wrong = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
    seen: set[int] = set()
    for mode in (right, wrong) if method == "POST" else (right,):
        drawn = described[path][method].as_strategy(generation_mode=mode)

        @CALM
        @given(case=drawn)
        def answered(case: schemathesis.Case[Any]) -> None:
            for asked in (case, meant(case)):
                answer = asked.call(headers={"Authorization": f"Bearer {KEY}"})
                seen.add(answer.status_code)
                assert answer.status_code < 500, answer.text

        answered()

    assert 200 in seen


def meant(case: schemathesis.Case[Any]) -> schemathesis.Case[Any]:
    """Return the same request for somebody who is there, with something said: the rest is as it was drawn."""
    if case.path == "/v1/models/{model}":
        case.path_parameters = {"model": "a-qing"}
    elif case.path in MEANT and isinstance(case.body, dict):
        case.body = {**case.body, **MEANT[case.path]}
    return case
