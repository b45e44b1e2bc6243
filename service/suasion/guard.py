"""What is refused before any endpoint: unknown hosts, odd paths, what is announced as too large; and headers for browsers."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suasion import problems
from suasion.errors import NotFound, SuasionError, TooLarge, UnknownHost, UrlTooLong
from suasion.settings import Settings

URL_BYTES = 64 * 1024
"""The most bytes of path and query of a URL."""
CONTENT_SECURITY_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
"""For pages: no inline script or style, nothing from elsewhere, in no frame."""
_PAGE_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"referrer-policy", b"same-origin"),
]


class Guard:
    """Refuses what no endpoint should see, and adds the headers that keep browsers safe."""

    def __init__(self, app: ASGIApp, settings: Settings, most_bytes: Callable[[Scope], int] | None = None) -> None:
        """`most_bytes` tells how large the body of a request may be; without it that is the setting."""
        self.app = app
        self._hosts = frozenset(filter(None, (_name(host) for host in settings.hosts.split(","))))
        self._most_bytes = most_bytes or (lambda _: settings.request_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on and complete the headers of its response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _with_safety(list(message.get("headers", [])))}
            await send(message)

        fault = self._fault(scope)
        if fault:
            problems.note(scope, fault)
            await problems.response(fault, scope)(scope, receive, send_on)
        else:
            await self.app(scope, receive, send_on)

    def _fault(self, scope: Scope) -> SuasionError | None:
        """Return why a request is refused, in words that repeat nothing of it, or None."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if self._hosts:
            given = [value for name, value in headers if name == b"host"]
            if len(given) != 1 or _name(given[0].decode("latin-1")) not in self._hosts:
                return UnknownHost("This service does not answer for the host that the request names.")
        if len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) > URL_BYTES:
            return UrlTooLong(f"The URL is longer than {URL_BYTES:,} bytes: send the query by POST.", {"limit_bytes": URL_BYTES})
        path: str = scope["path"]
        if not path.startswith("/") or path.startswith("//"):
            return NotFound("A path begins with one slash; GET / lists what there is.")
        lengths = [value for name, value in headers if name == b"content-length"]
        if lengths and int(lengths[0]) > (most := self._most_bytes(scope)):
            return TooLarge(f"The request body is larger than {most:,} bytes.", {"limit_bytes": most})
        return None


def _name(host: str) -> str:
    """Return a host in lower case, without its port."""
    host = host.strip().lower()
    head, colon, port = host.rpartition(":")
    return head if colon and port.isdigit() and not head.endswith(":") else host


def _with_safety(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    present = {name.lower(): value for name, value in headers}
    added = [(b"x-content-type-options", b"nosniff")]
    if present.get(b"content-type", b"").startswith((b"text/html", b"application/xhtml+xml")):
        added += _PAGE_HEADERS
    return headers + [(name, value) for name, value in added if name not in present]
