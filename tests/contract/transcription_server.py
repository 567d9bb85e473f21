"""A loopback server that speaks the OpenAI protocol for transcriptions, good and bad, for tests."""

from __future__ import annotations

import email
import email.policy
import json
from typing import cast

from tests.loopback import Handler, Loopback


class TranscriptionServer(Loopback):
    """Answers every sound with `text`; `script` gives (status, body) for the first requests, in order."""

    def __init__(
        self,
        text: str = "外头冷，你且进来。",
        *,
        script: list[tuple[int, str]] | None = None,
        always: tuple[int, str] | None = None,
        plain_only: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.text, self.always, self.plain_only = text, always, plain_only
        self.script = list(script or [])
        self.headers = headers or {}
        self.requests: list[dict[str, bytes]] = []
        self.keys: list[str] = []
        super().__init__(_Handler)

    def answer(self, form: str) -> tuple[int, str]:
        if self.always:
            return self.always
        if self.script:
            return self.script.pop(0)
        if form == "verbose_json" and self.plain_only:
            return 400, json.dumps({"error": {"message": "response_format 'verbose_json' is not compatible"}})
        if form == "json":
            return 200, json.dumps({"text": self.text}, ensure_ascii=False)
        segment = {"id": 0, "start": 0.0, "end": 1.5, "text": self.text, "avg_logprob": -0.2, "no_speech_prob": 0.05}
        told = {"task": "transcribe", "language": "chinese", "duration": 1.5, "text": self.text, "segments": [segment]}
        return 200, json.dumps(told, ensure_ascii=False)


class _Handler(Handler[TranscriptionServer]):
    """Answers for the server it was made for."""

    def do_POST(self) -> None:
        double = self.double
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        whole = email.message_from_bytes(head + body, policy=email.policy.default)
        fields = {
            str(part.get_param("name", header="content-disposition")): cast(bytes, part.get_payload(decode=True))
            for part in whole.iter_parts()
        }
        double.requests.append(fields)
        double.keys.append(self.headers.get("Authorization", ""))
        status, answer = double.answer(fields.get("response_format", b"json").decode())
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if answer.startswith(("{", "[")) else "text/html")
        self.send_header("retry-after-ms", "1")
        for name, value in double.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.encode())
