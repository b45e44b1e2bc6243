"""Long answers: whole in each format and coding, flat in memory, and cut so that no client takes a part for all (goal G18)."""

import gzip
import http.client
import json
import os
import random
import signal
import socket
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox
import pytest

from conftest import Client, serve, stop, until, with_engine
from procfs import holds_within, resident_bytes, workers
from suasion.engine import Engine, Lane
from suasion.errors import TimedOut
from suasion.exchange import Question, Rest
from suasion.settings import Settings

pytestmark = pytest.mark.alone

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    import backports.zstd as zstd

MEBIBYTE = 1024 * 1024
# Rows that can hardly be compressed.
PAIRS = "{ ?a ?b ?c . ?d ?e ?f BIND(SHA512(CONCAT(STR(?a), STR(?b), STR(?c), STR(?d), STR(?e), STR(?f))) AS ?h) }"
ANSWER_BYTES = 100 * MEBIBYTE
ENVIRONMENT = {
    "SUASION_LOG_FORMAT": "json",
    "SUASION_CLIENT_SECONDS_PER_MINUTE": "0",
    "SUASION_SLOW_WORKERS": "4",
    "SUASION_ANSWER_BYTES": str(ANSWER_BYTES),
}
# One in 262,144 of them is what XML cannot carry.
RARELY = "IF(STRSTARTS(?h, '0000') && SUBSTR(?h, 5, 1) < '4', %s, %s)"
BAD_TEXT = f"SELECT ({RARELY} AS ?x) WHERE {PAIRS}" % (r"'\u0001'", "?h")
BAD_NAME = f"CONSTRUCT {{ ?a ?p ?h }} WHERE {{ {PAIRS} BIND({RARELY} AS ?p) }}" % ("<urn:e/1>", "<urn:h>")
FAULTS = 105
SEED = 20091


@dataclass(frozen=True, slots=True)
class Service:
    pid: int
    port: int
    log: Path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("streaming") / "log"
    with log.open("w") as stream:
        saved = os.dup(2)
        os.dup2(stream.fileno(), 2)
        try:
            process, port = serve(environment=ENVIRONMENT)
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        yield Service(process.pid, port, log)
        stop(process)


def rows(number: int) -> str:
    return f"SELECT ?h ?a WHERE {PAIRS} LIMIT {number}"


def triples(number: int) -> str:
    return f"CONSTRUCT {{ ?a <urn:h> ?h }} WHERE {PAIRS} LIMIT {number}"


QUERIES = {
    "application/sparql-results+json": rows,
    "application/sparql-results+xml": rows,
    "text/csv": rows,
    "text/tab-separated-values": rows,
    "text/turtle": triples,
    "application/rdf+xml": triples,
}
CODINGS = ("", "gzip", "zstd")


