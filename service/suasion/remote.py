"""Asks the endpoints of SERVICE clauses: only those that the operator allows, in time, few at once.

What an endpoint answers is not looked at here: a worker reads it. One that fails time and again is left alone for a while.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from suasion.errors import AnswerTooLarge, Overloaded, RemoteFailed, SuasionError, TimedOut
from suasion.exchange import Answer, Service
from suasion.federation import Clause
from suasion.fetching import TooMuchError, UnfitError, fetch
from suasion.settings import Settings

FAILURES = 5
"""So many in a row, and an endpoint is left alone."""
REST_SECONDS = 5.0
"""How long; then one request may try it."""
_MOST_REST_SECONDS = 300.0
_SHARE = 0.9  # of the time of a query: the rest is for the worker
_REMEDY = "narrow the pattern, or write a sub-SELECT with LIMIT inside SERVICE"


@dataclass(slots=True)
class Breaker:
    """Whether an endpoint may be asked: not for a while after it failed several times in a row. `clock` is in seconds."""

    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    closed_until: float = 0.0

    @property
    def rests(self) -> bool:
        """Whether the endpoint is left alone at this moment."""
        return self.failures >= FAILURES and self.clock() < self.closed_until

    def admit(self) -> float:
        """Return 0, or the seconds for which the endpoint is left alone; after a rest one caller is let through."""
        if self.rests:
            return self.closed_until - self.clock()
        if self.failures >= FAILURES:
            self.closed_until = self.clock() + REST_SECONDS
        return 0

    def fail(self, rest_seconds: float = 0) -> None:
        """Count a failure; with a time to rest, which the endpoint asked for, leave it alone at once."""
        self.failures = max(self.failures + 1, FAILURES if rest_seconds else 0)
        self.closed_until = self.clock() + max(REST_SECONDS, min(rest_seconds, _MOST_REST_SECONDS))

    def succeed(self) -> None:
        """Forget what failed before."""
        self.failures = 0


class Remotes:
    """The endpoints that SERVICE may reach, each by its IRI. Use it in one event loop."""

    def __init__(self, endpoints: Mapping[str, str], settings: Settings) -> None:
        self.endpoints = endpoints
        self._settings = settings
        self._breakers = {iri: Breaker() for iri in endpoints}
        hosts = {urlsplit(url).netloc for url in endpoints.values()}
        self._turns = {host: asyncio.Semaphore(settings.service_connections) for host in hosts}

    def resting(self) -> Mapping[str, bool]:
        """Return for each endpoint whether it is left alone at this moment."""
        return {iri: breaker.rests for iri, breaker in self._breakers.items()}

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
                return await fetch(url, clause.query, self._settings.service_bytes)
        except TimeoutError:
            if not asked_at:
                busy = f"Too many ask {endpoint} already: try again in a moment."
                raise Overloaded(busy, {"endpoint": endpoint}) from None
            # A client that gave it little time is no reason to leave an endpoint alone.
            if time.monotonic() - asked_at >= self._settings.service_seconds * _SHARE:
                breaker.fail()
            sentence = f"{endpoint} has not answered to the end within {seconds:g} s: {_REMEDY}."
            raise TimedOut(sentence, {"endpoint": endpoint, "limit_seconds": seconds}) from None
        except TooMuchError:
            most = self._settings.service_bytes
            sentence = f"{endpoint} answered with more than {most:,} bytes: {_REMEDY}."
            raise AnswerTooLarge(sentence, {"endpoint": endpoint, "limit_bytes": most}) from None
        except UnfitError as error:
            if error.is_its_fault:
                breaker.fail(error.rest_seconds)
            raise _failed(endpoint, error.did) from None


def _failed(endpoint: str, what: str) -> RemoteFailed:
    return RemoteFailed(f"{endpoint} {what}.", {"endpoint": endpoint})
