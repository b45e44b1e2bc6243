"""What those who run the service see: ids, logs, metrics, health; and what no client can make it say."""

import asyncio
import io
import itertools
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from conftest import ROOT, Client, serve, stop
from suasion import operation
from suasion.accesslog import AccessLog, Pseudonyms, opened
from suasion.clients import Scope, client_address, note_client
from suasion.errors import NotReady
from suasion.metrics import LaneReading, Metrics, Reading
from suasion.observation import Observation
from suasion.operation import refuse_unready
from suasion.settings import Settings

EVIL = "evil.example"
HOST = "suasion.test"


@dataclass(frozen=True, slots=True)
class Logged:
    """A service behind one proxy, known under one name, whose log goes to a file."""

    client: Client
    log: Path
    process: int

    def line(self, identifier: str) -> dict[str, object]:
        for _ in range(100):
            for line in self.log.read_text(encoding="utf-8").splitlines():
                document = json.loads(line)
                assert isinstance(document, dict)
                if document["id"] == identifier:
                    return document
            time.sleep(0.02)
        raise AssertionError(f"{identifier} is not in the log")

    def samples(self) -> dict[tuple[str, ...], float]:
        text = self.client.send("GET", "/metrics", {"Host": HOST}).body.decode()
        return {
            (sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    log = tmp_path_factory.mktemp("log") / "access.jsonl"
    environment = {"SUASION_HOSTS": f"{HOST}, [::1]", "SUASION_TRUSTED_PROXIES": "1", "SUASION_LOG_CLIENT": "address"}
    with log.open("w") as stream:
        process, port = serve(environment={**environment, "SUASION_LOG_FORMAT": "json"}, log=stream)
    yield Logged(Client(port), log, process.pid)
    stop(process)


# ── Ids and logs ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", ["a", "A-1", "x" * 64])
def test_an_id_of_good_form_is_kept(client: Client, given: str) -> None:
    assert client.send("GET", "/healthz", {"X-Request-Id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a_b", "ä", '"', "a\tb", "../x"])
def test_any_other_id_is_replaced(client: Client, given: str) -> None:
    echoed = client.send("GET", "/healthz", {"X-Request-Id": given}).headers["x-request-id"]
    assert echoed != given and len(echoed) == 32


def test_a_log_line_tells_the_route_and_not_the_query(logged: Logged) -> None:
    headers = {"Host": HOST, "X-Request-Id": "line-1", "X-Forwarded-For": "6.6.6.6, 192.0.2.7"}
    reply = logged.client.send("GET", "/robots.txt?secret=1", headers)
    line = logged.line("line-1")
    assert set(line) == {"time", "id", "method", "route", "status", "milliseconds", "bytes", "outcome", "client"}
    assert line["route"] == "/robots.txt"
    assert (line["method"], line["status"], line["bytes"]) == ("GET", 200, len(reply.body))
    assert (line["outcome"], line["client"]) == ("ok", "192.0.2.7")
    assert str(line["time"]).endswith("Z") and isinstance(line["milliseconds"], float)
    assert "secret" not in logged.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("method", "path", "route", "outcome"),
    [
        ("GET", "/none", "none", "refused"),
        ("GET", "/claims?foo=1", "/claims", "UnknownParameter"),
        ("OPTIONS", "/claims", "/claims", "ok"),
        ("HEAD", "/claims?limit=1", "/claims", "ok"),
        ("GET", "/sparql?query=nonsense", "/sparql", "BadQuery"),
    ],
)
def test_a_log_line_tells_the_outcome(logged: Logged, method: str, path: str, route: str, outcome: str) -> None:
    identifier = f"outcome-{abs(hash((method, path)))}"
    logged.client.send(method, path, {"Host": HOST, "X-Request-Id": identifier})
    line = logged.line(identifier)
    assert (line["route"], line["outcome"]) == (route, outcome)


def test_a_hashed_client_is_the_same_within_a_run_only() -> None:
    names = Pseudonyms()
    assert names.name("192.0.2.1") == names.name("192.0.2.1") != names.name("192.0.2.2")
    assert Pseudonyms().name("192.0.2.1") != names.name("192.0.2.1")


@pytest.mark.alone
def test_a_full_pipe_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suasion.accesslog.MOST_WAITING", 10)
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        log = AccessLog(stream)
        started = time.monotonic()
        for _ in range(1000):
            log.write({"text": "x" * 10_000})
        assert time.monotonic() - started < 2
        assert log.dropped > 900
        log.close()
        os.set_blocking(reader, False)
        while log._thread and log._thread.is_alive():
            try:
                os.read(reader, 1 << 20)
            except BlockingIOError:
                time.sleep(0.001)
            log.close()
    os.close(reader)


def test_no_log_is_none() -> None:
    assert opened(Settings(log_format="none")) is None
    assert opened(Settings(log_format="json")) is not None


def test_a_fault_of_the_service_is_a_problem_with_its_id_and_a_line_with_its_cause() -> None:
    lines: list[dict[str, object]] = []

    class Log(AccessLog):
        def write(self, fields: object) -> None:
            assert isinstance(fields, dict)
            lines.append(fields)

    async def broken(_: object, __: object, ___: object) -> None:
        raise ZeroDivisionError("a secret")

    sent: list[dict[str, object]] = []

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"x-request-id", b"id-1")], "client": ("192.0.2.1", 1)}
    layer = Observation(broken, Settings(), Metrics(Reading), Log(io.StringIO()))
    asyncio.run(layer(scope, receive, send))
    assert sent[0]["status"] == 500
    problem = json.loads(sent[1]["body"])  # type: ignore[arg-type]
    assert problem["request_id"] == "id-1" and "secret" not in str(problem)
    assert lines[0]["outcome"] == "Failed" and "ZeroDivisionError: a secret" in str(lines[0]["failure"])


