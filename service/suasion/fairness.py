"""How much computing each client may have: a bucket of seconds that fills with time, and one of failing queries.

The numbers are those of the Wikidata Query Service: a minute of computing a minute, twice that at once, 30 failing queries a
minute. Every millisecond counts, or a flood of short queries would cost nothing.
"""

import ipaddress
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cachetools import LRUCache

from suasion.errors import AnswerTooLarge, BadQuery, RemoteFailed, TimedOut, TooManyRequests, WorkerDied

MOST_CLIENTS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a client may use: seconds of computing and failing queries, a minute of each, and twice as much at once."""

    seconds_a_minute: float
    failures_a_minute: float


@dataclass(slots=True)
class _Bucket:
    seconds: float
    failures: float
    filled_at: float


class Budgets:
    """The buckets of the clients seen last. `clock` is monotonic, in seconds."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowance = allowance
        self._clock = clock
        self._buckets: LRUCache[str, _Bucket] = LRUCache(MOST_CLIENTS)

    def admit(self, client: str) -> None:
        """Raise TooManyRequests, with the seconds to wait, when a client has used up its computing or its failures."""
        bucket = self._filled(client)
        allowance = self._allowance
        wait = max(_wait(bucket.seconds, allowance.seconds_a_minute), _wait(bucket.failures, allowance.failures_a_minute))
        if wait:
            what = "computing" if bucket.seconds <= 0 else "failing queries"
            raise TooManyRequests(f"Your share of {what} is used up: try again in {wait} s.", {"retry_after_seconds": wait})

    def charge(self, client: str, seconds: float, failed: bool) -> None:
        """Take what a query used from the buckets of its client; they may go below nothing."""
        bucket = self._filled(client)
        bucket.seconds -= seconds
        bucket.failures -= failed

    def _filled(self, client: str) -> _Bucket:
        now = self._clock()
        allowance = self._allowance
        most_seconds, most_failures = 2 * allowance.seconds_a_minute, 2 * allowance.failures_a_minute
        bucket = self._buckets.get(client) or _Bucket(most_seconds, most_failures, now)
        minutes = (now - bucket.filled_at) / 60
        bucket.seconds = min(most_seconds, bucket.seconds + minutes * allowance.seconds_a_minute)
        bucket.failures = min(most_failures, bucket.failures + minutes * allowance.failures_a_minute)
        bucket.filled_at = now
        self._buckets[client] = bucket
        return bucket


@contextmanager
def at_cost_of(client: str, budgets: Budgets | None) -> Iterator[Callable[[float], None]]:
    """Have a query done at the cost of a client, and give whom to tell the seconds that it took; they may be told later.

    A query that fails counts as such. Without budgets nothing is counted. Raises TooManyRequests when the share is used up.
    """
    if budgets is None:
        yield lambda _: None
        return
    budgets.admit(client)
    try:
        yield lambda seconds: budgets.charge(client, seconds, failed=False)
    except (BadQuery, TimedOut, AnswerTooLarge, RemoteFailed, WorkerDied):
        budgets.charge(client, 0, failed=True)
        raise


def client_key(address: str, user_agent: str) -> str:
    """Return who a request counts for: its address (of IPv6 the first 64 bits, which one customer has) and its User-Agent.

    >>> client_key("2001:db8:0:1:2::3", "curl/8")
    '2001:db8:0:1::/64 curl/8'
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"{address} {user_agent[:200]}"
    if parsed.version == 6:
        address = str(ipaddress.ip_network(f"{address}/64", strict=False))
    return f"{address} {user_agent[:200]}"


def _wait(left: float, a_minute: float) -> int:
    """Return the whole seconds until a bucket is above nothing again."""
    return 0 if left > 0 else int(-left / a_minute * 60) + 1
