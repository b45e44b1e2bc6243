"""Kill a service that writes, many times, and say what came of it: nothing acknowledged may be lost, torn or left over."""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kills import killed


def main() -> int:
    """Print the outcome as JSON; return 1 when something was lost, torn or left over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = killed(Path(folder), options.kills, options.seed)
    sys.stdout.write(json.dumps(asdict(outcome), indent=2) + "\n")
    return int(bool(outcome.lost or outcome.torn or outcome.leftovers))


if __name__ == "__main__":
    sys.exit(main())