# ── Metrics and health ───────────────────────────────────────────────────────


def test_metrics_parse_and_count(logged: Logged) -> None:
    name = ("suasion_requests_total", "outcome=ok", "route=/healthz", "status=200")
    before = logged.samples()
    for _ in range(3):
        logged.client.send("GET", "/healthz", {"Host": HOST})
    after = logged.samples()
    assert after[name] == before.get(name, 0) + 3
    assert after["suasion_request_seconds_count", "route=/healthz"] >= 3
    assert after["suasion_response_bytes_total", "route=/healthz"] > 300
    assert after["suasion_workers_living",] >= 1
    digest = str(logged.client.send("GET", "/healthz", {"Host": HOST}).json()["dataset"])
    assert after["suasion_generation_info", f"digest={digest}"] == 1


def test_routes_in_metrics_are_templates_only(logged: Logged) -> None:
    for path in ("/x1", "/x2", "/queries/x3", "/queries/x4"):
        logged.client.send("GET", path, {"Host": HOST})
    assert not any(f"x{number}" in label for key in logged.samples() for label in key for number in (1, 2, 3, 4))


def test_the_state_of_the_engine_is_told() -> None:
    lanes = {"public": LaneReading(idle=1, waiting=4, waited_seconds=1.5, slow=2)}
    services = {"https://example.org/sparql": True}
    metrics = Metrics(lambda: Reading("ab", True, 3, lambda: 2, lanes, {"answered": 5}, services, lambda: 6))
    text = metrics.exposition("")[0].decode()
    assert 'suasion_queries_waiting{lane="public"} 4.0' in text
    assert 'suasion_queue_seconds_total{lane="public"} 1.5' in text
    assert 'suasion_workers_slow{lane="public"} 2.0' in text
    assert 'suasion_service_resting{endpoint="https://example.org/sparql"} 1.0' in text
    assert "suasion_free_bytes 6.0" in text
    assert 'suasion_queries_total{event="answered"} 5.0' in text
    assert 'suasion_workers_idle{lane="public"} 1.0' in text
    assert "suasion_workers_living 2.0" in text


def test_the_metrics_of_the_documentation_are_those_that_there_are() -> None:
    listed = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    table = listed.partition("## Metrics")[2].partition("## ")[0]
    named = set(re.findall(r"`(suasion_\w+)`", table))
    metrics = Metrics(lambda: Reading(digest="ab", free_bytes=lambda: 6))
    text = metrics.exposition("")[0].decode()
    there = {f"suasion_{name}" for name in re.findall(r"(?m)^# TYPE suasion_(\w+) ", text) if not name.endswith("_created")}
    assert named == there


def test_health_asks_the_kernel_nothing() -> None:
    asked: list[str] = []

    def living() -> int:
        asked.append("living")
        return 1

    app = FastAPI()
    operation.equip(app, Settings(), lambda: Reading(loaded=True, living=living), None)
    for path, expected in (("/healthz", 0), ("/readyz", 1), ("/metrics", 1)):
        asked.clear()
        assert asyncio.run(status(app, path)) == 200
        assert len(asked) == expected, path


async def status(app: FastAPI, path: str) -> int:
    """Return the status of an answer to GET."""
    sent: list[dict[str, object]] = []

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "client": ("192.0.2.1", 1),
    }
    await app(scope, receive, send)
    number = sent[0]["status"]
    assert isinstance(number, int)
    return number


def test_each_application_has_its_own_metrics() -> None:
    one, other = Metrics(Reading), Metrics(Reading)
    one.served("/", "200", "ok", 0.1, 1)
    assert b'route="/"' not in other.exposition("")[0]


def test_ready_needs_data_and_a_worker() -> None:
    refuse_unready(Reading(loaded=True, living=lambda: 1))
    for reading, cause in ((Reading(living=lambda: 1), "loaded"), (Reading(loaded=True), "worker")):
        with pytest.raises(NotReady, match=cause):
            refuse_unready(reading)


