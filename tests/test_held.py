"""A short load of all kinds of requests: no wrong answer, and no more open files."""

import pytest

from conftest import serve, stop
from held import held

pytestmark = pytest.mark.alone

SECONDS = 8.0
CLIENTS = 16


def test_answers_stay_right_under_load() -> None:
    environment = {"SUASION_CLIENT_SECONDS_PER_MINUTE": "0", "SUASION_LOG_FORMAT": "none"}
    process, port = serve(environment=environment)
    try:
        outcome = held(process.pid, port, CLIENTS, SECONDS, settle_seconds=SECONDS / 2)
    finally:
        stop(process)
    assert outcome.wrong == []
    assert set(outcome.statuses) <= {200, 503, 504}
    assert outcome.statuses[200] > max(10, outcome.statuses[503])
    assert max(outcome.open_files) < min(outcome.open_files) + 4 * CLIENTS
