"""Failures as clients of the OpenAI protocol read them: a status, and `{"error": {message, type, param, code}}`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from core.backends.asr import NoAnswerError, RefusedError
from core.backends.tts import GoneError
from core.errors import (
    ConflictError,
    InvalidInputError,
    MissingArtifactError,
    MissingToolError,
    NotFoundError,
    StudioError,
    ToolFailedError,
    TooManyError,
)
from core.full_disk import full_disk

LEFT = 499
"""What is noted of a client that did not wait for its answer; nobody reads it."""

_STATUS: Mapping[type[StudioError], tuple[int, str]] = {
    RefusedError: (HTTPStatus.BAD_REQUEST, "refused"),
    NoAnswerError: (HTTPStatus.SERVICE_UNAVAILABLE, "no_answer"),
    GoneError: (HTTPStatus.SERVICE_UNAVAILABLE, "gone"),
    ToolFailedError: (HTTPStatus.BAD_GATEWAY, "backend_failed"),
    TooManyError: (HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_exceeded"),
    InvalidInputError: (HTTPStatus.BAD_REQUEST, "invalid_input"),
    NotFoundError: (HTTPStatus.NOT_FOUND, "not_found"),
    ConflictError: (HTTPStatus.CONFLICT, "conflict"),
    MissingArtifactError: (HTTPStatus.SERVICE_UNAVAILABLE, "not_ready"),
    MissingToolError: (HTTPStatus.NOT_IMPLEMENTED, "not_installed"),
}
"""The first that fits counts: a voice that is gone is a kind of tool that failed."""
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_LONGEST_PLACE = 120

_log = logging.getLogger(__name__)


class ClientLeftError(Exception):
    """The client closed the connection; there is nobody to answer."""


def error_body(message: str, status: int, *, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """Return a failure in OpenAI's form."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def told(error: StudioError) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of an expected failure: what happened, and what to do about it."""
    fitting = (found for kind, found in _STATUS.items() if isinstance(error, kind))
    status, code = next(fitting, (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"))
    return int(status), error_body(str(error), status, code=code)


def refusal(
    status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a refusal as a response."""
    return JSONResponse(error_body(message, status, code=code), status, headers)


async def on_studio_error(_request: Request, error: Exception) -> Response:
    """Answer an expected failure."""
    assert isinstance(error, StudioError)
    status, body = told(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("%s: %s", type(error).__name__, error)
    return JSONResponse(body, status)


async def on_wrong_request(_request: Request, error: Exception) -> Response:
    """Answer a request that does not fit its schema; what was sent is not repeated."""
    assert isinstance(error, RequestValidationError)
    first: Mapping[str, Any] = next(iter(error.errors()), {})
    place = _place(first.get("loc", ()))
    message = f"{place}: {first.get('msg', 'not right')}" if place else str(first.get("msg", "not right"))
    body = error_body(message, HTTPStatus.BAD_REQUEST, code="invalid_request", param=place or None)
    return JSONResponse(body, HTTPStatus.BAD_REQUEST)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown path, a wrong method, a body too large."""
    assert isinstance(error, HTTPException)
    if error.__cause__ is not None and (full := full_disk(error.__cause__)) is not None:
        return await on_studio_error(request, full)  # an upload that had no room is no wrong request
    return refusal(error.status_code, str(error.detail), headers=error.headers)


async def on_client_left(_request: Request, _error: Exception) -> Response:
    """Answer nobody."""
    return Response(status_code=LEFT)


async def on_os_error(request: Request, error: Exception) -> Response:
    """Answer a full disk; what else the machine refuses is a bug."""
    if (full := full_disk(error)) is None:
        raise error
    return await on_studio_error(request, full)


async def on_bug(_request: Request, _error: Exception) -> Response:
    """Answer what nobody expected; the server logs it with its traceback."""
    message = "Something went wrong here that should not. The server's log tells more."
    return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, message, code="internal_error")


def _place(loc: Sequence[object]) -> str:
    named = ".".join(str(part) for part in loc if part not in ("body", "path", "query"))
    return "".join(character for character in named if character.isprintable())[:_LONGEST_PLACE]
