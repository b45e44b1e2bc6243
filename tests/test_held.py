"""A short load of all kinds of requests, while the time of day jumps: no wrong answer, and no more memory or open files."""

import os
import re
import shutil
import time
from pathlib import Path

import pytest

from conftest import Client, serve
from held import clocked, held

SECONDS = 8.0
CLIENTS = 16


@pytest.mark.skipif(shutil.which("faketime") is None and "CI" not in os.environ, reason="needs faketime")
def test_answers_stay_right_under_load_while_the_time_of_day_jumps(tmp_path: Path) -> None:
    """Deadlines, shares and rests are measured by clocks that never jump."""
    clock = tmp_path / "clock"
    environment = {"SUASION_CLIENT_SECONDS_PER_MINUTE": "0", "SUASION_LOG_FORMAT": "none", **clocked(clock)}
    process, port = serve(environment=environment)
    try:
        client = Client(port)
        clock.write_text("+1d")
        reply = client.get("/actors.json", limit=1)
        assert str(reply.json()["receipt"]).find(time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))) > 0, "no jump"
        outcome = held(process.pid, port, CLIENTS, SECONDS, settle_seconds=SECONDS / 2, clock=clock)
        queue = re.findall(r"suasion_queue_seconds_total\S+ (\S+)", client.get("/metrics").body.decode())
    finally:
        process.kill()  # its orderly end is not what is looked at, and the library of the clock may hold it up
        process.communicate()
    assert outcome.wrong == []
    assert set(outcome.statuses) <= {200, 503, 504}
    assert outcome.statuses[200] > max(10, outcome.statuses[503])
    assert max(outcome.open_files) < min(outcome.open_files) + 4 * CLIENTS
    assert all(0 <= float(seconds) < 600 for seconds in queue) and queue
