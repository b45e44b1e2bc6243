"""Corners of HTTP and of the SPARQL Protocol that the W3C suites leave out, byte for byte on a socket."""

import gzip
import json
import socket
from contextlib import suppress
from urllib.parse import quote

import pytest

from conftest import Client, Reply

FORM, DIRECT = "application/x-www-form-urlencoded", "application/sparql-query"
PLACES = "https://w3id.org/suasion/graph/places"
ACTORS = "https://w3id.org/suasion/graph/actors"
ASK = quote("ASK {}")
HEAD = b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"


def exchanged(client: Client, data: bytes) -> bytes:
    """Send bytes as they are and return all that comes until the other side closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        connection.sendall(data)
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
    return answer


def post(client: Client, body: str | bytes, content_type: str = DIRECT, path: str = "/sparql", method: str = "POST") -> Reply:
    return client.send(method, path, {"Content-Type": content_type}, body.encode() if isinstance(body, str) else body)


def count(reply: Reply) -> int:
    return int(json.loads(reply.body)["results"]["bindings"][0]["n"]["value"])


# ── Encodings of parameters ──────────────────────────────────────────────────


@pytest.mark.parametrize(
    "written",
    [
        "ASK+%7B+BIND(%22a%2Bb+c%22+AS+?x)+FILTER(?x=%22a%2Bb%20c%22)+%7D",
        "%41%53%4b%20%7b%7D",
        "ASK%0D%0A%7B%7D",
        "ASK{FILTER(STRLEN(%22%F0%9F%98%80%22)=1)}",
        "ASK{FILTER(STRLEN(%22%00%22)=1)}",
        "ASK{}%23%zz",
    ],
)
def test_parameters_are_decoded(client: Client, written: str) -> None:
    reply = client.send("GET", f"/sparql?query={written}")
    assert (reply.status, reply.json()["boolean"]) == (200, True)
    form = post(client, f"query={written}", FORM)
    assert form.body == reply.body


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        (f"query={ASK}&default-graph-uri=", 400),
        (f"query={ASK}&default-graph-uri=places", 400),
        (f"query={ASK}&named-graph-uri=http://e.example/a%20b", 400),
        (f"query={ASK}&default-graph-uri=http://e.example/%00", 400),
        ("query=ASK%7B%7D%00", 400),
        ("query=%C0%80", 400),
        ("query=%ED%A0%80", 400),
        ("query=%EF%BB%BFASK%7B%7D", 400),
        (f"query={ASK}&timeout=1&timeout=2", 422),
        (f"query={ASK}&version=1.1&version=1.1", 400),
        (f"Query={ASK}", 400),
        ("&".join([f"query={ASK}", *["x=1"] * 200]), 400),
        (f"query={ASK}&version=1.2", 200),
        (f"query={ASK}&clientRequestId=x", 200),
        (f"query={ASK}&unknown=1", 400),
        (f"&&query={ASK}&", 200),
        (f"query={ASK}&default-graph-uri={PLACES}&default-graph-uri={PLACES}", 200),
        (f"query={ASK}&default-graph-uri={PLACES}&named-graph-uri={PLACES}", 200),
    ],
)
def test_odd_parameters_are_answered_or_refused_alike_by_get_and_post(client: Client, parameters: str, status: int) -> None:
    got = exchanged(client, f"GET /sparql?{parameters} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert int(got.split(b" ", 2)[1]) == status
    assert post(client, parameters, FORM).status == status


def test_the_dataset_of_a_post_comes_from_url_and_form_together(client: Client) -> None:
    places, actors = (count(post(client, COUNT, path=f"/sparql?default-graph-uri={graph}")) for graph in (PLACES, ACTORS))
    both = post(client, f"query={quote(COUNT)}&default-graph-uri={ACTORS}", FORM, f"/sparql?default-graph-uri={PLACES}")
    assert 0 < places < count(both) == places + actors


def test_a_graph_named_twice_counts_once(client: Client) -> None:
    once, twice = (post(client, COUNT, path=f"/sparql?{'&'.join([f'default-graph-uri={PLACES}'] * n)}") for n in (1, 2))
    assert count(once) == count(twice)


# ── Content types ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (DIRECT, 200),
        ("Application/SPARQL-Query", 200),
        (f"{DIRECT};charset=utf-8", 200),
        (f'{DIRECT} ; charset="UTF-8"', 200),
        (f"{DIRECT}; charset=us-ascii", 200),
        (f"{DIRECT}; version=1.2; charset=utf-8", 200),
        (f"{DIRECT}; charset=latin-1", 415),
        (f"{DIRECT}; charset=UTF-16", 415),
        (f"{DIRECT}; charset=", 415),
        (f"{DIRECT}s", 415),
        ("text/plain", 415),
        ("", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/sparql-results+json", 415),
    ],
)
@pytest.mark.parametrize("method", ["POST", "QUERY"])
def test_a_query_is_utf_8_of_a_known_type(client: Client, method: str, content_type: str, status: int) -> None:
    reply = post(client, "ASK {}", content_type, method=method)
    assert reply.status == status
    form = content_type.replace(DIRECT, FORM).replace("Application/SPARQL-Query", FORM.upper())
    assert post(client, f"query={ASK}", form, method=method).status == status


def test_a_byte_order_mark_is_refused(client: Client) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert post(client, "ASK {}".encode(encoding)).status == 400


def test_a_get_with_a_body_is_refused(client: Client) -> None:
    for framing in (b"Content-Length: 6\r\n\r\nASK {}", b"Transfer-Encoding: chunked\r\n\r\n6\r\nASK {}\r\n0\r\n\r\n"):
        assert exchanged(client, HEAD + b"Connection: close\r\n" + framing).startswith(b"HTTP/1.1 400 ")
    assert exchanged(client, HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_function_that_is_not_there_is_no_fault_of_syntax(client: Client) -> None:
    """The query is SPARQL, so 400 would be wrong, and rows without the function's say would be incomplete."""
    reply = post(client, "SELECT * { ?s ?p ?o FILTER(<http://e.example/f>(?s)) }")
    assert reply.status == 422
    assert "<http://e.example/f> is not supported" in str(reply.json()["detail"])


