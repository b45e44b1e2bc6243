"""Endpoints of SERVICE that misbehave: nothing broken is taken for an answer, nothing takes for ever, and they are left alone.

Goal G8: each way to misbehave, on real sockets.
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from badremote import BAD, ENDLESS, FINE, GOOD, BadRemote, literal, misbehaving, response, results, uri
from conftest import Client, Reply, serve, stop
from procfs import resident_bytes
from suasion.errors import DataError
from suasion.federation import allowed
from suasion.fetching import UnfitError, addresses, is_public
from suasion.remote import FAILURES, REST_SECONDS, Breaker

pytestmark = pytest.mark.alone

SECONDS = 1.0
MEBIBYTE = 1024 * 1024
LIMITS = {
    "SUASION_SERVICE_SECONDS": str(SECONDS),
    "SUASION_SERVICE_BYTES": str(2 * MEBIBYTE),
    "SUASION_SERVICE_ROWS": "1000",
    "SUASION_SERVICE_CONNECTIONS": "2",
    "SUASION_CLIENT_SECONDS_PER_MINUTE": "0",
    "SUASION_LOG_FORMAT": "none",
}
TOO_MUCH = {"many-rows", "large-body", "endless-body"}
NO_END = {"hang", "hang-too", "drip-headers", "drip-body", "hang-after-half"}
EITHER = {"tiny-chunks"}
CHANGING = ("changing", "other", "blank", "controls", "unbound", "triple", "nothing", "numbers", "odd-numbers")


@dataclass(frozen=True, slots=True)
class Served:
    """A service that may reach all paths of a bad endpoint, and the endpoint."""

    client: Client
    remote: BadRemote
    pid: int

    def ask(self, path: str, silent: bool = False, accept: str = "", pattern: str = "?a ?b ?c", **more: str) -> Reply:
        word = "SERVICE SILENT" if silent else "SERVICE"
        query = f"SELECT * WHERE {{ {word} <{self.remote.url}/{path}> {{ {pattern} }} }}"
        return self.client.get("/sparql", accept, query=query, **more)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    file = tmp_path_factory.mktemp("data") / "one.ttl"
    file.write_text("<urn:a> <urn:b> <https://example.org/1> .", encoding="utf-8")
    with misbehaving() as remote:
        closed = socket.create_server(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/nobody"
        closed.close()
        endpoints = [f"{remote.url}/{path}" for path in (*BAD, *ENDLESS, *FINE, *CHANGING)]
        mapped = [f"{remote.url}/nobody={nobody}", f"{remote.url}/no-host=http://nobody.invalid/sparql"]
        environment = {**LIMITS, "SUASION_SERVICES": " ".join((*endpoints, *mapped))}
        process, port = serve(str(file), environment=environment)
        yield Served(Client(port), remote, process.pid)
        stop(process)


def fault(reply: Reply, path: str, url: str) -> str:
    """Return what is wrong with the answer to a query to a bad endpoint, or nothing."""
    if reply.status not in (502, 503, 504, 507):
        return f"{path}: {reply.status} {reply.body[:200]!r}"
    problem = reply.json()
    expected = {507} if path in TOO_MUCH else {504} if path in NO_END else {504, 507} if path in EITHER else {502}
    if reply.status not in expected:
        return f"{path}: {reply.status}, not {expected}: {problem['detail']}"
    if problem["endpoint"] != f"{url}/{path}" or f"{url}/{path}" not in str(problem["detail"]):
        return f"{path}: the endpoint is not named: {problem}"
    if "java" in str(problem) or "maintained" in str(problem):
        return f"{path}: words of the endpoint are passed on: {problem}"
    return ""


def test_no_misbehaviour_is_taken_for_an_answer_and_none_takes_for_ever(served: Served) -> None:
    assert len(BAD) + len(ENDLESS) >= 60
    served.ask("fine")
    before = resident_bytes(served.pid)
    faults = []
    most = 0
    for path in (*BAD, *ENDLESS, "nobody", "no-host"):
        started = time.monotonic()
        reply = served.ask(path)
        took = time.monotonic() - started
        most = max(most, resident_bytes(served.pid))
        faults += [fault(reply, path, served.remote.url)]
        if took > SECONDS + 1:
            faults.append(f"{path}: only after {took:.1f} s")
    assert [one for one in faults if one] == []
    assert most - before < 100 * MEBIBYTE


def test_what_is_fine_is_answered_and_not_kept(served: Served) -> None:
    for path in FINE:
        reply = served.ask(path)
        assert reply.status == 200, reply.body
        assert json.loads(reply.body)["results"]["bindings"] == json.loads(GOOD)["results"]["bindings"]
        assert reply.headers["suasion-completeness"] == "complete"
        assert "etag" not in reply.headers and reply.headers["cache-control"] == "no-store"
        asked = served.remote.seen[path]
        served.ask(path)
        assert served.remote.seen[path] == asked + 1


def test_what_may_fail_silently_is_an_empty_solution_and_says_so(served: Served) -> None:
    faults = []
    for path in (*BAD, *ENDLESS, "nobody", "no-host"):
        reply = served.ask(path, silent=True, pattern="?a ?b ?c , 'again'")
        told = reply.headers.get("suasion-completeness"), reply.headers.get("suasion-failed-services")
        if reply.status != 200 or told != ("truncated; reason=service", f"<{served.remote.url}/{path}>"):
            faults.append(f"{path}: {reply.status} {told}")
        elif json.loads(reply.body)["results"]["bindings"] != [{}]:
            faults.append(f"{path}: {reply.body[:100]!r}")
        if "etag" in reply.headers:
            faults.append(f"{path}: to be kept")
    assert faults == []


def test_an_endpoint_is_asked_by_post_and_told_who_asks(served: Served) -> None:
    served.ask("fine")
    head, _, body = served.remote.queries[-1].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /fine http/1.1"
    assert {"accept: application/sparql-results+json", "accept-encoding: identity"} <= set(lines)
    assert any(line.startswith("user-agent: suasion/") for line in lines)
    assert not any(line.startswith(("cookie", "authorization", "x-forwarded")) for line in lines)
    assert body == b"query=SELECT+%2A+WHERE+%7B+%3Fa+%3Fb+%3Fc+%7D"


def test_an_endpoint_that_fails_five_times_is_left_alone_for_a_while(served: Served) -> None:
    remote = served.remote
    remote.answers["changing"] = BAD["status-500"]
    for _ in range(FAILURES):
        assert "status 500" in str(served.ask("changing").json()["detail"])
    remote.answers["changing"] = FINE["fine"]
    refused = served.ask("changing")
    assert refused.status == 502 and "in a row" in str(refused.json()["detail"])
    assert remote.seen["changing"] == FAILURES
    assert served.ask("fine").status == 200, "another endpoint is none the worse"
    time.sleep(REST_SECONDS)
    assert served.ask("changing").status == 200
    assert served.ask("changing").status == 200


def test_a_body_that_no_worker_can_read_counts_as_a_failure(served: Served) -> None:
    remote = served.remote
    remote.answers["other"] = BAD["cut-json"]
    for _ in range(FAILURES):
        assert served.ask("other").status == 502
    assert served.ask("other").status == 502
    assert remote.seen["other"] == FAILURES


def test_what_a_client_asked_for_is_not_held_against_the_endpoint(served: Served) -> None:
    """Else one client could have an endpoint left alone for all: by bad blocks, large ones, or no time."""
    for path in ("status-400", "many-rows", "large-body", "sql-state"):
        asked = served.remote.seen[path]
        for silent in (False, True) * (FAILURES + 1):
            served.ask(path, silent=silent)
        assert served.remote.seen[path] == asked + 2 * (FAILURES + 1)
    asked = served.remote.seen["hang-after-half"]
    time.sleep(REST_SECONDS)
    served.ask("hang-after-half", timeout="0.1")
    for _ in range(FAILURES):
        served.ask("hang-after-half", timeout="0.1")
    assert served.remote.seen["hang-after-half"] == asked + FAILURES + 1


def test_no_more_than_so_many_ask_a_host_at_once(served: Served) -> None:
    before = served.remote.seen["hang-too"]
    statuses: list[int] = []

    def ask(timeout: str) -> None:
        statuses.append(served.ask("hang-too", timeout=timeout).status)

    asking = [threading.Thread(target=ask, args=(timeout,)) for timeout in ("3", "3", "0.4", "0.4", "0.4")]
    for number, thread in enumerate(asking):
        thread.start()
        time.sleep(0.2 * (number == 1))
    for thread in asking:
        thread.join()
    assert sorted(statuses) == [503, 503, 503, 504, 504]
    assert served.remote.seen["hang-too"] == before + 2


def test_terms_arrive_as_they_were_sent(served: Served) -> None:
    odd = "\x00\x01\n\r\t\"\\'\u2028\U0001f600\x7f\ufffe{}#"
    terms: list[dict[str, object]] = [
        literal(odd),
        {**literal("chat"), "xml:lang": "fr"},
        {**literal("1"), "datatype": "http://www.w3.org/2001/XMLSchema#integer"},
        {**literal("x"), "datatype": "urn:t"},
        uri("https://example.org/é'(x)"),
        uri("urn:x#y?z"),
    ]
    served.remote.answers["controls"] = response(results([{"a": term} for term in terms]))
    reply = served.ask("controls")
    assert [row["a"] for row in json.loads(reply.body)["results"]["bindings"]] == terms
    assert served.ask("controls", accept="application/sparql-results+xml").status == 406


def test_unbound_rows_no_rows_and_no_variables_arrive(served: Served) -> None:
    answers = served.remote.answers
    answers["unbound"] = response(results([{}, {"b": literal("1")}, {}], ("a", "b", "c")))
    assert json.loads(served.ask("unbound").body)["results"]["bindings"] == [{}, {"b": literal("1")}, {}]
    answers["nothing"] = response(results([]))
    assert json.loads(served.ask("nothing").body)["results"]["bindings"] == []
    answers["numbers"] = response(results([{}, {}], ()))
    assert json.loads(served.ask("numbers", pattern="<urn:a> <urn:b> <urn:c>").body)["results"]["bindings"] == [{}, {}]


def test_a_blank_node_becomes_an_iri_of_its_own(served: Served) -> None:
    rows: list[dict[str, object]] = [{"a": {"type": "bnode", "value": name}} for name in ("x", "y", "x")]
    served.remote.answers["blank"] = response(results(rows))
    found = [row["a"] for row in json.loads(served.ask("blank").body)["results"]["bindings"]]
    assert {term["type"] for term in found} == {"uri"}
    assert all(term["value"].startswith("https://w3id.org/suasion/.well-known/genid/") for term in found)
    assert found[0] == found[2] != found[1]


def test_a_triple_term_arrives(served: Served) -> None:
    term = {"type": "triple", "value": {"subject": uri("urn:s"), "predicate": uri("urn:p"), "object": literal("o")}}
    served.remote.answers["triple"] = response(results([{"a": term}]))
    assert json.loads(served.ask("triple").body)["results"]["bindings"] == [{"a": term}]


# ── Settings, addresses, breaker ─────────────────────────────────────────────


@pytest.mark.parametrize(
    "services",
    [
        "ftp://example.org/sparql",
        "example.org/sparql",
        "HTTP://example.org/",
        "http:///sparql",
        "http://user@example.org/sparql",
        "http://user:word@127.0.0.1/sparql",
        "http://example.org/sparql#x",
        "http://example.org:port/",
        "http://example.org/<x>",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://[::1%25lo]/",
        "http://[::1/",
        "http://example.org/a=ftp://example.org/b http://example.org/c",
        "http://example.org/a,http://example.org/b",
        "https://example.org/a=http://user@example.org/b",
    ],
)
def test_what_is_no_plain_endpoint_is_refused_as_a_setting(services: str) -> None:
    with pytest.raises(DataError, match="cannot be an endpoint"):
        allowed(services)


def test_endpoints_are_themselves_or_lead_to_another_url() -> None:
    given = "https://a.example/sparql  http://[::1]:7/x\nhttps://b.example/q?x=y=http://127.0.0.1:3030/ds/query"
    assert allowed(given) == {
        "https://a.example/sparql": "https://a.example/sparql",
        "http://[::1]:7/x": "http://[::1]:7/x",
        "https://b.example/q?x=y": "http://127.0.0.1:3030/ds/query",
    }
    assert allowed("") == {}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.9",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_addresses_within_networks_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["208.80.154.224", "2620:0:861:ed1a::1", "::ffff:208.80.154.224", "64:ff9b::d050:9ae0"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


def test_only_public_addresses_of_a_name_are_used() -> None:
    known = {
        "good.example": ("208.80.154.224", "10.0.0.1", "2620:0:861:ed1a::1"),
        "rebound.example": ("127.0.0.1", "169.254.169.254"),
        "localhost": ("127.0.0.1",),
        "virtuoso": ("10.0.0.7",),
    }

    async def lookup(host: str, port: int) -> tuple[str, ...]:
        assert port == 80
        return known[host]

    def found(host: str) -> tuple[str, ...]:
        return tuple(asyncio.run(addresses(host, 80, lookup)))

    assert found("good.example") == ("208.80.154.224", "2620:0:861:ed1a::1")
    assert found("localhost") == ("127.0.0.1",)
    assert found("virtuoso") == ("10.0.0.7",)
    assert found("127.0.0.1") == ("127.0.0.1",)
    with pytest.raises(UnfitError) as caught:
        found("rebound.example")
    assert "not public" in caught.value.did


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_through_after_a_rest() -> None:
    now = 100.0
    breaker = Breaker(lambda: now)
    for _ in range(FAILURES - 1):
        breaker.fail()
    breaker.succeed()
    for _ in range(FAILURES):
        assert breaker.admit() == 0
        breaker.fail()
    assert breaker.admit() == REST_SECONDS and breaker.rests
    now += REST_SECONDS
    assert not breaker.rests
    assert breaker.admit() == 0
    assert breaker.admit() > 0, "one at a time"
    breaker.fail()
    now += REST_SECONDS
    assert breaker.admit() == 0
    breaker.succeed()
    assert breaker.admit() == 0
    breaker.fail(rest_seconds=60)
    assert breaker.admit() == 60
    breaker.fail(rest_seconds=1e6)
    assert breaker.admit() == 300


def test_a_bad_endpoint_ends_the_command_with_one_line(bundle: Path) -> None:
    from suasion.__main__ import main

    assert main(["serve", "--port", "0", "--service", "http://user@example.org/", "--bundle", str(bundle)]) == 2
