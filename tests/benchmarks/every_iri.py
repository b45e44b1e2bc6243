"""Follow every IRI of ours in the dataset to its document, at a running service: which do not lead to one, and how long it takes.

    PYTHONPATH=service python tests/benchmarks/every_iri.py http://127.0.0.1:8000

Each is followed as a client of linked data does: the path of the IRI, then where it leads, asking for Turtle.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from suasion import loading
from test_linked import own_iris, strays


def main(address: str) -> int:
    """Print the faults and the time, and return 1 where there are faults."""
    iris = own_iris(loading.load(Path(__file__).parents[2]))
    started = time.monotonic()
    faults = strays(int(address.rstrip("/").rpartition(":")[2]), iris)
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    seconds = time.monotonic() - started
    sys.stdout.write(f"{len(iris):,} IRIs in {seconds:.1f} s: {len(faults)} do not lead to a document\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