def asked(
    port: int, query: str, accept: str, coding: str = "", version: int = 11, more: str = "", name: str = "one"
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Send a query over a connection that takes little before it is read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection._http_vsn, connection._http_vsn_str = version, f"HTTP/1.{version % 10}"  # type: ignore[attr-defined]
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    connection.sock.settimeout(60)
    connection.sock.connect(("127.0.0.1", port))
    headers = {"Accept": accept, "User-Agent": name, **({"Accept-Encoding": coding} if coding else {})}
    connection.request("GET", f"/sparql?query={quote(query)}{more}", headers=headers)
    return connection, connection.getresponse()


def plain(body: bytes, coding: str) -> bytes:
    """Return a body without its coding. Raises EOFError for one that is cut."""
    if coding == "gzip":
        return gzip.decompress(body)
    if coding == "zstd":
        return bytes(zstd.decompress(body))
    return body


def number_of(body: bytes, accept: str) -> int:
    """Return how many rows or triples a whole document has."""
    if accept == "text/csv":
        return body.count(b"\r\n") - 1
    if accept in ("text/turtle", "application/rdf+xml"):
        return sum(1 for _ in ox.parse(body, format=ox.RdfFormat.from_media_type(accept)))
    found = ox.parse_query_results(body, format=ox.QueryResultsFormat.from_media_type(accept))
    assert isinstance(found, ox.QuerySolutions)
    return sum(1 for _ in found)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("accept", QUERIES)
def test_a_long_answer_comes_whole(service: Service, accept: str, coding: str) -> None:
    connection, response = asked(service.port, QUERIES[accept](20_000), accept, coding)
    with connection.sock:
        body = response.read()
    assert response.status == 200
    assert (response.getheader("Transfer-Encoding"), response.getheader("Content-Length")) == ("chunked", None)
    assert response.getheader("Content-Encoding", "") == coding
    assert response.getheader("Suasion-Completeness") == "complete"
    assert response.getheader("Suasion-Limit-Bytes") == str(ANSWER_BYTES)
    whole = plain(body, coding)
    assert len(whole) > 2 * MEBIBYTE
    assert number_of(whole, accept) == 20_000


def test_an_answer_within_the_spool_has_its_length(service: Service) -> None:
    connection, response = asked(service.port, rows(1000), "text/csv")
    with connection.sock:
        assert len(response.read()) == int(response.getheader("Content-Length") or 0)


def serves(service: Service) -> bool:
    return all(Client(service.port).get("/sparql", query=f"ASK {{}} # {random.random()}").status == 200 for _ in range(3))  # noqa: S311


def fault(service: Service, accept: str, coding: str, version: int, point: int) -> str:
    """Kill the workers once so many bytes of a long answer are read; return what a careful client says of the rest."""
    connection, response = asked(service.port, QUERIES[accept](500_000), accept, coding, version)
    body = b""
    try:
        assert response.status == 200
        while len(body) < point:
            body += response.read(min(65536, point - len(body)))
        for pid in workers(service.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        body += response.read()
        plain(body, coding)
    except (http.client.IncompleteRead, ConnectionError, EOFError, zlib.error, zstd.ZstdError) as error:
        return type(error).__name__
    finally:
        response.close()
        connection.close()
    return "complete"


def test_a_worker_killed_at_any_point_leaves_no_answer_that_looks_whole(service: Service) -> None:
    random_ = random.Random(SEED)  # noqa: S311
    seen = []
    cases = [(accept, coding) for accept in QUERIES for coding in CODINGS]
    for number in range(FAULTS):
        accept, coding = cases[number % len(cases)]
        version = 10 if number % 5 == 4 else 11
        point = random_.randrange(1, 3 * MEBIBYTE)
        assert holds_within(5, partial(serves, service))  # the idle ones were killed too
        seen.append((fault(service, accept, coding, version, point), accept, coding, version, point))
    assert [one for one in seen if one[0] == "complete"] == []
    # It is the framing that tells, before any coding is looked at.
    assert {one[0] for one in seen} <= {"IncompleteRead", "ConnectionResetError"}
    assert b'"outcome":"WorkerDied"' in service.log.read_bytes()
    assert holds_within(5, partial(serves, service))


def cut(service: Service, query: str, accept: str, more: str = "") -> None:
    connection, response = asked(service.port, query, accept, more=more)
    try:
        assert response.status == 200
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()
    finally:
        response.close()
        connection.close()


def told(service: Service, outcome: str) -> bool:
    """Say whether log and metrics tell an outcome of a request that was begun with 200."""
    metrics = Client(service.port).get("/metrics").body.decode()
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    return any(one["outcome"] == outcome and one["status"] == 200 for one in lines) and (
        f'outcome="{outcome}",route="/sparql",status="200"' in metrics
    )


def test_the_deadline_cuts_a_long_answer(service: Service) -> None:
    started = time.monotonic()
    cut(service, rows(10**9), "text/csv", "&timeout=1")
    assert time.monotonic() - started < 3
    assert holds_within(2, partial(told, service, "TimedOut"))


def test_the_limit_of_bytes_cuts_a_long_answer(service: Service) -> None:
    cut(service, "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f }", "application/sparql-results+xml", "&timeout=19")
    assert holds_within(2, partial(told, service, "AnswerTooLarge"))


@pytest.mark.parametrize(
    ("accept", "query"), [("application/sparql-results+xml", BAD_TEXT), ("application/rdf+xml", BAD_NAME)], ids=["text", "name"]
)
def test_xml_that_turns_out_malformed_is_cut(service: Service, accept: str, query: str) -> None:
    cut(service, query, accept)
    assert holds_within(2, partial(told, service, "NotAcceptable"))


def test_a_client_that_leaves_frees_the_place(service: Service) -> None:
    for _ in range(6):  # more than there are places
        connection, response = asked(service.port, rows(10**7), "text/csv")
        assert response.status == 200
        response.read(100_000)
        connection.close()
        time.sleep(0.05)
    assert holds_within(3, lambda: Client(service.port).get("/sparql", query=rows(30_000)).status == 200)
    assert holds_within(2, partial(told, service, "ClientLeft"))


def test_head_of_a_long_answer_has_no_body_and_ends_the_query(service: Service) -> None:
    for number in range(6):
        reply = Client(service.port).send("HEAD", "/sparql?query=" + quote(rows(10**7 + number)))
        assert (reply.status, reply.body) == (200, b"")


def test_a_long_answer_is_new_unless_the_client_has_it(service: Service) -> None:
    connection, response = asked(service.port, rows(20_001), "text/csv")
    assert len(response.read()) > MEBIBYTE
    tag = response.getheader("ETag")
    assert tag
    connection.close()
    reply = Client(service.port).send("GET", "/sparql?query=" + quote(rows(20_001)), {"Accept": "text/csv", "If-None-Match": tag})
    assert reply.status == 304


def test_memory_stays_flat_while_long_answers_are_read(service: Service) -> None:
    before = resident_bytes(service.pid)
    read, peak = [0] * 4, before

    def take(number: int) -> None:
        connection, response = asked(service.port, rows(250_000), "text/csv", name=str(number))
        while part := response.read(65536):
            read[number] += len(part)
        connection.close()

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, resident_bytes(service.pid))
        time.sleep(0.02)
    assert min(read) > 40 * MEBIBYTE
    assert peak - before < 24 * MEBIBYTE


async def read_to_end(rest: Rest) -> None:
    while await rest.part():
        pass


def test_a_reader_who_takes_nothing_holds_no_worker_past_the_deadline(bundle: Path) -> None:
    spent: list[float] = []

    async def use(engine: Engine) -> None:
        first = await engine.ask(Question(rows(10**7)), Lane.PUBLIC, "one", spent=spent.append)
        assert first.rest and first.more
        assert len(first.body) >= Settings().spool_bytes
        await until(lambda: engine.counts.timed_out == 1)
        assert [len(pool.slow) for pool in engine._pools.values()] == [0, 0]
        with pytest.raises(TimedOut):
            await read_to_end(first.rest)
        first.rest.close()
        assert (engine.counts.abandoned, engine.counts.streamed) == (0, 1)

    with_engine(bundle, use, deadline_seconds=1.0)
    assert len(spent) == 1 and 0.9 < spent[0] < 2
