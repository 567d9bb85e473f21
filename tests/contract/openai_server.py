"""A loopback server that speaks the OpenAI chat protocol, good and bad, for tests."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from tests.loopback import Handler, Loopback


class OpenAIServer(Loopback):
    """Streams `reply` in pieces of two characters, or sends it whole to who wants no stream.

    Records what it was asked and when a client left. `status` other than 200 answers with that error, and quotes the
    key in it as some servers do; `hang` waits after the first piece until the client leaves.
    """

    def __init__(self, reply: str = "好", *, status: int = 200, hang: bool = False) -> None:
        self.reply, self.status, self.hang = reply, status, hang
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.client_left = threading.Event()
        self.left_at = 0.0
        """When it was seen that a client had left, in seconds of the wall clock."""
        super().__init__(_Handler)

    def let_go(self) -> None:
        self.client_left.set()


class _Handler(Handler[OpenAIServer]):
    """Answers for the server it was made for."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.double.requests.append(json.loads(body))
        self.double.keys.append(self.headers.get("Authorization", ""))
        if self.double.status != 200:
            self._answer(self.double.status, "application/json")
            self.wfile.write(json.dumps({"error": {"message": f"no: {self.double.keys[-1]}"}}).encode())
            return
        if not self.double.requests[-1].get("stream"):
            self._whole()
            return
        self._answer(200, "text/event-stream")
        self._stream()

    def _whole(self) -> None:
        message = {"role": "assistant", "content": self.double.reply}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        told = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        self._answer(200, "application/json")
        self.wfile.write(json.dumps(told).encode())

    def _stream(self) -> None:
        for place in range(0, len(self.double.reply), 2):
            self._event({"content": self.double.reply[place : place + 2]})
            if self.double.hang:
                self._wait_for_leave()
                return
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, delta: dict[str, str]) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def _wait_for_leave(self) -> None:
        try:
            while not self.double.client_left.wait(0.02):
                self.wfile.write(b": still there\n\n")
                self.wfile.flush()
        except OSError:
            self.double.left_at = time.time()
            self.double.client_left.set()

    def _answer(self, status: int, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.end_headers()
