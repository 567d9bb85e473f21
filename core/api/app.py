"""The service as an ASGI application: its paths, what stands before them, and how failures are told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from core.api import access, chat, errors, models, speech, transcriptions
from core.api.streaming import Works
from core.backends.relay import apart
from core.errors import StudioError
from core.services import Services

_LOOK_SECONDS: Final = 1.0
"""How long a look at the store is good for."""


def create_app(studio: Services, *, keys: Sequence[str]) -> FastAPI:
    """Return the application; without keys everybody on this machine is answered. The studio stays its caller's."""
    app = FastAPI(
        title="chat-daiyu",
        summary="A character of a book, in OpenAI's protocol.",
        # Its pages would load scripts from elsewhere; the description itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.studio, app.state.works, app.state.health = studio, Works(), Health(studio)
    app.add_middleware(access.Gate, settings=studio.settings.api, keys=keys, works=app.state.works)
    _tell_failures(app)
    for method, path, endpoint in PATHS:
        app.add_api_route(path, endpoint, methods=[method], responses=REFUSALS)
    app.add_api_route("/health", health, methods=["HEAD"], include_in_schema=False)  # some load balancers ask so
    return app


class Health:
    """Looks whether the store answers: anybody may ask, so all who ask within a second share one look."""

    def __init__(self, studio: Services) -> None:
        self._studio = studio
        self._looking = asyncio.Lock()
        self._good_until = 0.0

    async def look(self) -> None:
        """Return if it answers; raise what it raises."""
        async with self._looking:
            if time.monotonic() >= self._good_until:
                await apart(lambda: self._studio.store.personas.get(self._studio.settings.persona))
                self._good_until = time.monotonic() + _LOOK_SECONDS


async def health(request: Request) -> JSONResponse:
    """Tell that the service answers and its store, too."""
    await request.app.state.health.look()
    return JSONResponse({"status": "ok"})


def _tell_failures(app: FastAPI) -> None:
    app.add_exception_handler(StudioError, errors.on_studio_error)
    app.add_exception_handler(RequestValidationError, errors.on_wrong_request)
    app.add_exception_handler(HTTPException, errors.on_http_error)
    app.add_exception_handler(errors.ClientLeftError, errors.on_client_left)
    app.add_exception_handler(OSError, errors.on_os_error)
    app.add_exception_handler(Exception, errors.on_bug)


PATHS: Final[Sequence[tuple[str, str, Callable[..., Any]]]] = (
    ("POST", "/v1/chat/completions", chat.complete),
    ("POST", "/v1/audio/speech", speech.speak),
    ("POST", "/v1/audio/transcriptions", transcriptions.transcribe),
    ("GET", "/v1/models", models.all_models),
    ("GET", "/v1/models/{model:path}", models.one_model),
    ("GET", "/health", health),
)
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "The request is not right."},
    401: {"description": "The key is missing or wrong."},
    404: {"description": "There is no such model."},
    413: {"description": "The request is too large."},
    429: {"description": "Too many requests."},
    503: {"description": "Busy, or something this needs is not there."},
}
