"""A loopback server that speaks the OpenAI protocol for speech: it hums as long as the text is, or answers as told."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.doubles import tone
from tests.loopback import Handler, Loopback


class SpeechServer(Loopback):
    """`script` gives (status, content type, body) for the first requests, in order; `always` for every one."""

    def __init__(
        self,
        *,
        rate: int = 24_000,
        script: list[tuple[int, str, bytes]] | None = None,
        always: tuple[int, str, bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.rate, self.script, self.always, self.headers = rate, list(script or []), always, headers or {}
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        super().__init__(_Handler)

    def answer(self, asked: dict[str, Any]) -> tuple[int, str, bytes]:
        if self.always:
            return self.always
        if self.script:
            return self.script.pop(0)
        letters = sum(character.isalnum() for character in asked["input"])
        return 200, "audio/wav", streamed(tone(letters * 0.1, self.rate).wav)


def streamed(wav: bytes) -> bytes:
    """Return a wav with a head that does not know its length, as OpenAI sends it."""
    return wav[:4] + b"\xff\xff\xff\xff" + wav[8:40] + b"\xff\xff\xff\xff" + wav[44:]


class _Handler(Handler[SpeechServer]):
    """Answers for the server it was made for."""

    def do_POST(self) -> None:
        double = self.double
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        double.requests.append({"path": self.path, **asked})
        double.keys.append(self.headers.get("Authorization", ""))
        status, kind, body = double.answer(asked)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("retry-after-ms", "1")
        for name, value in double.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
