"""Who is answered: keys, how often each may ask, how much may be sent, how many are answered at once.

All of it is decided before a body is read, but for one that grows too large without having said so.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.errors import refusal
from core.api.streaming import Works
from core.errors import SettingsError, TooManyError
from core.settings import ApiSettings, secret
from core.stages.chat.limits import Limiter
from core.translation import N_

OPEN_PATHS: Final = frozenset(("/health",))
"""What anybody may ask, as often as they like: load balancers do."""
MEGABYTE: Final = 1_000_000


def keys_of(settings: ApiSettings, address: str) -> tuple[str, ...]:
    """Return the keys of the environment; SettingsError where there are none and others than this machine could ask."""
    keys = tuple(one.strip() for one in (secret(settings.keys) or "").split(",") if one.strip())
    if not keys and not is_this_machine(address):
        raise SettingsError(
            N_("Without keys the service may only listen on this machine, not on {address}."),
            remedy=N_("Put one or more keys, separated by commas, into the environment variable {name}."),
            address=address,
            name=settings.keys,
        )
    return keys


def is_this_machine(host: str) -> bool:
    """Whether only this machine can be meant: localhost, 127.… or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Gate:
    """Lets a request through, or answers why not."""

    def __init__(self, app: ASGIApp, *, settings: ApiSettings, keys: Sequence[str], works: Works) -> None:
        self._app = app
        self._works = works
        self._settings = settings
        self._keys = [key.encode() for key in keys]
        self._limiter = Limiter(settings.requests_per_minute, settings.requests_per_minute)
        self._busy = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; a reply counts as long as it is being sent."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = self._largest(scope["path"])
        if (refused := self._refused(scope, headers, most)) is not None:
            await refused(scope, receive, send)
            return
        self._busy += 1
        try:
            await self._app(scope, _bounded(receive, most), send)
        finally:
            self._busy -= 1

    def _refused(self, scope: Scope, headers: Headers, most: int) -> Response | None:
        key = self._key(headers)
        caller = f"key {key}" if key is not None else f"address {(scope.get('client') or ('',))[0]}"
        try:
            self._limiter.take(caller)
        except TooManyError as error:
            after = {"Retry-After": str(error.retry_after)}
            message = f"Too many requests: at most {self._settings.requests_per_minute} a minute. Wait, then ask again."
            return refusal(HTTPStatus.TOO_MANY_REQUESTS, message, code="rate_limit_exceeded", headers=after)
        if self._keys and key is None:
            message = "The key is missing or wrong. Send one as `Authorization: Bearer …`."
            told = {"WWW-Authenticate": "Bearer"}
            return refusal(HTTPStatus.UNAUTHORIZED, message, code="invalid_api_key", headers=told)
        if not self._keys and not _from_here(headers):
            message = f"Without keys only this machine is answered. Set {self._settings.keys} where the service runs."
            return refusal(HTTPStatus.FORBIDDEN, message, code="only_local")
        if _length(headers) > most:
            return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(most), code="too_large")
        if max(self._busy, self._works.count) >= self._settings.max_replies:
            message = "Too many are being answered at once. Ask again in a moment."
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, code="busy", headers={"Retry-After": "1"})
        return None

    def _key(self, headers: Headers) -> int | None:
        """Return which of the keys was sent; every one is compared, so that time tells nothing."""
        scheme, _, sent = headers.get("authorization", "").partition(" ")
        given = sent.strip().encode("latin-1")  # as HTTP's headers are read, so that any key is compared as it was sent
        same = [hmac.compare_digest(given, key) for key in self._keys]
        return same.index(True) if scheme.lower() == "bearer" and any(same) else None

    def _largest(self, path: str) -> int:
        sound = path.startswith("/v1/audio/transcriptions")
        return (self._settings.max_audio_mb if sound else self._settings.max_request_mb) * MEGABYTE


def _from_here(headers: Headers) -> bool:
    """Whether a request names this machine, and no page of another site sent it: a browser may be made to do both."""
    host = _name(f"//{headers.get('host', '')}")
    origin = headers.get("origin")
    return is_this_machine(host) and (origin is None or is_this_machine(_name(origin)))


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _length(headers: Headers) -> int:
    told = headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() else 0


def _bounded(receive: Receive, most: int) -> Receive:
    """Return a `receive` that refuses a body that grows too large without having said so."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(most))
        return message

    return bounded


def _too_large(most: int) -> str:
    return f"The request is too large: at most {most // MEGABYTE} MB are taken."
