"""Where agents come in by HTTP: /mcp, for the Model Context Protocol (streamable HTTP, without sessions, answers in JSON)."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from suasion.delivery import unless_gone
from suasion.errors import MethodNotAllowed
from suasion.sparql import read_body

_METHODS = "POST, OPTIONS"


class Answering(Protocol):
    """A server that answers one HTTP request."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""


class Doorway:
    """The ASGI application at /mcp. `made` makes the server, in a thread, when the first agent comes.

    Each request stands for itself; when its client leaves, what it asked for ends. Raises MethodNotAllowed (405), and TooLarge
    (413), UnsupportedMedia (415) and BadQuery (400) for bodies that cannot be read.
    """

    def __init__(self, made: Callable[[], Answering], most_bytes: int) -> None:
        self._made = made
        self._most_bytes = most_bytes
        self._server: asyncio.Task[Answering] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whose host and announced size were checked before."""
        request = Request(scope, receive)
        if request.method == "OPTIONS":
            await Response(status_code=204, headers={"Allow": _METHODS})(scope, receive, send)
            return
        if request.method != "POST":
            raise MethodNotAllowed("Agents send POST with JSON: /mcp has no sessions and no streams.", {"allow": _METHODS})
        body = await read_body(request, self._most_bytes)
        if self._server is None:
            self._server = asyncio.create_task(asyncio.to_thread(self._made))
        server = await asyncio.shield(self._server)
        sent = False

        async def send_on(message: Message) -> None:
            nonlocal sent
            sent = True
            await send(message)

        await unless_gone(receive, server.answer({**scope, "headers": _plain(scope)}, _again(body, receive), send_on))
        if not sent:
            await Response(status_code=499)(scope, receive, send)


def _plain(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the headers of a request without those that its decoded body has made untrue."""
    return [(name, value) for name, value in scope["headers"] if name not in (b"content-encoding", b"content-length")]


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and nothing more until its request is cancelled."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()
        return await receive()

    return received
