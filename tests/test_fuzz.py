"""Mutants of the repository's own queries over HTTP (goal G11): none crashes anything, and each answer parses.

There are 2,000 of them, always the same; FUZZ_MUTANTS sets another number. A mutant is a query with a few bytes or a few words
changed, or two queries grown together.
"""

import csv
import http.client
import io
import json
import os
import queue
import random
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote_from_bytes
from xml.parsers import expat

import pytest
from rdflib import Dataset as RdflibDataset
from rdflib import Graph

from conftest import Client, serve, stop
from procfs import holds_within, loader, workers

MUTANTS = int(os.environ.get("FUZZ_MUTANTS") or 2000)
SEED = 20_08_14
CONNECTIONS = 4
SMALL_BYTES = 40_000  # what rdflib reads in reasonable time
LIMITS = {
    "SUASION_ANSWER_BYTES": str(4 * 1024 * 1024),
    "SUASION_WORKER_MEMORY_BYTES": str(2 * 1024 * 1024 * 1024),
    "SUASION_SLOW_WORKERS": str(CONNECTIONS),
    "SUASION_CLIENT_SECONDS_PER_MINUTE": "0",
    "SUASION_LOG_FORMAT": "none",
}
ACCEPTS = (
    "application/sparql-results+json, text/turtle",
    "application/sparql-results+xml, application/rdf+xml",
    "text/csv, application/n-triples",
    "text/tab-separated-values, application/ld+json",
    "application/json, application/trig;q=0.9, */*;q=0.1",
    "application/xml;q=0.5, application/n-quads",
)
RDF_12 = re.compile(rb"<<|--ltr|--rtl|its:dir|parseType=\"Triple\"|@direction")  # which rdflib does not read
Method = Literal["GET", "direct", "form"]
METHODS: tuple[Method, ...] = ("GET", "direct", "form")
TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|<[^<>\s]*>|[?$]\w+|\w*:[\w-]*|\w+|\s+|.', re.DOTALL)
WORDS = rb"""
    SELECT CONSTRUCT DESCRIBE ASK WHERE FROM NAMED GRAPH OPTIONAL UNION MINUS FILTER EXISTS NOT BIND VALUES UNDEF AS DISTINCT
    REDUCED COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT SEPARATOR GROUP BY HAVING ORDER LIMIT OFFSET LATERAL STR LANG DATATYPE
    IRI BNODE RAND NOW UUID ABS CEIL REGEX REPLACE SUBSTR CONCAT COALESCE IF IN LANGMATCHES STRDT STRLANG SHA512 YEAR TZ
    isNUMERIC TRIPLE SUBJECT isTRIPLE SERVICE SILENT LOAD INSERT DELETE DATA BASE PREFIX a true xsd:byte
    { } ( ) [ ] << >> <<( )>> {| |} ; , . | / ^ * + ? ! != = <= && || - ^^ @en @en--ltr ?x $y _:b _:b1 () [] 0 1 -1 1e400 0.0
    9999999999999999999999 .5 1. 'a' "\u0001" "\uD800" "\uFFFE" '''a'b''' <urn:x> <x> <http://a/1>
""".split()


@dataclass(frozen=True, slots=True)
class Mutant:
    number: int
    query: bytes
    accept: str
    method: Method


def with_bytes_changed(query: bytes, random_: random.Random) -> bytes:
    changed = bytearray(query)
    for _ in range(random_.randint(1, 4)):
        place = random_.randrange(len(changed))
        match random_.randrange(5):
            case 0:
                changed[place] ^= 1 << random_.randrange(8)
            case 1:
                del changed[place : place + random_.randint(1, 8)]
            case 2:
                changed.insert(place, random_.randrange(256))
            case 3:
                changed[place:place] = changed[place : place + random_.randint(1, 40)]
            case _:
                changed[place : place + 1] = random_.choice([b"\0", b"\\", b'"', b"\xff", "\u202e".encode(), b"\r", b"#", b"\\u"])
        changed = changed or bytearray(b"A")
    return bytes(changed)


def kind_of(word: bytes) -> str:
    """Return what sort of word it is, so that another of the same sort can stand in its place."""
    if word[:1] in b"?$\"'<":
        return chr(word[0])
    if b":" in word:
        return ":"
    return "0" if word.isdigit() else "a" if word.isalnum() else word.decode("latin-1")


def with_words_exchanged(query: bytes, random_: random.Random, pool: list[bytes]) -> bytes:
    """Put others of their sort in the place of one or two words: what comes out mostly parses."""
    words = TOKEN.findall(query)
    places = [place for place, word in enumerate(words) if kind_of(word) in '?<:0"']
    for place in random_.sample(places, min(len(places), random_.randint(1, 2))):
        words[place] = random_.choice([word for word in pool if kind_of(word) == kind_of(words[place])])
    return b"".join(words)


