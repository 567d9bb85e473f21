"""A loopback server that speaks the OpenAI chat protocol, good and bad, for tests."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, cast


class OpenAIServer:
    """Streams `reply` in pieces of two characters; records what it was asked and when a client left.

    `status` other than 200 answers with that error; `hang` waits after the first piece until the client leaves.
    """

    def __init__(self, reply: str = "好", *, status: int = 200, hang: bool = False) -> None:
        self.reply, self.status, self.hang = reply, status, hang
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.client_left = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.client_left.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers for the server it was made for."""

    @property
    def _double(self) -> OpenAIServer:
        return cast(_Server, self.server).double

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._double.requests.append(json.loads(body))
        self._double.keys.append(self.headers.get("Authorization", ""))
        if self._double.status != 200:
            self._answer(self._double.status, "application/json")
            self.wfile.write(json.dumps({"error": {"message": "no"}}).encode())
            return
        self._answer(200, "text/event-stream")
        self._stream()

    def _stream(self) -> None:
        for place in range(0, len(self._double.reply), 2):
            self._event({"content": self._double.reply[place : place + 2]})
            if self._double.hang:
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
            while not self._double.client_left.wait(0.02):
                self.wfile.write(b": still there\n\n")
                self.wfile.flush()
        except OSError:
            self._double.client_left.set()

    def _answer(self, status: int, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


class _Server(ThreadingHTTPServer):
    """Knows whose answers it gives."""

    daemon_threads = True

    def __init__(self, double: OpenAIServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double = double
