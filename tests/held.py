"""A service under load for some time, with every answer compared with the first one to the same request."""

import asyncio
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import httpx

from procfs import loader, resident_bytes, workers

_PAGES = (
    "/",
    "/queries",
    "/actors",
    "/agreements.csv",
    "/claims?limit=20",
    "/claims.html?section=1",
    "/entity?thing=actor:japan",
    "/facets",
    "/flows.html?donor=actor:japan",
    "/flows.jsonld?donor=actor:china",
    "/healthz",
    "/matrix?actor=actor:china",
    "/search?text=mekong",
    "/suggest?text=fuk",
    "/timeline?limit=50&offset=50",
)
_LIGHT = "SELECT ?p ?o WHERE {{ <https://w3id.org/suasion/id/actor/{}> ?p ?o }}"
_ACTORS = ("japan", "china", "asean", "cambodia", "thailand", "vietnam", "united-states", "jica")
_HEAVY = "SELECT (COUNT(*) AS ?n) WHERE {{ ?s ?p ?o ; ?q ?r . FILTER(STRLEN(CONCAT(STR(?o), STR(?r))) > {}) }}"
_TIME = re.compile(rb'/receipts/[\w-]+|"receipt": \{[^}]*\}|accessed [\d-]+|urldate = \{+[\d-]+')  # when it was answered
_SHARES = (70, 25, 5)


@dataclass(slots=True)
class Outcome:
    """What came of a load: answers by status, those that were wrong or said to lack what came late, memory and open files."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    late: int = 0
    slowest_seconds: float = 0.0
    resident_bytes: list[int] = field(default_factory=list)
    open_files: list[int] = field(default_factory=list)


def requests(random_: random.Random) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield paths with their parameters: of a hundred 70 pages and curated answers, 25 light queries and 5 heavy ones."""
    while True:
        (kind,) = random_.choices(("page", "light", "heavy"), _SHARES)
        if kind == "page":
            yield random_.choice(_PAGES), {}
        elif kind == "light":
            yield "/sparql", {"query": _LIGHT.format(random_.choice(_ACTORS))}
        else:
            yield "/sparql", {"query": _HEAVY.format(random_.randrange(40))}


def held(pid: int, port: int, clients: int, seconds: float, settle_seconds: float = 0, seed: int = 1) -> Outcome:
    """Put a service under load from some clients, each with one connection, and say what came of it.

    Memory and open files, of its processes together, are noted every second once the load has settled. An answer may be
    refused with 503 and a time to come again, or with 504 once its time is up; any other error is wrong.
    """
    return asyncio.run(_held(pid, port, clients, seconds, settle_seconds, seed))


async def _held(pid: int, port: int, clients: int, seconds: float, settle_seconds: float, seed: int) -> Outcome:
    outcome = Outcome()
    first: dict[str, str] = {}
    verify = httpx.create_ssl_context()  # made once: each client would make its own
    ends = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            wanted = requests(random.Random(seed + number))  # noqa: S311
            client = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers={"User-Agent": f"load {number}"}, timeout=60, verify=verify
            )
            group.create_task(_asking(client, wanted, first, ends, outcome))
        group.create_task(_watching(pid, ends, settle_seconds, outcome))
    return outcome


async def _asking(
    client: httpx.AsyncClient, wanted: Iterator[tuple[str, dict[str, str]]], first: dict[str, str], ends: float, outcome: Outcome
) -> None:
    async with client:
        for path, parameters in itertools.takewhile(lambda _: time.monotonic() < ends, wanted):
            started = time.monotonic()
            try:
                reply = await client.get(path, params=parameters or None)
            except httpx.TransportError as error:
                outcome.wrong.append(f"{error!r}: {path} {parameters} after {time.monotonic() - started:.1f} s")
                continue
            took = time.monotonic() - started
            outcome.slowest_seconds = max(outcome.slowest_seconds, took)
            outcome.requests += 1
            outcome.statuses[reply.status_code] += 1
            key = f"{path} {parameters}"
            if reply.status_code == 200 and path == "/" and "etag" not in reply.headers:
                outcome.late += 1  # the front page says what came too late to be on it, and is made anew for the next reader
            elif reply.status_code == 200:
                digest = sha256(_TIME.sub(b"", reply.content)).hexdigest()
                if first.setdefault(key, digest) != digest:
                    outcome.wrong.append(f"another answer: {key}")
            elif not _is_told(reply, took):
                outcome.wrong.append(f"{reply.status_code}: {key}: {reply.text[:200]}")


def _is_told(reply: httpx.Response, took: float) -> bool:
    """Say whether a request was refused as announced: come again later, or out of time when the time was up."""
    deadline = float(reply.headers.get("suasion-deadline-seconds", "inf"))
    return (reply.status_code == 503 and "retry-after" in reply.headers) or (reply.status_code == 504 and took >= deadline)


async def _watching(pid: int, ends: float, settle_seconds: float, outcome: Outcome) -> None:
    await asyncio.sleep(settle_seconds)
    while time.monotonic() < ends:
        everyone = (pid, loader(pid), *workers(pid))
        outcome.resident_bytes.append(resident_bytes(pid))
        outcome.open_files.append(sum(_open_files(one) for one in everyone[:2]))
        await asyncio.sleep(1)


def _open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
