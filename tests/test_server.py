"""The server against slow, greedy and many clients, and its end."""

import http.client
import json
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest

from conftest import Client, serve, stop

pytestmark = pytest.mark.alone

QUIET = {"SUASION_LOG_FORMAT": "none"}
LIMITS = {
    **QUIET,
    "SUASION_HEADER_SECONDS": "2",
    "SUASION_BODY_SECONDS": "2",
    "SUASION_WRITE_SECONDS": "2",
    "SUASION_KEEP_ALIVE_SECONDS": "1",
    "SUASION_CONNECTIONS": "150",
}
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 9000\r\n\r\n"
HEAVY = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f }"
ROWS = "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f } LIMIT 60000"


@pytest.fixture(scope="module")
def limited() -> Iterator[int]:
    process, port = serve(environment=LIMITS)
    yield port
    stop(process)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def read_to_end(connection: socket.socket) -> bytes:
    found = b""
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            found += part
    return found


def read_answer(connection: socket.socket) -> bytes:
    """Return an answer in JSON of one object, such as that of /healthz."""
    found = b""
    while not found.endswith(b"}") and (part := connection.recv(65536)):
        found += part
    return found


def closed_after(connection: socket.socket) -> tuple[float, bytes]:
    started = time.monotonic()
    with connection:
        found = read_to_end(connection)
    return time.monotonic() - started, found


def test_a_connection_that_says_nothing_is_closed(limited: int) -> None:
    seconds, found = closed_after(connect(limited))
    assert 1.5 < seconds < 5 and found.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_and_a_busy_one_is_kept(limited: int) -> None:
    connection = connect(limited)
    for _ in range(12):
        connection.sendall(GET)
        assert read_answer(connection).startswith(b"HTTP/1.1 200 ")
        time.sleep(0.3)
    seconds, found = closed_after(connection)
    assert seconds < 2.5 and found == b""


def test_a_body_that_stops_is_cut(limited: int) -> None:
    connection = connect(limited)
    connection.sendall(POST + b"SELECT")
    seconds, found = closed_after(connection)
    assert 1.5 < seconds < 5 and found.startswith(b"HTTP/1.1 408 ")


def test_a_slow_but_honest_body_is_taken(limited: int) -> None:
    body = b"ASK {}" + b" " * 150_000
    connection = connect(limited)
    connection.sendall(POST.replace(b"9000", str(len(body)).encode()))
    for start in range(0, len(body), 15_000):
        time.sleep(0.4)  # 4 s in all, twice the limit of silence
        connection.sendall(body[start : start + 15_000])
    assert b" 408 " not in connection.recv(65536)
    connection.close()


def test_a_reader_who_takes_nothing_is_cut(limited: int) -> None:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", limited))
    body = ROWS.encode()
    connection.sendall(POST.replace(b"9000", str(len(body)).encode()) + body)
    time.sleep(9)
    seconds, found = closed_after(connection)
    assert seconds < 5
    head, _, rest = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"transfer-encoding: chunked" in head.lower()
    assert not rest.endswith(b"0\r\n\r\n")


def test_dripping_connections_neither_hinder_nor_last(limited: int) -> None:
    """A hundred, half of them in their headers, half in a body, each with a byte now and then."""
    dripping = [connect(limited) for _ in range(100)]
    for number, connection in enumerate(dripping):
        connection.sendall(POST if number % 2 else b"GET / HTTP/1.1\r\nX: ")
        connection.setblocking(False)
    started = time.monotonic()
    open_ones, ended, times = set(dripping), dict[socket.socket, float](), list[float]()
    while open_ones and time.monotonic() - started < 15:
        for connection in list(open_ones):
            try:
                connection.send(b"x")
                gone = connection.recv(4096) == b""
            except BlockingIOError:
                gone = False
            except ConnectionError:
                gone = True
            if gone:
                open_ones.discard(connection)
                ended[connection] = time.monotonic() - started
        for _ in range(5):
            before = time.monotonic()
            assert Client(limited).get("/healthz").status == 200
            times.append(time.monotonic() - before)
        time.sleep(0.1)
    for connection in dripping:
        connection.close()
    assert not open_ones
    assert max(ended.values()) < 6
    assert sorted(times)[int(len(times) * 0.99)] < 0.25


def test_too_many_connections_are_refused(limited: int) -> None:
    held = [connect(limited) for _ in range(160)]
    time.sleep(0.3)
    with connect(limited) as connection:
        assert read_to_end(connection).startswith(b"HTTP/1.1 503 ")
    for connection in held:
        connection.close()
    time.sleep(0.3)
    assert Client(limited).get("/healthz").status == 200


def test_what_is_cut_is_counted(limited: int) -> None:
    text = Client(limited).get("/metrics").body.decode()
    assert all(f'suasion_connections_cut_total{{reason="{reason}"}}' in text for reason in ("headers", "body", "connections"))


