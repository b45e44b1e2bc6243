"""An answer on its way to a client: given up when the client leaves, and cut so that the client sees it when it fails."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from suasion import problems
from suasion.errors import SuasionError
from suasion.exchange import Answer

_T = TypeVar("_T")


async def unless_gone(receive: Receive, coming: Coroutine[None, None, _T]) -> _T | None:
    """Wait for what is coming, or for the client to leave: then it is cancelled, and None returned."""
    answering = asyncio.ensure_future(coming)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await answering if answering.done() else None
    finally:
        leaving.cancel()
        answering.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Streamed(Response):
    """A long answer, sent part by part, as fast as its client takes them.

    When it cannot be finished the connection is reset: the last chunk is missing, and a client of HTTP/1.0, to whom an
    orderly close is the end of a body, sees an error as well. Log and metrics have the name of the error as outcome.
    """

    def __init__(self, first: Answer, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(headers=headers, media_type=media_type)
        self.raw_headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, or as much of it as can be had; of HEAD the head only."""
        rest = self._first.rest
        assert rest
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body"})
            elif not await unless_gone(receive, self._send_parts(send)):
                scope["state"].setdefault("outcome", "ClientLeft")
        except SuasionError as error:
            problems.note(scope, error)
            _cut(scope)
        except BaseException:
            _cut(scope)
            raise
        finally:
            rest.close()

    async def _send_parts(self, send: Send) -> bool:
        assert self._first.rest
        part = self._first.body
        while part:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            part = await self._first.rest.part()
        await send({"type": "http.response.body"})
        return True


def _cut(scope: Scope) -> None:
    """Reset the connection, by what the protocol left in the state of the request."""
    if cut := scope["state"].get("cut"):
        cut()
