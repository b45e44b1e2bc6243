"""One SPARQL query to one endpoint over HTTP/1.1, with a limit on everything but time, which the caller limits.

The address is checked before it is used, and nothing leads elsewhere: no redirects, no proxies, no cookies. Each exchange has a
connection of its own. It is h11 and not aiohttp, because a flood of `100 Continue` kept the loop of aiohttp 3.14 busy for 5 s.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, urlencode, urlsplit

import h11

from suasion import __version__
from suasion.prefixes import BASE

_PART_BYTES = 64 * 1024
_PARTS_AT_ONCE = 128  # events after which others have their turn, for chunks may be of a byte each
_HEAD_BYTES = 64 * 1024
_MOST_INTERIM = 10  # responses such as 100 Continue
_TYPES = ("application/sparql-results+json", "application/json")
_REFUSALS = frozenset((400, 413, 414, 422))  # the query is at fault, not the endpoint
_HEADERS = {
    "Accept": _TYPES[0],
    "Accept-Encoding": "identity",
    "Connection": "close",
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": f"Suasion/{__version__} ({BASE})",
}
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(slots=True, eq=False)
class UnfitError(Exception):
    """What an endpoint did instead of sending a whole result, as the end of a sentence about it.

    `is_its_fault` is False where another query might well be answered; `rest_seconds` is how long it asks to be left alone.
    """

    did: str
    is_its_fault: bool = True
    rest_seconds: float = 0


class TooMuchError(Exception):
    """More bytes came than are taken."""


async def fetch(url: str, query: str, most_bytes: int) -> bytes:
    """Send a query by POST (SPARQL 1.1 Protocol, section 2.1.2) and return the whole body, said to be results in JSON.

    Raises UnfitError, and TooMuchError for a body above a limit.
    """
    parts = urlsplit(url)
    try:
        reader, writer = await _connected(parts)
        try:
            return await _answered(reader, writer, parts, urlencode({"query": query}).encode(), most_bytes)
        finally:
            writer.transport.abort()
    except ssl.SSLCertVerificationError:
        raise UnfitError("has no certificate that can be trusted") from None
    except (h11.RemoteProtocolError, OSError, EOFError):
        raise UnfitError("broke off its answer, or sent what is no HTTP") from None


async def _connected(parts: SplitResult) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection to a checked address of a host, the first that can be reached."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    tls: dict[str, object] = {"ssl": _tls(), "server_hostname": host} if parts.scheme == "https" else {}
    for address in await addresses(host, port, look_up):
        try:
            return await asyncio.open_connection(address, port, limit=_PART_BYTES, **tls)  # type: ignore[arg-type]
        except ssl.SSLCertVerificationError:
            raise
        except OSError:
            continue
    raise UnfitError("cannot be reached")


async def addresses(host: str, port: int, lookup: Lookup) -> Sequence[str]:
    """Return the addresses of a host that may be reached: of a name, the public ones.

    Who allows an address, `localhost` or a name without a dot means it: that is of the operator's own network. Connections go
    to the addresses returned here, so a name that leads elsewhere a moment later gains nothing. Raises UnfitError.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return (host,)
    try:
        found = await lookup(host, port)
    except OSError:
        raise UnfitError("cannot be found") from None
    if "." not in host or host.endswith(".localhost"):
        return found
    public = tuple(address for address in found if is_public(address))
    if not public:
        raise UnfitError("leads to an address that is not public; the operator may allow one by IRI=URL with the address")
    return public


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the internet at large, also the IPv4 address that one of IPv6 stands for."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        number = int(parsed)
        if parsed.ipv4_mapped or number >> 32 in (0, 0x64FF9B << 64):  # also the compatible form, and NAT64
            return is_public(str(ipaddress.IPv4Address(number & 0xFFFFFFFF)))
        if parsed.sixtofour or parsed.teredo:
            return False
    return parsed.is_global and not parsed.is_multicast


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the system finds them. Raises OSError when it finds none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return tuple(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parts: SplitResult, data: bytes, most_bytes: int
) -> bytes:
    """Send a form, and return the body of the response."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "Content-Length": str(len(data)), **_HEADERS}
    events = (h11.Request(method="POST", target=target, headers=list(headers.items())), h11.Data(data), h11.EndOfMessage())
    for sent in events:
        writer.write(connection.send(sent) or b"")
    await writer.drain()
    body = bytearray()
    interim = received = events_seen = 0
    while True:
        events_seen += 1
        if not events_seen % _PARTS_AT_ONCE:
            await asyncio.sleep(0)
        match connection.next_event():
            case h11.NEED_DATA:
                part = await reader.read(_PART_BYTES)
                received += len(part)
                if received > 2 * most_bytes + _HEAD_BYTES:
                    raise TooMuchError
                connection.receive_data(part)
            case h11.InformationalResponse():
                interim += 1
                if interim > _MOST_INTERIM:
                    raise UnfitError("sent no final response")
            case h11.Response(status_code=status, headers=told):
                _refuse_unfit(status, {name.decode("latin-1"): value.decode("latin-1").strip() for name, value in told})
            case h11.Data(data=part):
                body += part
                if len(body) > most_bytes:
                    raise TooMuchError
            case _:
                return bytes(body)


def _refuse_unfit(status: int, headers: Mapping[str, str]) -> None:
    """Raise UnfitError for a response that is no whole result, by its status and headers (names in lower case)."""
    rest = headers.get("retry-after", "") if status in (429, 503) else ""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    partial = status == 206 or "x-sql-state" in headers or "x-sparql-maxrows" in headers
    if status in _REFUSALS:
        raise UnfitError(f"refused the block of its SERVICE clause ({status}): try the block there by itself", is_its_fault=False)
    if partial or headers.get("suasion-completeness", "").startswith("truncated"):
        remedy = "narrow the pattern, or write a sub-SELECT with LIMIT inside SERVICE"
        raise UnfitError(f"answered a part only: {remedy}", is_its_fault=False)
    if 300 <= status < 400:
        raise UnfitError(f"redirects ({status}), which is not followed: the operator has to allow where it leads")
    if status != 200:
        raise UnfitError(f"answered with status {status}", rest_seconds=float(rest[:6]) if rest.isdecimal() else 0)
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnfitError("answered in a content coding that it was not asked for")
    if kind not in _TYPES:
        raise UnfitError("answered with something else than SPARQL results in JSON")
