"""Workers are killed at random under load (goal G3): only a request on a killed worker may fail, and it is told so."""

import http.client
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

from conftest import Client, serve, stop
from procfs import children, holds_within, loader, processor_ticks, workers

pytestmark = pytest.mark.alone

KILLS = 100
CLIENTS = 3
ENVIRONMENT = {"SUASION_CLIENT_SECONDS_PER_MINUTE": "0", "SUASION_LOG_FORMAT": "none"}
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


@dataclass(frozen=True, slots=True)
class Service:
    pid: int
    client: Client


@pytest.fixture
def service() -> Iterator[Service]:
    process, port = serve("--workers", "3", "--deadline-seconds", "5", environment=ENVIRONMENT)
    yield Service(process.pid, Client(port))
    stop(process)


@dataclass(slots=True)
class Load:
    """A client that asks small questions, each another, and checks each answer."""

    port: int
    number: int
    ended: threading.Event
    answered: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        count = self.number
        while not self.ended.is_set():
            count += CLIENTS
            query = f"SELECT (COUNT(*) + {count} AS ?n) WHERE {{ VALUES ?x {{ 1 2 3 }} }}"
            try:
                connection.request("GET", f"/sparql?query={quote(query)}", headers={"User-Agent": f"load {self.number}"})
                response = connection.getresponse()
                document = json.loads(response.read())
            except (OSError, ValueError, http.client.HTTPException) as error:
                self.wrong.append(repr(error))
                connection.close()
                continue
            if response.status != 200:
                self.refused.append((response.status, str(document.get("type", "")).rpartition("/")[2]))
            elif document["results"]["bindings"][0]["n"]["value"] != str(count + 3):
                self.wrong.append(f"{count + 3} awaited, got {document}")
            else:
                self.answered += 1
        connection.close()


def kill_one(service: Service, random_: random.Random) -> bool:
    """Kill a worker, any; say whether there was one."""
    found = workers(service.pid)
    if not found:
        return False
    try:
        os.kill(random_.choice(found), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def small(service: Service, number: int) -> int:
    return service.client.get("/sparql", query=f"SELECT ({number} AS ?n) WHERE {{ }}").status


def capacity_is_back(service: Service, before: int) -> bool:
    """Ask until there are as many workers as before: an idle one that was killed may be missed when it is needed only."""
    numbers = iter(range(1_000_000))

    def is_back() -> bool:
        statuses = [small(service, next(numbers)) for _ in range(before)]
        statuses += [service.client.get("/memberships", limit=1, offset=next(numbers) % 30).status for _ in range(before)]
        return len(workers(service.pid)) >= before and set(statuses) == {200}

    return holds_within(5, is_back)


def test_only_requests_on_killed_workers_fail(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    before, held_by = len(workers(service.pid)), loader(service.pid)
    random_ = random.Random(3)  # noqa: S311
    ended = threading.Event()
    loads = [Load(service.client.port, number, ended) for number in range(CLIENTS)]
    threads = [threading.Thread(target=load.run) for load in loads]
    for thread in threads:
        thread.start()
    kills, give_up = 0, time.monotonic() + 30
    while kills < KILLS and time.monotonic() < give_up:
        time.sleep(0.05)
        kills += kill_one(service, random_)
    time.sleep(0.5)
    ended.set()
    for thread in threads:
        thread.join()
    refused = [one for load in loads for one in load.refused]
    answered = sum(load.answered for load in loads)
    with capsys.disabled():
        said = ", ".join(f"{count} × {status} {name}" for (status, name), count in sorted(Counter(refused).items())) or "none"
        sys.stdout.write(f"\n{kills} kills, {answered:,} right answers, failed: {said}\n")
    assert kills == KILLS
    assert [wrong for load in loads for wrong in load.wrong] == []
    assert len(refused) <= kills
    assert set(refused) <= {(500, "WorkerDied"), (503, "WorkerDied"), (502, "WorkerDied")}
    assert answered > KILLS
    assert loader(service.pid) == held_by
    assert capacity_is_back(service, before)


def test_idle_workers_that_are_killed_are_missed_by_nobody(service: Service) -> None:
    before = len(workers(service.pid))
    for round_ in range(5):
        for worker in workers(service.pid):
            os.kill(worker, signal.SIGKILL)
        time.sleep(0.3)
        assert [small(service, 100 * round_ + n) for n in range(10)] == [200] * 10
        assert service.client.get("/memberships", limit=1, offset=round_).status == 200
    assert capacity_is_back(service, before)


def test_workers_killed_at_birth_do_not_take_the_service_along(service: Service) -> None:
    """Each is killed as soon as it is seen, some before the process that forks them could name them to others."""
    before, held_by = len(workers(service.pid)), loader(service.pid)
    ended = threading.Event()
    load = Load(service.client.port, 0, ended)
    asking = threading.Thread(target=load.run)  # who is killed is replaced when it is missed
    asking.start()
    ends = time.monotonic() + 5
    killed: set[int] = set()
    while time.monotonic() < ends:
        for worker in children(held_by):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                killed.add(worker)
    ended.set()
    asking.join()
    assert len(killed) > 10 * before
    assert loader(service.pid) == held_by
    assert capacity_is_back(service, before)


def test_a_heavy_query_whose_worker_is_killed_is_told_at_once_and_alone(service: Service) -> None:
    before = len(workers(service.pid))
    outcomes: dict[str, tuple[int, str, float]] = {}

    def ask(name: str) -> None:
        started = time.monotonic()
        reply = service.client.send("GET", f"/sparql?query={quote(ENDLESS + '#' + name)}", {"User-Agent": name})
        outcomes[name] = (reply.status, str(reply.json()["type"]).rpartition("/")[2], time.monotonic() - started)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("one", "another")]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    busiest = max(workers(service.pid), key=processor_ticks)
    os.kill(busiest, signal.SIGKILL)
    assert [small(service, n) for n in range(10)] == [200] * 10
    for thread in threads:
        thread.join()
    (first, second) = sorted(outcomes.values(), key=lambda outcome: outcome[2])
    assert first[0] >= 500 and first[1] == "WorkerDied" and first[2] < 4.5
    assert second[:2] == (504, "TimedOut")
    assert capacity_is_back(service, before)