def with_words_changed(query: bytes, random_: random.Random, pool: list[bytes]) -> bytes:
    words = TOKEN.findall(query)
    for _ in range(random_.randint(1, 4)):
        here, there = random_.randrange(len(words)), random_.randrange(len(words))
        match random_.randrange(5):
            case 0:
                words[here] = b" " + random_.choice(pool) + b" "
            case 1:
                words.insert(here, b" " + random_.choice(WORDS) + b" ")
            case 2:
                words[here], words[there] = words[there], words[here]
            case 3:
                words[here:here] = words[there : there + random_.randint(1, 12)]
            case _:
                del words[here : here + random_.randint(1, 3)]
        words = words or [b"ASK"]
    return b"".join(words)


def mutants(number: int, folder: Path) -> Iterator[Mutant]:
    """Yield mutants of all queries below a folder, the same for the same queries."""
    queries = [path.read_bytes() for path in sorted(folder.rglob("*.rq"))]
    queries = [re.sub(rb"(?m)^#.*\n", b"", query) for query in queries]
    pool = sorted({word for query in queries for word in TOKEN.findall(query) if word.strip()}) + WORDS
    random_ = random.Random(SEED)  # noqa: S311
    for count in range(number):
        query = random_.choice(queries)
        kind = random_.randrange(10)
        if kind < 2:
            query = with_bytes_changed(query, random_)
        elif kind < 5:
            query = with_words_exchanged(query, random_, pool)
        elif kind < 9:
            query = with_words_changed(query, random_, pool)
        else:
            other = random_.choice(queries)
            query = query[: random_.randrange(len(query))] + other[random_.randrange(len(other)) :]
        yield Mutant(count, query, random_.choice(ACCEPTS), METHODS[count % 3])


def fault_of_body(content_type: str, body: bytes) -> str:
    """Parse a body with a parser that is not the engine's; return what is wrong with it, or nothing."""
    media_type = content_type.partition(";")[0]
    try:
        if media_type == "application/sparql-results+json":
            document = json.loads(body)
            return "" if "boolean" in document or "bindings" in document["results"] else "neither boolean nor bindings"
        if media_type == "text/csv":
            lengths = {len(row) for row in csv.reader(io.StringIO(body.decode(), newline=""), strict=True)}
            return "" if len(lengths - {0}) <= 1 else f"rows of {lengths} cells"
        if media_type == "text/tab-separated-values":
            tabs = {line.count("\t") for line in body.decode().removesuffix("\n").split("\n")}
            return "" if len(tabs) <= 1 else f"rows of {tabs} tabs"
        if media_type in ("application/sparql-results+xml", "application/rdf+xml"):
            expat.ParserCreate().Parse(body, True)
        if media_type == "application/ld+json":
            json.loads(body)
        if media_type in RDFLIB and len(body) < SMALL_BYTES and not RDF_12.search(body):
            kind, format_ = RDFLIB[media_type]
            kind().parse(data=body, format=format_)
        return "" if media_type in RDFLIB or media_type == "application/sparql-results+xml" else f"of type {media_type}"
    except Exception as error:  # whatever a parser says
        return f"{type(error).__name__}: {str(error)[:200]}"


RDFLIB: dict[str, tuple[type[Graph], str]] = {
    "text/turtle": (Graph, "turtle"),
    "application/n-triples": (Graph, "nt"),
    "application/n-quads": (RdflibDataset, "nquads"),
    "application/trig": (RdflibDataset, "trig"),
    "application/rdf+xml": (Graph, "xml"),
    "application/ld+json": (Graph, "json-ld"),
}


def request(connection: http.client.HTTPConnection, mutant: Mutant, client: str) -> tuple[int, str, bytes]:
    """Send a mutant and return status, content type and body; status 0 for a long answer that was cut, so that it is seen."""
    headers = {"Accept": mutant.accept, "User-Agent": client}
    escaped = quote_from_bytes(mutant.query)
    if mutant.method == "GET":
        connection.request("GET", f"/sparql?query={escaped}", headers=headers)
    elif mutant.method == "direct":
        connection.request("POST", "/sparql", mutant.query, headers | {"Content-Type": "application/sparql-query"})
    else:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/sparql", f"query={escaped}", headers | form)
    response = connection.getresponse()
    try:
        return response.status, response.headers["content-type"], response.read()
    except (http.client.IncompleteRead, ConnectionResetError):
        connection.close()
        return 0, "", b""