# ── Methods ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/sparql", "/sparql/"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "get", "TRACE", "PROPFIND"])
def test_other_methods_are_405_and_say_which_are_allowed(client: Client, path: str, method: str) -> None:
    reply = client.send(method, f"{path}?query={ASK}")
    assert reply.status == 405
    assert {"GET", "HEAD", "POST", "QUERY"} <= set(reply.headers["allow"].split(", "))


def test_options_tell_what_the_method_query_takes(client: Client) -> None:
    reply = client.send("OPTIONS", "/sparql")
    assert reply.status == 204
    assert reply.headers["accept-query"] == f'"{DIRECT}", "{FORM}"'


@pytest.mark.parametrize(
    "query", ["ASK {}", "SELECT * { ?s ?p ?o } LIMIT 3", "DESCRIBE <https://w3id.org/suasion/id/actor/japan>"]
)
def test_head_has_the_headers_of_get(client: Client, query: str) -> None:
    got, head = (client.send(method, f"/sparql?query={quote(query)}") for method in ("GET", "HEAD"))
    differing = {"date", "x-request-id"}
    assert head.body == b""
    assert {k: v for k, v in head.headers.items() if k not in differing} == {
        k: v for k, v in got.headers.items() if k not in differing
    }


def test_conditions_hold_for_every_method_that_asks(client: Client) -> None:
    headers = {"Content-Type": DIRECT}
    tag = client.send("GET", f"/sparql?query={ASK}").headers["etag"]
    for method in ("POST", "QUERY"):
        assert client.send(method, "/sparql", headers | {"If-None-Match": tag}, b"ASK {}").status == 304
        assert client.send(method, "/sparql", headers | {"If-None-Match": '"other"'}, b"ASK {}").status == 200
    assert client.send("GET", f"/sparql?query={ASK}", {"If-None-Match": "*"}).status == 304


# ── HTTP ─────────────────────────────────────────────────────────────────────


def test_http_1_0_is_answered_and_closed(client: Client) -> None:
    answer = exchanged(client, b"GET /sparql?query=ASK%7B%7D HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'"boolean":true}')


def test_a_body_may_wait_for_100_continue(client: Client) -> None:
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: {DIRECT}\r\nContent-Length: 6\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        connection.sendall((head + "Expect: 100-continue\r\n\r\n").encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"ASK {}")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_will_be_refused_is_not_waited_for(client: Client) -> None:
    head = "POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 415 ")


@pytest.mark.parametrize("chunks", ["6\r\nASK {}\r\n0\r\n\r\n", "3\r\nASK\r\n3;x=y\r\n {}\r\n0\r\nTrailer: x\r\n\r\n"])
def test_bodies_may_come_in_chunks(client: Client, chunks: str) -> None:
    head = (
        f"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: {DIRECT}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    assert b'"boolean":true' in exchanged(client, (head + chunks).encode())


def test_pipelined_requests_are_answered_in_order(client: Client) -> None:
    queries = [f"SELECT ({number} AS ?n) {{}}" for number in range(20)]
    lines = [f"GET /sparql?query={quote(query)} HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\n" for query in queries]
    answer = exchanged(client, ("\r\n".join(lines) + "Connection: close\r\n\r\n").encode())
    bodies = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [f"n\r\n{number}\r\n".encode() for number in range(20)]


@pytest.mark.parametrize("host", ["", "Host: a\r\nHost: b\r\n"])
def test_a_request_names_one_host(client: Client, host: str) -> None:
    assert exchanged(client, f"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\n{host}\r\n".encode()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("size", [65_000, 66_000, 100_000, 200_000, 300_000, 3_000_000])
def test_a_url_that_is_too_long_is_414(client: Client, size: int) -> None:
    """However the bytes come: at once, or in pieces."""
    line = f"GET /sparql?query={ASK}%23".encode().ljust(size, b"x") + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    expected = b"HTTP/1.1 414 " if size > 65_536 else b"HTTP/1.1 200 "
    assert exchanged(client, line).startswith(expected)
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        for start in range(0, len(line), 10_000):
            connection.sendall(line[start : start + 10_000])
        assert connection.recv(65536).startswith(expected)


def test_a_long_url_is_told_what_to_do(client: Client) -> None:
    reply = client.send("GET", f"/sparql?query={ASK}%23" + "x" * 100_000)
    assert reply.status == 414
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["detail"] == "The URL is longer than 65,536 bytes: send the query by POST."
    assert post(client, "ASK {} #" + "x" * 100_000).status == 200


def test_headers_that_are_too_large_are_431(client: Client) -> None:
    assert exchanged(client, HEAD + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431 ")


def test_a_gzip_form_is_read(client: Client) -> None:
    headers = {"Content-Type": FORM, "Content-Encoding": "GZIP"}
    assert client.send("POST", "/sparql", headers, gzip.compress(f"query={ASK}".encode())).status == 200
