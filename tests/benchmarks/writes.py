"""How long writes take until they are durable: small ones on the article and on 1,000 quads, and a graph of 50,000 triples."""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from writers import Writer, dataset_file, writer


def milliseconds(write: Callable[[int], object], times: int) -> dict[str, float]:
    """Return median and slowest of some writes."""
    found = []
    for number in range(times):
        started = time.perf_counter()
        write(number)
        found.append((time.perf_counter() - started) * 1000)
    return {"median_ms": round(statistics.median(found), 1), "slowest_ms": round(max(found), 1)}


def small(service: Writer, times: int) -> dict[str, dict[str, float]]:
    """Time an update and a PUT of one triple."""
    service.put("urn:warm", "")

    def update(number: int) -> None:
        assert service.update(f"INSERT DATA {{ GRAPH <urn:u> {{ <urn:n> <urn:n> {number} }} }}").status == 204

    def put(number: int) -> None:
        assert service.put("urn:p", f"<urn:n> <urn:n> {number} .").status in (201, 204)

    return {"update of a triple": milliseconds(update, times), "put of a triple": milliseconds(put, times)}


def large(service: Writer, times: int) -> dict[str, float]:
    """Time a PUT of 50,000 triples, each time other ones."""

    def put(number: int) -> None:
        lines = (f'<urn:s:{n // 5}> <urn:p:{n % 5}> "{n} {number}" .\n' for n in range(50_000))
        assert service.put("urn:large", "".join(lines)).status in (201, 204)

    return milliseconds(put, times)


def main() -> None:
    """Print the times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=30)
    times = parser.parse_args().times
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        with writer(where) as service:
            found["beside the article"] = small(service, times)
        with writer(where, dataset_file(where, 1000), folder=where / "alone") as service:
            found["1,000 quads"] = small(service, times)
            found["put of 50,000 triples"] = large(service, max(3, times // 6))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
