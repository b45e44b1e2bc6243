"""An endpoint that misbehaves in many ways, each at a path of its own; it speaks HTTP by hand, so that it can break any rule."""

import gzip
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

JSON_TYPE = "application/sparql-results+json"
MEBIBYTE = 1024 * 1024


def results(rows: list[dict[str, object]], names: tuple[str, ...] = ("a",)) -> bytes:
    return json.dumps({"head": {"vars": names}, "results": {"bindings": rows}}, ensure_ascii=False).encode()


def uri(value: str) -> dict[str, object]:
    return {"type": "uri", "value": value}


def literal(value: str) -> dict[str, object]:
    return {"type": "literal", "value": value}


GOOD = results([{"a": uri("https://example.org/1")}, {"a": literal("two")}])


def response(body: bytes, status: str = "200 OK", headers: Mapping[str, str] | None = None, length: int | None = None) -> bytes:
    told = {"Content-Type": JSON_TYPE, "Content-Length": str(len(body) if length is None else length)} | dict(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def chunked(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


def nested_triples(levels: int) -> dict[str, object]:
    term: dict[str, object] = uri("urn:x")
    for _ in range(levels):
        term = {"type": "triple", "value": {"subject": uri("urn:x"), "predicate": uri("urn:x"), "object": term}}
    return term


def deep(levels: int) -> bytes:
    """Return a result with a triple term so deep that a recursive parser overflows its stack."""
    opening = (
        b'{"type":"triple","value":{"subject":{"type":"uri","value":"urn:x"},"predicate":{"type":"uri","value":"urn:x"},"object":'
    )
    term = opening * levels + b'{"type":"uri","value":"urn:x"}' + b"}}" * levels
    return b'{"head":{"vars":["a"]},"results":{"bindings":[{"a":' + term + b"}]}}"


HALF = GOOD[: len(GOOD) // 2]
BAD: dict[str, bytes] = {
    "status-500": response(
        b"java.lang.OutOfMemoryError at org.example", "500 Internal Server Error", {"Content-Type": "text/plain"}
    ),
    "status-500-with-results": response(GOOD, "500 Internal Server Error"),
    "status-404": response(b"", "404 Not Found"),
    "status-400": response(b"parse error", "400 Bad Request", {"Content-Type": "text/plain"}),
    "status-403": response(b"banned", "403 Forbidden"),
    "status-204": response(b"", "204 No Content"),
    "status-201-with-results": response(GOOD, "201 Created"),
    "status-206": response(GOOD, "206 Partial Content"),
    "status-429": response(b"", "429 Too Many Requests", {"Retry-After": "30"}),
    "html": response(b"<html>The service is being maintained.</html>", headers={"Content-Type": "text/html"}),
    "html-called-json": response(b"<html>The service is being maintained.</html>"),
    "csv": response(b"a\r\nhttps://example.org/1\r\n", headers={"Content-Type": "text/csv"}),
    "no-type": response(GOOD, headers={"Content-Type": ""}),
    "cut-body": response(HALF, length=len(GOOD)),
    "cut-json": response(HALF),
    "cut-before-the-last-brace": response(GOOD[:-1]),
    "length-too-small": response(GOOD, length=len(GOOD) - 5),
    "two-lengths": response(GOOD, headers={"content-length": "7"}),
    "length-and-chunks": response(GOOD, headers={"Transfer-Encoding": "chunked"}),
    "length-no-number": response(GOOD, headers={"Content-Length": "-5"}),
    "chunk-cut": chunked(HALF, end=b"ff\r\n{"),
    "chunk-size-no-number": chunked(HALF, end=b"zz\r\n{}\r\n0\r\n\r\n"),
    "chunks-without-end": chunked(GOOD, end=b""),
    "gzip": response(gzip.compress(GOOD), headers={"Content-Encoding": "gzip"}),
    "gzip-bomb": response(gzip.compress(b" " * 300 * MEBIBYTE), headers={"Content-Encoding": "gzip"}),
    "gzip-untold": response(gzip.compress(GOOD)),
    "redirect": response(b"", "302 Found", {"Location": "REDIRECT"}),
    "redirect-308": response(b"", "308 Permanent Redirect", {"Location": "REDIRECT"}),
    "refresh": response(GOOD, "300 Multiple Choices", {"Refresh": "0; url=REDIRECT", "Location": "REDIRECT"}),
    "no-json": response(b"SPARQL"),
    "error-object": response(b'{"error": "timeout"}'),
    "cancelled-in-the-middle": response(HALF + b"The SPARQL operation has been cancelled"),
    "rubbish-after-the-end": response(GOOD + GOOD),
    "deep-json": response(b'{"head":{"vars":["a"]},"x":' + b"[" * 400_000 + b"]" * 400_000 + b"}"),
    "deep-triple": response(deep(6_400)),
    "control-characters": response(GOOD.replace(b"two", b"t\x00\x01wo")),
    "no-utf-8": response(GOOD.replace(b"two", b"t\xff\xfewo")),
    "lone-surrogate": response(GOOD.replace(b"two", b"\\ud800")),
    "boolean": response(b'{"head": {}, "boolean": true}'),
    "empty": response(b""),
    "other-variable": response(results([{"z": uri("urn:x")}], ("z",))),
    "undeclared-variable": response(results([{"z": uri("urn:x")}])),
    "bad-iri": response(results([{"a": uri("urn:x> } } DROP ALL #")}])),
    "relative-iri": response(results([{"a": uri("x")}])),
    "bad-language": response(results([{"a": {**literal("x"), "xml:lang": "en' }"}}])),
    "bad-variable-name": response(results([], ("a) { } } #",))),
    "sql-state": response(GOOD, headers={"X-SQL-State": "S1TAT"}),
    "max-rows": response(GOOD, headers={"X-SPARQL-MaxRows": "2"}),
    "truncated-by-its-own-word": response(GOOD, headers={"Suasion-Completeness": "truncated; reason=service"}),
    "no-http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "no-answer": b"",
    "long-header": response(GOOD, headers={"X-Long": "x" * 1_000_000}),
    "many-headers": response(GOOD, headers={f"X-{number}": "x" for number in range(100_000)}),
    "many-rows": response(results([{"a": literal(str(number))} for number in range(1001)])),
    "large-body": response(b" " * 64 * MEBIBYTE + GOOD),
}
FINE: dict[str, bytes] = {
    "fine": response(GOOD),
    "fine-chunked": chunked(HALF, GOOD[len(HALF) :]),
    "fine-until-closed": response(GOOD, headers={"Content-Length": ""}),
    "fine-then-rubbish": response(GOOD) + b"HTTP/1.1 200 OK\r\n\r\nrubbish",
    "fine-plain-json": response(GOOD, headers={"Content-Type": "application/json; charset=utf-8"}),
}


def _hang(connection: socket.socket, data: bytes = b"") -> None:
    connection.sendall(data)
    time.sleep(4)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _drip(connection: socket.socket, data: bytes, start: bytes = b"") -> None:
    connection.sendall(start)
    for byte in data:
        connection.sendall(bytes((byte,)))
        time.sleep(0.1)


def _for_ever(connection: socket.socket, head: bytes, part: bytes) -> None:
    connection.sendall(head)
    while True:
        connection.sendall(part)


ENDLESS: dict[str, Callable[[socket.socket], None]] = {
    "hang": _hang,
    "hang-too": _hang,
    "reset": _reset,
    "drip-headers": lambda connection: _drip(connection, response(GOOD)),
    "drip-body": lambda connection: _drip(connection, GOOD, response(b"", length=len(GOOD))),
    "hang-after-half": lambda connection: _hang(connection, response(HALF, length=len(GOOD))),
    "endless-body": lambda connection: _for_ever(connection, chunked(end=b""), b"10000\r\n%s\r\n" % (b" " * 65536)),
    "tiny-chunks": lambda connection: _for_ever(connection, chunked(end=b""), b"1\r\n \r\n" * 10_000),
    "endless-header": lambda connection: _for_ever(connection, b"HTTP/1.1 200 OK\r\nX-A: ", b"x" * 65536),
    "endless-headers": lambda connection: _for_ever(connection, b"HTTP/1.1 200 OK\r\n", b"X-A: x\r\n" * 8192),
    "endless-continue": lambda connection: _for_ever(connection, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
}


class BadRemote:
    """Answers each path as it is told above, one connection a request, and counts the requests by path.

    `answers` may be changed while it runs; in them REDIRECT stands for the URL that redirects lead to.
    """

    def __init__(self, redirect: str = "http://127.0.0.1:9/") -> None:
        self.answers: dict[str, bytes] = {**BAD, **FINE}
        self.seen: Counter[str] = Counter()
        self.queries: list[bytes] = []
        self._redirect = redirect.encode()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head, _, body = _received(connection)
            path = head.split(b" ", 2)[1].decode("latin-1").strip("/")
            self.seen[path] += 1
            self.queries.append(head + b"\r\n\r\n" + body)
            if path in ENDLESS:
                ENDLESS[path](connection)
            else:
                connection.sendall(self.answers[path].replace(b"REDIRECT", self._redirect))


def _received(connection: socket.socket) -> tuple[bytes, bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, gap, body = data.partition(b"\r\n\r\n")
    (length,) = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < length:
        body += connection.recv(65536)
    return head, gap, body


@contextmanager
def misbehaving(redirect: str = "http://127.0.0.1:9/") -> Iterator[BadRemote]:
    remote = BadRemote(redirect)
    try:
        yield remote
    finally:
        remote.close()
