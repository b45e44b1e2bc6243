"""Run an application: its port bound first, its address said once it answers, a failed start as one error.

SIGTERM and SIGINT end it in order: no new connection is taken, requests under way and on connections taken before are
answered, with Connection: close, and the exit status is 0. A second signal ends it at once.
"""

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from suasion.errors import SuasionError
from suasion.listener import bind, has_waiting, take_no_newcomers
from suasion.protocol import CLOSE, LimitedConfig, LimitedProtocol
from suasion.settings import Settings

_LOOK_EVERY_SECONDS = 0.5
_HANDSHAKE_SECONDS = 0.3
"""Time for connections that are half made to be completed, a long way included."""
_SETTLING_SECONDS = 0.01
"""Time for connections that are accepted to get their protocol."""
_LOOKS = 50
"""How often to look for some that wait to be accepted: with no file descriptor left they would wait for ever."""


def run(app: FastAPI, settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until the process is told to end; call `announce` with the address when the first request can come.

    Raises DataError when the address cannot be bound, and whatever error the application kept in `app.state.fault`.
    """
    listener = bind(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    shown = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    app.state.address = shown.rstrip("/")
    config = LimitedConfig(app, settings, app.state.metrics.connection_cut)
    server = _Server(config, lambda: announce(shown))
    with suppress(SystemExit, KeyboardInterrupt), listener:
        server.run(sockets=[listener])
    fault = app.state.fault
    if isinstance(fault, SuasionError):
        raise fault


class _Server(uvicorn.Server):
    """Call back once the server listens, cut connections that are overdue, and end with status 0 when told to end."""

    def __init__(self, config: LimitedConfig, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._started = started
        self._looked = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then call back."""
        await super().startup(sockets)
        if self.started:
            self._started()

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections, some times a second; return whether to end."""
        now = asyncio.get_running_loop().time()
        if now - self._looked >= _LOOK_EVERY_SECONDS:
            self._looked = now
            for connection in list(self.server_state.connections):
                assert isinstance(connection, LimitedProtocol)
                connection.cut_if_overdue(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as uvicorn does, but first take the connections that the kernel has made: closing would reset them."""
        listeners = sockets or []
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        for listener in listeners:
            take_no_newcomers(listener)
        await asyncio.sleep(_HANDSHAKE_SECONDS)
        for _ in range(_LOOKS):
            if not any(has_waiting(listener) for listener in listeners):
                break
            await asyncio.sleep(_SETTLING_SECONDS)
        await asyncio.sleep(_SETTLING_SECONDS)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End in order at the first signal, and at once, by the signal itself, at the second."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        self.should_exit = True
