"""Blocking work for one client, in a thread of its own: told to stop as soon as the client leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from threading import Event, Lock
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.api.errors import ClientLeftError
from core.backends.relay import flowing
from core.errors import StudioError

T = TypeVar("T")
_SEND_SECONDS: Final = 60.0
"""How long a client may leave a piece unread."""

_log = logging.getLogger(__name__)


class Works:
    """Counts the threads that work for clients; one whose client has left counts until it notices."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.count = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one more within."""
        with self._lock:
            self.count += 1
        try:
            yield
        finally:
            with self._lock:
                self.count -= 1


async def done(request: Request, work: Callable[[Event], T]) -> T:
    """Return what `work(stop)` returns, raise what it raises; ClientLeftError when the client did not wait for it."""

    def once(stop: Event) -> Iterator[T]:
        yield work(stop)

    return await _unless_left(request.receive, _first(flowing(_counted(request, once))))


async def streamed(
    request: Request,
    opened: Callable[[Event], Iterator[bytes]],
    media_type: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a response that sends the bytes `opened(stop)` yields as they come.

    What fails before the first of them is raised here, so that it can be answered with a status. What fails later
    breaks the connection: nobody takes a part for the whole.
    """
    pieces = flowing(_counted(request, opened))
    try:
        first = await _unless_left(request.receive, _next(pieces))
    except BaseException:
        await pieces.aclose()
        raise
    return _Streamed(first, pieces, media_type, headers)


def _counted(request: Request, opened: Callable[[Event], Iterator[T]]) -> Callable[[Event], Iterator[T]]:
    works: Works = request.app.state.works

    def counted(stop: Event) -> Iterator[T]:
        with works.one_more():
            yield from opened(stop)

    return counted


class _Streamed(Response):
    """Sends the first piece, then the others; ends what makes them when the client leaves."""

    def __init__(
        self, first: bytes, pieces: AsyncGenerator[bytes, None], media_type: str, headers: Mapping[str, str] | None
    ) -> None:
        self._first, self._pieces = first, pieces
        self.status_code, self.background = 200, None
        self.media_type = media_type
        self.init_headers(headers)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """The length is not known before the end."""
        self.body = b""
        super().init_headers(headers)
        self.raw_headers = [header for header in self.raw_headers if header[0] != b"content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces):
            with suppress(ClientLeftError):
                await _unless_left(receive, self._sent(send))

    async def _sent(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            await _send(send, self._first)
            async for piece in self._pieces:
                await _send(send, piece)
        except StudioError as error:
            _log.warning("An answer broke off. %s", error)
            return  # without its last word: the server closes the connection
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send(send: Send, piece: bytes) -> None:
    try:
        await asyncio.wait_for(send({"type": "http.response.body", "body": piece, "more_body": True}), _SEND_SECONDS)
    except TimeoutError:
        raise ClientLeftError from None  # it holds a place and does not read


async def _next(pieces: AsyncGenerator[bytes, None]) -> bytes:
    async for piece in pieces:
        return piece
    return b""


async def _first(pieces: AsyncGenerator[T, None]) -> T:
    async with aclosing(pieces):
        return await anext(pieces)


async def _unless_left(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` gives; cancel it and raise ClientLeftError when the client leaves first.

    The request's body has been read: all that can still be received is the end.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        over = working.done()
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
    if not over:
        raise ClientLeftError
    return working.result()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
