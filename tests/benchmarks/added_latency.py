"""What the gate and a worker process add to a light query, as JSON: beside the same evaluation in the asking process.

Both ways take turns, query by query, each time with another text; a client asks one after the other.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import uvloop

from suasion import gate, loading
from suasion.engine import Engine, Lane
from suasion.evaluation import evaluate
from suasion.exchange import Answer, Question
from suasion.prefixes import declared
from suasion.settings import Settings
from suasion.source import Source

ROOT = Path(__file__).parents[2]
NAMES = ("in the asking process", "by gate and worker", "added")
CLAIMS = "SELECT DISTINCT ?claim WHERE { ?claim a <https://schema.org/Claim> }"


def rows(answer: Answer) -> list[dict[str, dict[str, str]]]:
    found: list[dict[str, dict[str, str]]] = json.loads(answer.body)["results"]["bindings"]
    return found


async def measured(queries: int) -> dict[str, object]:
    settings, dataset, prefixes = Settings(), loading.load(ROOT), declared(ROOT).table
    claims = [row["claim"]["value"] for row in rows(evaluate(dataset, Question(CLAIMS), prefixes, settings.answer_bytes))]
    engine = Engine(settings, Source(ROOT))
    await engine.start()
    here, there = [], []
    try:
        for number in range(queries):
            question = Question(f"SELECT ?p ?o WHERE {{ <{claims[number % len(claims)]}> ?p ?o }} # {number}")
            started = time.perf_counter()
            expected = evaluate(dataset, question, prefixes, settings.answer_bytes)
            between = time.perf_counter()
            gate.pass_through(question.query, gate.Limits())
            answer = await engine.ask(question, Lane.PUBLIC)
            ended = time.perf_counter()
            if sorted(map(str, rows(answer))) != sorted(map(str, rows(expected))):  # their order is free
                raise RuntimeError(f"a worker answers otherwise: {question.query}")
            here.append((between - started) * 1000)
            there.append((ended - between) * 1000)
    finally:
        await engine.close()
    added = [b - a for a, b in zip(here, there, strict=True)]
    times = dict(zip(NAMES, (here, there, added), strict=True))
    return {
        "unit": "milliseconds a query",
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "queries": queries,
        "median": {name: round(statistics.median(found), 3) for name, found in times.items()},
        "95 of 100": {name: round(statistics.quantiles(found, n=20)[-1], 3) for name, found in times.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=3000, help="queries asked each way (3000)")
    sys.stdout.write(json.dumps(uvloop.run(measured(parser.parse_args().queries)), indent=2) + "\n")


if __name__ == "__main__":
    main()
