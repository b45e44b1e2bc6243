"""Asks the endpoints of SERVICE clauses, over HTTP, with a limit on everything; only those that the operator allows.

An endpoint is asked by its own URL, at an address that was checked, without redirects, proxies or cookies. What it answers is
taken to the last byte or not at all, and not looked at here: a worker reads it. One that fails time and again is left alone.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from suasion import __version__
from suasion.errors import AnswerTooLarge, Overloaded, RemoteFailed, SuasionError, TimedOut
from suasion.exchange import Answer, Service
from suasion.federation import Clause
from suasion.prefixes import BASE
from suasion.settings import Settings

FAILURES = 5
"""So many in a row, and an endpoint is left alone."""
REST_SECONDS = 5.0
"""How long; then one request may try it."""
_MOST_REST_SECONDS = 300.0
_SHARE = 0.9  # of the time of a query: the rest is for the worker
_REFUSALS = frozenset((400, 413, 414, 422))  # the block is at fault, not the endpoint
_TYPES = ("application/sparql-results+json", "application/json")
_HEADERS = {
    "Accept": _TYPES[0],
    "Accept-Encoding": "identity",
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": f"Suasion/{__version__} ({BASE})",
}
Lookup = Callable[[str, int, socket.AddressFamily], Awaitable[Sequence[str]]]


@dataclass(slots=True)
class Breaker:
    """Whether an endpoint may be asked: not for a while after it failed several times in a row. `clock` is in seconds."""

    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    closed_until: float = 0.0

    def admit(self) -> float:
        """Return 0, or the seconds for which the endpoint is left alone; after a rest one caller is let through."""
        now = self.clock()
        if self.failures < FAILURES:
            return 0
        if now < self.closed_until:
            return self.closed_until - now
        self.closed_until = now + REST_SECONDS
        return 0

    def fail(self, rest_seconds: float = 0) -> None:
        """Count a failure; with a time to rest, which the endpoint asked for, leave it alone at once."""
        self.failures = max(self.failures + 1, FAILURES if rest_seconds else 0)
        self.closed_until = self.clock() + max(REST_SECONDS, min(rest_seconds, _MOST_REST_SECONDS))

    def succeed(self) -> None:
        """Forget what failed before."""
        self.failures = 0


class Remotes:
    """The endpoints that SERVICE may reach, each by its IRI. Use it in one event loop, and `close` it there."""

    def __init__(self, endpoints: Mapping[str, str], settings: Settings) -> None:
        self.endpoints = endpoints
        self._settings = settings
        self._breakers = {iri: Breaker() for iri in endpoints}
        hosts = {urlsplit(url).netloc for url in endpoints.values()}
        self._turns = {host: asyncio.Semaphore(settings.service_connections) for host in hosts}
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        clauses: tuple[Clause, ...],
        deadline_seconds: float,
        evaluate: Callable[[tuple[Service, ...], float], Awaitable[Answer]],
        spent: Callable[[float], None],
    ) -> Answer:
        """Ask the endpoints of all clauses at once, then evaluate the query with their answers in the time that is left.

        `spent` is told the seconds that the endpoints took. Raises RemoteFailed, TimedOut, AnswerTooLarge and Overloaded for
        a clause that may not fail, and what `evaluate` raises.
        """
        started = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                asking = [group.create_task(self._asked(clause, deadline_seconds * _SHARE)) for clause in clauses]
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            spent(time.monotonic() - started)
        services = tuple(task.result() for task in asking)
        left = max(round(deadline_seconds - (time.monotonic() - started), 1), 0.1)
        try:
            answer = await evaluate(services, left)
        except RemoteFailed as error:
            self._breakers[str(error.extra["endpoint"])].fail()
            raise
        broken = answer.extra.get("broken", [])
        assert isinstance(broken, list)
        for service in services:
            if service.endpoint in broken:
                self._breakers[service.endpoint].fail()
            elif not service.failed:
                self._breakers[service.endpoint].succeed()
        return answer

    async def close(self) -> None:
        """Close what is open."""
        if self._session:
            await self._session.close()

    async def _asked(self, clause: Clause, seconds: float) -> Service:
        body = b""
        failed = False
        try:
            body = await self._in_time(clause, seconds)
        except SuasionError:
            if not clause.silent:
                raise
            failed = True
        rows = self._settings.service_rows
        return Service(clause.at, clause.endpoint, clause.silent, clause.variables, rows, body, failed)

    async def _in_time(self, clause: Clause, seconds: float) -> bytes:
        """Return what an endpoint answers, after waiting for a turn at its host, all within a time."""
        endpoint = clause.endpoint
        seconds = min(seconds, self._settings.service_seconds)
        breaker = self._breakers[endpoint]
        url = self.endpoints[endpoint]
        asked_at = 0.0
        try:
            async with asyncio.timeout(seconds), self._turns[urlsplit(url).netloc]:
                if rest := breaker.admit():
                    raise _failed(endpoint, f"failed {FAILURES} times in a row, or asked for a rest: try again in {rest:.0f} s")
                asked_at = time.monotonic()
                return await self._exchange(clause, url)
        except TimeoutError:
            if not asked_at:
                busy = f"Too many ask {endpoint} already: try again in a moment."
                raise Overloaded(busy, {"endpoint": endpoint}) from None
            # A client that gave it little time is no reason to leave an endpoint alone.
            if time.monotonic() - asked_at >= self._settings.service_seconds * _SHARE:
                breaker.fail()
            remedy = "narrow the pattern, or write a sub-SELECT with LIMIT inside SERVICE"
            raise TimedOut(
                f"{endpoint} has not answered to the end within {seconds:g} s: {remedy}.",
                {"endpoint": endpoint, "limit_seconds": seconds},
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            breaker.fail()
            raise _failed(endpoint, _in_own_words(error)) from None

    async def _exchange(self, clause: Clause, url: str) -> bytes:
        """Send the query of a clause by POST (SPARQL 1.1 Protocol, section 2.1.2), and return the whole body of the answer."""
        if self._session is None:
            self._session = _session()
        data = urlencode({"query": clause.query}).encode()
        most = self._settings.service_bytes
        body = bytearray()
        async with self._session.post(URL(url, encoded=True), data=data, headers=_HEADERS, allow_redirects=False) as response:
            self._refuse_unfit(clause.endpoint, response)
            if (response.content_length or 0) > most:
                raise _too_large(clause.endpoint, most)
            async for part in response.content.iter_any():
                body += part
                if len(body) > most:
                    raise _too_large(clause.endpoint, most)
        return bytes(body)

    def _refuse_unfit(self, endpoint: str, response: aiohttp.ClientResponse) -> None:
        """Raise RemoteFailed for a response that is no whole result, by its status and headers."""
        status, headers = response.status, response.headers
        if status in _REFUSALS:
            raise _failed(endpoint, f"refused the block of its SERVICE clause ({status}): try the block there by itself")
        partial = headers.get("Suasion-Completeness", "").startswith("truncated")
        if status == 206 or "X-SQL-State" in headers or "X-SPARQL-MaxRows" in headers or partial:
            raise _failed(endpoint, "answered a part only: narrow the pattern, or write a sub-SELECT with LIMIT inside SERVICE")
        fault = ""
        rest = 0.0
        if 300 <= status < 400:
            fault = f"redirects ({status}), which is not followed: the operator has to allow where it leads"
        elif status != 200:
            fault = f"answered with status {status}"
            if status in (429, 503) and (asked := headers.get("Retry-After", "")).isascii() and asked.isdigit():
                rest = float(asked[:6])
        elif headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            fault = "answered in a content coding that it was not asked for"
        elif response.content_type not in _TYPES:
            fault = "answered with something else than SPARQL results in JSON"
        if fault:
            self._breakers[endpoint].fail(rest)
            raise _failed(endpoint, fault)


class CheckedResolver(AbstractResolver):
    """Finds the addresses of hosts, and gives those only that are public, unless the host is one that names no public one.

    A connection goes to an address given here: a name that leads elsewhere a moment later gains nothing. `localhost`, and
    names without a dot, are of the operator's own network; who allows them means them.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """Return the addresses of a host. Raises OSError when it has none, or none that may be reached."""
        found = await self._lookup(host, port, family)
        private = "." not in host or host.endswith(".localhost")
        given = [address for address in found if private or is_public(address)]
        if not given:
            raise _NotPublicError(host)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in given
        ]

    async def close(self) -> None:
        """Hold nothing."""


