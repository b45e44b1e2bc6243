"""Run an application: its port bound first, its address said once it answers, a failed start as one error."""

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from suasion.errors import DataError, SuasionError
from suasion.settings import Settings


def run(app: FastAPI, settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until the process is told to end; call `announce` with the address when the first request can come.

    Raises DataError when the address cannot be bound, and whatever error the application kept in `app.state.fault`.
    """
    listener = _bind(settings)
    host, port = listener.getsockname()[:2]
    shown = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    config = uvicorn.Config(
        app, log_level="critical", server_header=False, proxy_headers=False, timeout_graceful_shutdown=10, access_log=False
    )
    server = _Server(config, lambda: announce(shown))
    with suppress(SystemExit, KeyboardInterrupt), listener:
        server.run(sockets=[listener])
    fault = app.state.fault
    if isinstance(fault, SuasionError):
        raise fault


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{settings.host}, port {settings.port}: {reason}: choose another with --host and --port.") from error


class _Server(uvicorn.Server):
    """Call back once the server listens."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then call back."""
        await super().startup(sockets)
        if self.started:
            self._started()
