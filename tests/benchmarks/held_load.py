"""Hold a load of pages, curated answers, light and heavy queries, and say what came of it, as JSON.

Wrong are answers that differ from the first one to the same request, and errors other than a refusal with a time to come again.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import serve, stop
from held import held


def main() -> int:
    """Print the outcome; return 1 when an answer was wrong, or memory or open files left a tenth of their median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--settle-seconds", type=float, default=300)
    options = parser.parse_args()
    process, port = serve(environment={"SUASION_CLIENT_SECONDS_PER_MINUTE": "0", "SUASION_LOG_FORMAT": "none"})
    try:
        outcome = held(process.pid, port, options.clients, options.seconds, options.settle_seconds)
    finally:
        stop(process)
    settled = {"resident_bytes": sorted(outcome.resident_bytes), "open_files": sorted(outcome.open_files)}
    spread = {name: {"least": all_[0], "median": all_[len(all_) // 2], "most": all_[-1]} for name, all_ in settled.items()}
    report = {
        "requests": outcome.requests,
        "statuses": dict(sorted(outcome.statuses.items())),
        "wrong": dict(Counter(outcome.wrong).most_common(20)),
        "late": outcome.late,
        "slowest_seconds": round(outcome.slowest_seconds, 3),
        **spread,
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    steady = all(0.9 * one["median"] <= one["least"] and one["most"] <= 1.1 * one["median"] for one in spread.values())
    return int(bool(outcome.wrong) or not steady)


if __name__ == "__main__":
    sys.exit(main())
