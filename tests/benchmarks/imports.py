"""How fast tables become datasets, and datasets are loaded, beside a plain load of the same N-Quads into one store."""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SDMX = "http://purl.org/linked-data/sdmx/2009/dimension#"
DEF = "https://w3id.org/suasion/def#"
STATES = ("JPN", "CHN", "THA", "IDN", "VNM", "KHM", "MMR", "PHL", "MYS", "SGP", "USA", "XXX")
PLAIN_LOAD = """
import io, sys, pyoxigraph as ox
from backports import zstd
lines = zstd.decompress(open(sys.argv[1], "rb").read())
ox.Store().bulk_load(input=io.BytesIO(lines), format=ox.RdfFormat.N_QUADS)
"""
SERVED_LOAD = """
import sys, pyoxigraph as ox
from pathlib import Path
from suasion import observations
from suasion.loading import Dataset
observations.add(Dataset(ox.Store(), ox.Store()), Path(sys.argv[1]))
"""


def mapping(name: str, columns: list[dict[str, object]]) -> dict[str, object]:
    """Return a mapping of a table of states, years and numbers."""
    state = {"name": "state", "titles": "state", "propertyUrl": SDMX + "refArea", DEF + "identifierScheme": "iso3166-1-alpha3"}
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:identifier": name,
        "dc:title": "Toys",
        "dc:source": {"@id": "https://example.org/toys"},
        "dc:license": {"@id": "https://creativecommons.org/publicdomain/zero/1.0/"},
        "tableSchema": {"aboutUrl": "#{serial}-{state}-{year}", "columns": [{"titles": "serial"}, state, *columns]},
    }


def numbers(*titles: str) -> list[dict[str, object]]:
    """Return columns of numbers, each a measure."""
    return [{"titles": title, "datatype": "decimal", "rdf:type": {"@id": "qb:MeasureProperty"}} for title in titles]


YEAR: dict[str, object] = {"titles": "year", "datatype": "gYear"}
MEASURES = tuple(f"toys{number}" for number in range(9))
YEARS = tuple(map(str, range(1960, 2025)))
PATTERN = {key: value for key, value in numbers("toys")[0].items() if key != "titles"} | {"name": "toys"}
TABLES: dict[str, tuple[dict[str, object], tuple[str, ...], int]] = {
    "4 columns": (mapping("four", [YEAR, *numbers("toys")]), ("serial", "state", "year", "toys"), 1),
    "12 columns": (mapping("twelve", [YEAR, *numbers(*MEASURES)]), ("serial", "state", "year", *MEASURES), 1),
    "a column for each of 65 years": (
        mapping(
            "wide",
            [PATTERN | {DEF + "headingPattern": "[0-9]{4}"}, {"name": "year", "virtual": True, "datatype": "gYear"}],
        ),
        ("serial", "state", *YEARS),
        len(YEARS),
    ),
}


def write(path: Path, head: tuple[str, ...], rows: int) -> None:
    """Write a table of so many rows."""
    texts = [f"{(number * 7919 + 17) % 999_983 * 1_000_003 / 1000:.3f}" for number in range(10_000)]
    made: dict[str, Callable[[int], str]] = {
        "serial": str,
        "state": lambda row: STATES[row % len(STATES)],
        "year": lambda row: str(1900 + row % 120),
    }
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(head)
        writer.writerows(
            [made[title](row) if title in made else texts[(row * 7 + place) % len(texts)] for place, title in enumerate(head)]
            for row in range(rows)
        )


def timed(*arguments: str) -> tuple[float, float]:
    """Run Python; return the wall time and the processor time that it took, in seconds."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    subprocess.run([sys.executable, *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(folder: Path, rows: int) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield for each table what its import took, and its loads: as a service loads it, and into one store alone."""
    for name, (described, head, times) in TABLES.items():
        table, kept = folder / "table.csv", folder / str(described["dc:identifier"])
        write(table, head, rows // times)
        (folder / "mapping.json").write_text(json.dumps(described), encoding="utf-8")
        command = ("-m", "suasion", "datasets", "add", str(table), "--mapping", str(folder / "mapping.json"))
        added = timed(*command, "--datasets", str(kept))
        manifest = json.loads((kept / f"{described['dc:identifier']}.json").read_bytes())
        plain = timed("-c", PLAIN_LOAD, str(next(kept.glob("*.nq.zst"))))
        served = timed("-c", SERVED_LOAD, str(kept))
        yield (
            name,
            {
                "rows": manifest["rows"],
                "quads": manifest["quads"],
                "rows_a_second": {"wall": round(manifest["rows"] / added[0]), "processor": round(manifest["rows"] / added[1])},
                "import_to_plain_load": {"wall": round(added[0] / plain[0], 2), "processor": round(added[1] / plain[1], 2)},
                "served_load_to_plain_load": {
                    "wall": round(served[0] / plain[0], 2),
                    "processor": round(served[1] / plain[1], 2),
                },
                "plain_load_quads_a_second": {
                    "wall": round(manifest["quads"] / plain[0]),
                    "processor": round(manifest["quads"] / plain[1]),
                },
            },
        )


def main() -> None:
    """Print the rates as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        json.dump(dict(measured(Path(folder), rows)), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
