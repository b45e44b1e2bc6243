"""Pages of any origin may read, and none may write: what brings a token, or asks to, gets no leave from us."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

_WRITING = ("PUT", "PATCH", "DELETE")


class ReadingCors(CORSMiddleware):
    """CORS for requests that read; others pass without any of its headers, so that browsers refuse them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to a request that reads."""
        if scope["type"] == "http" and (scope["method"] in _WRITING or _concerns_tokens(scope)):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _concerns_tokens(scope: Scope) -> bool:
    """Say whether a request brings a token, or is a preflight that asks whether one may."""
    for name, value in scope["headers"]:
        if name == b"authorization" or (name == b"access-control-request-headers" and b"authorization" in value.lower()):
            return True
    return False
