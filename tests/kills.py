"""A service that writes, killed at random moments, started again, and compared with what it had acknowledged."""

import json
import os
import random
import re
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from conftest import Client, serve, stop
from procfs import loader, workers
from suasion.generations import KEPT
from writers import QUIET, Writer, dataset_file, token_file

_SNAPSHOT = re.compile(r"\d{10}-[0-9a-f]{64}\.nq")


@dataclass(slots=True)
class Outcome:
    """What came of some kills: writes acknowledged, starts that showed fewer or half a write, files that nobody needs."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    leftovers: int = 0
    slowest_start_seconds: float = 0.0


def killed(where: Path, kills: int, seed: int) -> Outcome:
    """Kill a whole service that many times while it writes.

    Each write adds two triples in one update, so that a torn one would show.
    """
    random_ = random.Random(seed)  # noqa: S311
    outcome = Outcome()
    first = dataset_file(where, 200)
    tried = 0
    for _ in range(kills):
        service = _started(where, first, outcome)
        tried = _compared(service, outcome, tried)
        writes = _Writes(service, tried)
        thread = threading.Thread(target=writes.run)
        thread.start()
        time.sleep(random_.uniform(0.05, 0.6))
        held = loader(service.process.pid)
        everyone = [service.process.pid, held, *workers(service.process.pid)]
        for pid in random_.sample(everyone, len(everyone)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        writes.ended.set()
        thread.join()
        service.process.wait()
        assert service.process.stdout
        service.process.stdout.close()
        outcome.kills += 1
        outcome.acknowledged = max(outcome.acknowledged, writes.acknowledged)
        tried = writes.tried
    service = _started(where, first, outcome)
    _compared(service, outcome, tried)
    stop(service.process)
    return outcome


def leftovers(folder: Path) -> set[str]:
    """Return the files of a folder that are neither in force nor one of the snapshots kept."""
    names = {path.name for path in folder.iterdir()} - {"lock", "dataset.json"}
    in_force = json.loads((folder / "dataset.json").read_text())["file"]
    snapshots = sorted((name for name in names if _SNAPSHOT.fullmatch(name)), reverse=True)
    return names - {name for name in snapshots[:KEPT] if name <= in_force}


@dataclass(slots=True)
class _Writes:
    """One client that writes until it fails."""

    service: Writer
    tried: int
    acknowledged: int = 0
    ended: threading.Event = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.acknowledged = self.tried
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            self.tried += 1
            number = self.tried
            triples = f"<urn:n:{number}> <urn:one> {number} . <urn:n:{number}> <urn:two> {number}"
            try:
                reply = self.service.update(f"INSERT DATA {{ GRAPH <urn:log> {{ {triples} }} }}")
            except OSError:
                return
            if reply.status != 204:
                return
            self.acknowledged = number


def _started(where: Path, first: Path, outcome: Outcome) -> Writer:
    path, (token,) = token_file(where, "tester")
    started = time.monotonic()
    process, port = serve("--writable", str(where / "data"), "--tokens", str(path), str(first), environment=QUIET)
    outcome.slowest_start_seconds = max(outcome.slowest_start_seconds, round(time.monotonic() - started, 2))
    outcome.leftovers += len(leftovers(where / "data"))
    return Writer(process, Client(port), token, where / "data")


def _compared(service: Writer, outcome: Outcome, tried: int) -> int:
    """Count what is missing or torn; return the number of the last write that is there."""
    seen = service.count("GRAPH <urn:log> { ?s <urn:one> ?n }")
    outcome.torn += seen != service.count("GRAPH <urn:log> { ?s <urn:two> ?n }")
    outcome.lost += not outcome.acknowledged <= seen <= tried
    return seen