def test_readiness_follows_the_workers_and_health_the_loop() -> None:
    process, port = serve()
    client = Client(port)
    assert client.get("/readyz").status == 200
    (loader,) = children(process.pid)
    os.kill(loader, signal.SIGSTOP)  # it forks no new ones
    for worker in children(loader):
        os.kill(worker, signal.SIGKILL)
    wait_for(lambda: not children(loader))
    reply = client.get("/readyz")
    assert reply.status == 503
    assert reply.headers["content-type"] == "application/problem+json"
    assert "worker" in str(reply.json()["detail"])
    assert client.get("/healthz").status == 200
    os.kill(loader, signal.SIGCONT)
    assert client.get("/claims", limit=1).status == 200
    assert client.get("/readyz").status == 200
    stop(process)


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def wait_for(met: Callable[[], bool]) -> None:
    for _ in range(100):
        if met():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 5 s")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_answers_head(client: Client, path: str) -> None:
    reply = client.send("HEAD", path)
    assert (reply.status, reply.body) == (200, b"")


# ── Hosts, proxies, paths ────────────────────────────────────────────────────


FORWARDED = [
    {},
    {"X-Forwarded-Host": EVIL},
    {"X-Forwarded-Proto": "gopher", "X-Forwarded-Host": EVIL, "X-Forwarded-Prefix": f"//{EVIL}"},
    {"Forwarded": f"for=6.6.6.6;host={EVIL};proto=https", "X-Original-URL": f"//{EVIL}/"},
]
HOSTS = [EVIL, f"{EVIL}:80", f"{EVIL}@127.0.0.1", f"127.0.0.1.{EVIL}", "", f"https://{EVIL}"]
PATHS = ["/", "/claims?limit=1", "/claims/", "//evil.example/", "//evil.example/claims", "/%2Fevil.example", "/none", "/sparql"]


@pytest.mark.parametrize(("forwarded", "host"), list(itertools.product(FORWARDED, HOSTS)))
def test_nothing_answered_comes_from_host_or_forwarded(client: Client, forwarded: dict[str, str], host: str) -> None:
    for path in PATHS:
        reply = client.send("GET", path, {**forwarded, "Host": host})
        assert EVIL not in str(reply.headers) + reply.body.decode(), path
        assert "location" not in reply.headers
        assert reply.status == 404 if path.startswith(("//", "/%2F")) else reply.status < 500


@pytest.mark.parametrize("host", [*HOSTS, "suasion.test.evil.example", "xsuasion.test", "suasion.test:x", "suasion.test:80:80"])
def test_an_unknown_host_is_400(logged: Logged, host: str) -> None:
    for path in PATHS:
        reply = logged.client.send("GET", path, {"Host": host})
        assert reply.status == 400
        assert EVIL not in str(reply.headers) + reply.body.decode()


@pytest.mark.parametrize("host", [HOST, "Suasion.TEST", f"{HOST}:8000", "[::1]", "[::1]:80"])
def test_a_known_host_is_answered(logged: Logged, host: str) -> None:
    assert logged.client.send("GET", "/healthz", {"Host": host}).status == 200


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (0, ["6.6.6.6"], "127.0.0.1"),
        (1, [], "127.0.0.1"),
        (1, ["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        (1, ["6.6.6.6", "192.0.2.1"], "192.0.2.1"),
        (2, ["6.6.6.6, 192.0.2.1, 10.0.0.1"], "192.0.2.1"),
        (2, ["192.0.2.1"], "192.0.2.1"),
        (2, ["nonsense, 10.0.0.1"], "10.0.0.1"),
        (1, ["nonsense"], "127.0.0.1"),
        (1, ["192.0.2.1:4711"], "192.0.2.1"),
        (1, ["[2001:DB8::1]:4711"], "2001:db8::1"),
        (1, ["::ffff:192.0.2.1"], "192.0.2.1"),
        (3, [", ".join(["6.6.6.6"] * 1000 + ["192.0.2.1", "10.0.0.1", "10.0.0.2"])], "192.0.2.1"),
    ],
)
def test_the_client_is_who_the_trusted_proxies_saw(hops: int, forwarded: list[str], expected: str) -> None:
    scope: Scope = {"client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded]}
    assert client_address(scope) == "127.0.0.1"
    note_client(scope, hops)
    assert client_address(scope) == expected


# ── Browsers ─────────────────────────────────────────────────────────────────


def test_pages_have_a_policy_and_nothing_inline(client: Client) -> None:
    reply = client.get("/")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert reply.headers["referrer-policy"] == "same-origin"
    page = reply.body.decode()
    assert not re.search(r"<style|<script(?! type=\"module\" src=\"/static/)|\sstyle=|\son\w+=|javascript:", page)
    sheet = client.get("/static/suasion.css")
    assert sheet.status == 200 and sheet.headers["content-type"].startswith("text/css")
    assert '<link rel="stylesheet" href="/static/suasion.css">' in page


@pytest.mark.parametrize("path", ["/", "/claims?limit=1", "/none", "/metrics", "//x", "/static/suasion.css"])
def test_no_type_is_guessed(client: Client, path: str) -> None:
    assert client.get(path).headers["x-content-type-options"] == "nosniff"
