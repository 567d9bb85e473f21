"""The command that answers other chat clients over HTTP."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from typing import Annotated

import typer

from core.commands.terminal import studio
from core.errors import ConflictError
from core.translation import N_


def serve(
    address: Annotated[str, typer.Option(help="Where to listen; the setting api.address by default.")] = "",
    port: Annotated[
        int, typer.Option(help="The setting api.port by default; 0 for any that is free.", min=-1, max=65535)
    ] = -1,
) -> None:
    """Answer other chat clients in OpenAI's protocol, by text and by voice, until Ctrl-C."""
    import uvicorn

    from core.api.access import keys_of
    from core.api.app import create_app
    from core.services import seed

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    with studio() as services:
        settings = services.settings.api
        host = address or settings.address
        keys = keys_of(settings, host)
        with _listening(host, settings.port if port < 0 else port) as door:
            seed(services)
            config = uvicorn.Config(
                create_app(services, keys=keys),
                log_config=None,
                lifespan="on",
                ws="none",
                # Who asks is told by the connection: a header could name anybody.
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=round(services.settings.jobs.stop_grace_seconds),
            )
            typer.echo(f"chat-daiyu: {_shown(door)}/v1  ({len(keys)} keys; Ctrl-C ends it)")
            for signum in (signal.SIGINT, signal.SIGTERM):  # uvicorn hears them, and sends them on when it has ended
                signal.signal(signum, lambda *_: None)
            uvicorn.Server(config).run(sockets=[door])
    sys.stdout.flush()
    os._exit(0)  # a thread that still works for a client that has gone must not hold us


def _listening(host: str, port: int) -> socket.socket:
    """Open the door; ConflictError where something else has it or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConflictError(
            N_("{address}:{port} cannot be listened on: {problem}."),
            remedy=N_("Choose another port with --port, or DAIYU_API__PORT."),
            address=host,
            port=port,
            problem=error.strerror or type(error).__name__,
        ) from None


def _shown(door: socket.socket) -> str:
    host, port = door.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
