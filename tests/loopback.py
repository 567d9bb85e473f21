"""What the doubles of other people's servers have in common: an address on this machine, and an end with the test."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

D = TypeVar("D", bound="Loopback")


class Loopback:
    """Serves for as long as a `with` block lasts."""

    def __init__(self, handler: type[Handler[Any]]) -> None:
        self._server = _Server(self, handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """The address as clients of the OpenAI protocol want it."""
        return f"{self.url}/v1"

    def let_go(self) -> None:
        """End what a handler is waiting for; called before the server closes."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.let_go()
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler, Generic[D]):
    """Answers for the double it was made for, quietly."""

    @property
    def double(self) -> D:
        return cast(D, cast(_Server, self.server).double)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


class _Server(ThreadingHTTPServer):
    """Knows whose answers it gives."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, double: Loopback, handler: type[Handler[Any]]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.double = double

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
