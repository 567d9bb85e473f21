"""A loopback server that speaks the OpenAI chat protocol, good and bad, for tests."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class OpenAIServer:
    """Streams `reply` in pieces of two characters; records what it was asked and when a client left.

    `status` other than 200 answers with that error; `hang` waits after the first piece until the client leaves.
    """

    def __init__(self, reply: str = "好", *, status: int = 200, hang: bool = False) -> None:
        self.reply, self.status, self.hang = reply, status, hang
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.client_left = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
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

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.requests.append(json.loads(body))
                server.keys.append(self.headers.get("Authorization", ""))
                if server.status != 200:
                    self._answer(server.status, "application/json")
                    self.wfile.write(json.dumps({"error": {"message": "no"}}).encode())
                    return
                self._answer(200, "text/event-stream")
                self._stream()

            def _stream(self) -> None:
                for place in range(0, len(server.reply), 2):
                    self._event({"content": server.reply[place : place + 2]})
                    if server.hang:
                        self._wait_for_leave()
                        return
                self.wfile.write(b"data: [DONE]\n\n")

            def _event(self, delta: dict[str, str]) -> None:
                chunk = {
                    "id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
                }  # fmt: skip
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.flush()

            def _wait_for_leave(self) -> None:
                try:
                    while not server.client_left.wait(0.02):
                        self.wfile.write(b": still there\n\n")
                        self.wfile.flush()
                except OSError:
                    server.client_left.set()

            def _answer(self, status: int, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Tests are quiet."""

        return Handler