def send_all(port: int, client: str, waiting: "queue.SimpleQueue[Mutant]", statuses: list[int], faults: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    while True:
        try:
            mutant = waiting.get_nowait()
        except queue.Empty:
            connection.close()
            return
        shown = f"mutant {mutant.number} by {mutant.method}, {mutant.accept}: {mutant.query!r}"
        try:
            status, content_type, body = request(connection, mutant, client)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            faults.append(f"{error!r}: {shown}")
            continue
        statuses.append(status)
        if status == 200:
            fault = fault_of_body(content_type, body)
        elif status == 0:
            fault = ""
        elif status in (400, 406, 422, 503, 504, 507):
            fault = "" if json.loads(body)["status"] == status else "a problem document of another status"
        else:
            fault = "no such status is foreseen"
        if fault:
            faults.append(f"{status}, {fault}: {body[:300]!r}: {shown}")


@pytest.mark.parametrize("number", [500])
def test_mutants_are_the_same_each_time(bundle: Path, number: int) -> None:
    first, second = (list(mutants(number, bundle / "queries")) for _ in range(2))
    assert first == second
    assert len({mutant.query for mutant in first}) > number * 0.9


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")  # rdflib's own reader of JSON-LD
def test_no_mutant_crashes_the_service_and_each_answer_parses(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process, port = serve("--deadline-seconds", "0.8", environment=LIMITS)
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in mutants(MUTANTS, bundle / "queries"):
        waiting.put(mutant)
    statuses: list[int] = []
    faults: list[str] = []
    try:
        before = (loader(process.pid), len(workers(process.pid)))
        threads = [
            threading.Thread(target=send_all, args=(port, f"fuzz {n}", waiting, statuses, faults)) for n in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        holds_within(5, lambda: len(workers(process.pid)) == before[1])
        after = (loader(process.pid), len(workers(process.pid)))
        ended_with = process.poll()
        healthy = Client(port).get("/healthz").status
    finally:
        stop(process)
    counts = Counter(statuses)
    with capsys.disabled():
        report = ", ".join(f"{count:,} × {status}" for status, count in sorted(counts.items()))
        sys.stdout.write(f"\n{MUTANTS:,} mutants: {report}\n")
    assert faults == []
    assert (ended_with, healthy, after) == (None, 200, before)
    assert len(statuses) == MUTANTS
    # Mutants that all fail to parse, or all hang, would try little.
    assert counts[200] > MUTANTS * 0.05 and counts[400] > MUTANTS * 0.2 and counts[503] + counts[504] < MUTANTS * 0.2


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/sparql-results+json", b'{"head":{}}'),
        ("application/sparql-results+xml", b"<sparql>\x01</sparql>"),
        ("text/csv", b"a,b\r\n1\r\n"),
        ("text/tab-separated-values", b"?a\t?b\n1\n"),
        ("text/turtle", b"<urn:a> <urn:b> "),
        ("application/ld+json", b"[{]"),
        ("text/html", b"<p>"),
    ],
)
def test_the_second_parsers_see_what_is_broken(content_type: str, body: bytes) -> None:
    assert fault_of_body(content_type, body)


@pytest.mark.parametrize(
    ("accept", "query"),
    [
        ("application/sparql-results+xml", 'SELECT ("\\u0001" AS ?x) WHERE { }'),
        ("application/sparql-results+xml", 'SELECT ("\\uFFFE" AS ?x) WHERE { }'),
        ("application/sparql-results+xml", 'SELECT (STRLANG("a", "en\\"") AS ?x) WHERE { }'),
        ("application/rdf+xml", 'CONSTRUCT { <urn:a> <urn:b> "\\u0001" } WHERE { }'),
        ("application/rdf+xml", "CONSTRUCT { <urn:a> <http://a/1> <urn:c> } WHERE { }"),
        ("application/rdf+xml", "CONSTRUCT { <urn:a> <urn:b#> <urn:c> } WHERE { }"),
        ("text/turtle", 'CONSTRUCT { <urn:a> <urn:b> "\\u0001\\u2028\\r" } WHERE { }'),
        ("text/csv", 'SELECT ("a\\"b\\nc,d" AS ?x) ("\\u0000" AS ?y) WHERE { }'),
        ("text/tab-separated-values", 'SELECT ("a\\tb\\nc" AS ?x) ("\\r" AS ?y) WHERE { }'),
        ("application/sparql-results+json", 'SELECT ("\\u0000\\u0001\\u007F" AS ?x) WHERE { }'),
    ],
)
def test_what_a_format_cannot_carry_is_no_broken_answer(client: Client, accept: str, query: str) -> None:
    """Another status is right where the format cannot say it; a body that no parser reads is not."""
    reply = client.get("/sparql", accept, query=query)
    assert reply.status < 500 or reply.status in (503, 504, 507)
    if reply.status == 200:
        assert fault_of_body(reply.headers["content-type"], reply.body) == ""