@pytest.mark.parametrize("announced", [True, False], ids=["content-length", "chunked"])
@pytest.mark.parametrize("path", ["/sparql", "/claims", "/none"])
def test_a_large_body_is_refused_before_it_is_read(client: Client, path: str, announced: bool) -> None:
    size, part = 50 * 1024 * 1024, b"x" * 65536
    length = f"Content-Length: {size}" if announced else "Transfer-Encoding: chunked"
    framed = part if announced else b"10000\r\n" + part + b"\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n{length}\r\n\r\n"
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", client.port))
    connection.sendall(head.encode())
    sent = 0
    with suppress(ConnectionError):
        while sent < size:
            connection.sendall(framed)
            sent += len(part)
    answer = b""
    with suppress(ConnectionError):
        answer = connection.recv(4096)
    connection.close()
    assert sent < 12 * 1024 * 1024  # 1 MiB is read; the rest stands in buffers of the kernel
    if announced:
        assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", GET + b"nonsense\r\n\r\n"])
def test_what_is_no_http_is_refused(client: Client, data: bytes) -> None:
    with connect(client.port) as connection:
        connection.sendall(data)
        assert b" 400 " in read_to_end(connection)


# ── The end ──────────────────────────────────────────────────────────────────


def load(port: int, kept: bool, replies: Counter[str], ended: threading.Event) -> None:
    """Send one request after the other until the port is closed, on one connection as long as it is kept, or on new ones."""
    headers = {} if kept else {"Connection": "close"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    while not ended.is_set():
        try:
            if connection.sock is None:
                connection.connect()
        except ConnectionRefusedError:
            replies["closed"] += 1
            return
        except OSError as error:
            replies[repr(error)] += 1
            continue
        try:
            connection.request("GET", "/claims?limit=5", headers=headers)
            response = connection.getresponse()
            json.loads(response.read())
            replies[str(response.status)] += 1
        except (OSError, http.client.HTTPException, ValueError) as error:
            replies[repr(error)] += 1
            connection.close()
    connection.close()


@pytest.mark.parametrize("kept", [False, True], ids=["new-connections", "kept-connections"])
@pytest.mark.parametrize("attempt", range(3))
def test_under_load_the_end_loses_no_request(attempt: int, kept: bool) -> None:
    process, port = serve(environment=QUIET)
    replies: Counter[str] = Counter()
    ended = threading.Event()
    threads = [threading.Thread(target=load, args=(port, kept, replies, ended)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        time.sleep(0.1)
        if replies["200"] > 50:
            break
    process.send_signal(signal.SIGTERM if attempt else signal.SIGINT)
    started = time.monotonic()
    status = process.wait(timeout=30)
    seconds = time.monotonic() - started
    ended.set()
    for thread in threads:
        thread.join()
    stop(process)
    assert set(replies) == {"200", "closed"}, replies
    assert (replies["200"] > 50, replies["closed"]) == (True, len(threads)), replies
    assert (status, seconds < 12) == (0, True), seconds


@pytest.mark.parametrize(("used", "seconds"), [(True, 0.2), (False, 0.2), (False, 1.5)])
def test_a_connection_taken_before_the_end_is_answered_once(used: bool, seconds: float) -> None:
    process, port = serve(environment=QUIET)
    with connect(port) as connection:
        if used:
            connection.sendall(GET)
            assert read_answer(connection).startswith(b"HTTP/1.1 200 ")
        process.send_signal(signal.SIGTERM)
        time.sleep(seconds)
        connection.sendall(GET)
        found = read_to_end(connection)
    assert found.startswith(b"HTTP/1.1 200 ") and b"\r\nconnection: close\r\n" in found
    assert process.wait(timeout=5) == 0
    stop(process)


def test_while_it_ends_nobody_new_is_taken() -> None:
    process, connection = heavy({"SUASION_SHUTDOWN_SECONDS": "3"})
    process.send_signal(signal.SIGTERM)
    time.sleep(1)
    with pytest.raises(ConnectionRefusedError):
        connect(connection.getpeername()[1])
    assert process.poll() is None
    connection.close()
    assert process.wait(timeout=10) == 0
    stop(process)


def heavy(environment: dict[str, str]) -> tuple[subprocess.Popen[str], socket.socket]:
    """A service that is busy with one heavy query, and the connection that asked it."""
    process, port = serve(environment={**QUIET, **environment})
    connection = connect(port)
    connection.sendall(POST.replace(b"9000", str(len(HEAVY)).encode()) + HEAVY.encode())
    time.sleep(0.5)
    return process, connection


def test_what_takes_longer_is_cut_with_an_error() -> None:
    process, connection = heavy({"SUASION_SHUTDOWN_SECONDS": "1"})
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    with connection:
        assert read_to_end(connection)[:12] in (b"HTTP/1.1 503", b"")
    stop(process)


def test_a_second_signal_ends_at_once() -> None:
    process, connection = heavy({})
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    assert process.wait(timeout=5) == -signal.SIGTERM
    assert time.monotonic() - started < 1
    connection.close()
    stop(process)