class _NotPublicError(OSError):
    pass


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the internet at large, also the IPv4 address that one of IPv6 stands for."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        number = int(parsed)
        if parsed.ipv4_mapped or number >> 32 == 0x64FF9B << 64 or number >> 32 == 0:  # also NAT64, and the compatible form
            return is_public(str(ipaddress.IPv4Address(number & 0xFFFFFFFF)))
        if parsed.sixtofour or parsed.teredo:
            return False
    return parsed.is_global and not parsed.is_multicast


async def look_up(host: str, port: int, family: socket.AddressFamily) -> Sequence[str]:
    """Return the addresses of a host, as the system finds them. Raises OSError when it finds none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return tuple(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))


def _session() -> aiohttp.ClientSession:
    """Return a session that keeps nothing: each exchange has a connection of its own, so that none inherits garbage."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=CheckedResolver(look_up), use_dns_cache=False, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        trust_env=False,
    )


def _in_own_words(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, _NotPublicError):
            return "leads to an address that is not public; the operator may allow one by IRI=URL with the address"
        case aiohttp.ClientConnectorCertificateError():
            return "has no certificate that can be trusted"
        case aiohttp.ClientConnectorError():
            return "cannot be reached"
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError() | OSError():
            return "closed the connection before its answer was whole"
        case _:
            return "answered with what is no HTTP"


def _too_large(endpoint: str, most: int) -> AnswerTooLarge:
    remedy = "write a sub-SELECT with LIMIT inside SERVICE, or a narrower pattern"
    sentence = f"{endpoint} answered with more than {most:,} bytes: {remedy}."
    return AnswerTooLarge(sentence, {"endpoint": endpoint, "limit_bytes": most})


def _failed(endpoint: str, what: str) -> RemoteFailed:
    return RemoteFailed(f"{endpoint} {what}.", {"endpoint": endpoint})
