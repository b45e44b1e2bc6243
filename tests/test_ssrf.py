"""Nothing that a client sends makes the service connect anywhere (goal G9): a listener on loopback sees nobody.

Each probe is sent to the whole service, and to the engine alone, without the gate, where only the kernel's filter is left. An
engine that nothing confines shows that the probes would connect, and that the listener would see it.
"""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox
import pytest

from badremote import BadRemote, misbehaving
from conftest import serve, stop, with_engine
from hostile import HttpProbe, Probe, http_probes, probes
from suasion.engine import Engine, Lane
from suasion.errors import SuasionError
from suasion.exchange import Question
from writers import dataset_file, writer

UPDATE_TYPE = "application/sparql-update"
TYPES = (
    ("GET", ""),
    ("POST", "application/sparql-query"),
    ("POST", "application/x-www-form-urlencoded"),
    ("POST", UPDATE_TYPE),
    ("QUERY", "application/sparql-query"),
)


class Listener:
    """Counts who connects to a port on loopback; each is sent away at once."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        self.seen = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection, suppress(OSError):
                if connection.recv(65536) == b"end":
                    return
                self.seen += 1
                connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        with socket.create_connection(self._socket.getsockname()) as connection:
            connection.sendall(b"end")
        self._thread.join()
        self._socket.close()


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()


def connecting(send: Callable[[Probe], None]) -> list[str]:
    """Return the names of the probes that make somebody connect when they are sent."""
    found = []
    with listening() as listener:
        for probe in probes(listener.url):
            before = listener.seen
            send(probe)
            if listener.seen > before:
                found.append(probe.name)
    return found


def ask_unconfined(probe: Probe) -> None:
    store = ox.Store()
    subject, predicate = ox.NamedNode("urn:a"), ox.NamedNode("urn:b")
    store.extend([ox.Quad(subject, predicate, ox.Literal(1)), ox.Quad(subject, predicate, ox.Literal(True))])
    with suppress(SyntaxError, ValueError, OSError, RuntimeError):
        results = store.query(probe.query)
        if not isinstance(results, ox.QueryBoolean):
            list(results)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    environment = {"SUASION_CLIENT_SECONDS_PER_MINUTE": "0", "SUASION_LOG_FORMAT": "none"}
    process, port = serve("--deadline-seconds", "3", environment=environment)
    yield port
    stop(process)


def answered(connection: http.client.HTTPConnection, request: HttpProbe) -> tuple[int, bytes]:
    """Send a request as it is, with no header but those that it has, and return status and body."""
    connection.request(request.method, request.path, body=request.body, headers=dict(request.headers))
    response = connection.getresponse()
    return response.status, response.read()


def as_request(probe: Probe, method: str, media_type: str) -> HttpProbe:
    if method == "GET":
        return HttpProbe(probe.name, "GET", f"/sparql?query={quote(probe.query)}")
    form = media_type == "application/x-www-form-urlencoded"
    body = f"query={quote(probe.query)}" if form else probe.query
    return HttpProbe(probe.name, method, "/sparql", (("Content-Type", media_type),), body.encode())


def test_an_engine_that_nothing_confines_does_connect() -> None:
    """Else the tests below would pass with any service."""
    found = connecting(ask_unconfined)
    assert len(found) >= 26
    assert {"service", "service-silent", "odd-case", "base-relative", "in-exists", "in-sub-select", "in-optional"} <= set(found)


def test_no_probe_makes_the_service_connect(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    statuses: dict[str, set[int]] = {}

    def send(probe: Probe) -> None:
        for method, media_type in TYPES:
            status, _ = answered(connection, as_request(probe, method, media_type))
            if media_type == UPDATE_TYPE:
                assert status == 403
            else:
                statuses.setdefault(probe.name, set()).add(status)

    assert connecting(send) == []
    connection.close()
    assert {name: found for name, found in statuses.items() if not found <= {200, 400, 403, 415, 422}} == {}


def test_no_other_request_makes_the_service_connect(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with listening() as listener:
        statuses = {probe.name: answered(connection, probe)[0] for probe in http_probes(listener.url)}
        assert listener.seen == 0
    connection.close()
    assert len(statuses) >= 20
    assert {name: status for name, status in statuses.items() if status >= 500} == {}


def test_the_gate_alone_refuses_each_query_that_would_connect(port: int) -> None:
    """It says so itself: were the kernel's filter missing, nothing would have got through."""
    connects = connecting(ask_unconfined)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    refusals = {}
    for probe in probes("http://127.0.0.1:9"):
        if probe.name in connects:
            status, body = answered(connection, as_request(probe, "POST", "application/sparql-query"))
            refusals[probe.name] = (status, json.loads(body).get("limit") if status == 400 else None)
    connection.close()
    assert {name: refusal for name, refusal in refusals.items() if refusal != (400, "service")} == {}


@contextmanager
def allowing(remote: BadRemote) -> Iterator[int]:
    """Start a service that may reach an endpoint, and some that redirect; yield its port."""
    environment = {"SUASION_CLIENT_SECONDS_PER_MINUTE": "0", "SUASION_LOG_FORMAT": "none"}
    options = [
        option for path in ("fine", "redirect", "redirect-308", "refresh") for option in ("--service", f"{remote.url}/{path}")
    ]
    process, port = serve("--deadline-seconds", "3", *options, environment=environment)
    try:
        yield port
    finally:
        stop(process)


def test_an_allowed_endpoint_opens_the_way_to_no_other() -> None:
    with listening() as listener, misbehaving(listener.url) as remote, allowing(remote) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for probe in probes(listener.url):
            for method, media_type in TYPES:
                answered(connection, as_request(probe, method, media_type))
        for request in http_probes(listener.url):
            answered(connection, request)
        assert (listener.seen, sum(remote.seen.values())) == (0, 0)
        for path in ("redirect", "redirect-308", "refresh"):
            query = f"ASK {{ SERVICE <{remote.url}/{path}> {{ ?s ?p ?o }} }}"
            status, body = answered(connection, as_request(Probe(path, query), "POST", "application/sparql-query"))
            assert status == 502 and b"redirects" in body
        assert (listener.seen, sum(remote.seen.values())) == (0, 3)
        connection.close()


def test_only_the_exact_iri_of_an_endpoint_is_allowed_and_no_update_reaches_it() -> None:
    with listening() as listener, misbehaving(listener.url) as remote, allowing(remote) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        own = f"{remote.url}/fine"
        host = own.removeprefix("http://")
        number = host.partition(":")[2]
        odd = [
            f"{own}/",
            f"{own}?",
            f"{own}#x",
            f"{own}?x=y",
            f"{remote.url}//fine",
            f"{remote.url}/x/../fine",
            f"{remote.url}/fin%65",
            f"{remote.url}/FINE",
            f"{remote.url}/fin\\u0065",
            f"HTTP://{host}",
            f"https://{host}",
            f"http://user@{host}",
            f"http://user:word@{host}",
            f"http://127.0.0.1@{host}",
            f"http://localhost:{number}",
            f"http://127.1:{number}",
            f"http://2130706433:{number}",
            f"http://0x7f.0.0.1:{number}",
            f"http://[::ffff:127.0.0.1]:{number}",
            f"http://127.0.0.1.:{number}",
            f"//{host}",
            f"file://{host}",
        ]
        queries = [f"ASK {{ SERVICE <{iri}> {{ ?s ?p ?o }} }}" for iri in odd]
        queries += [
            f"PREFIX e: <{remote.url}/> ASK {{ SERVICE {name} {{ }} }}" for name in ("e:fin", "e:fin\\e", "e:fin%65", "fine:")
        ]
        queries += [f"BASE <{remote.url}/> ASK {{ SERVICE <fine> {{ }} }}", f"ASK {{ BIND(<{own}> AS ?e) SERVICE ?e {{ }} }}"]
        queries += [f"INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE <{own}> {{ ?s ?p ?o }} }}", f"LOAD <{own}>"]
        for query in queries:
            for method, media_type in TYPES:
                status, _ = answered(connection, as_request(Probe("odd", query), method, media_type))
                assert status == (403 if media_type == UPDATE_TYPE else 400), query
        update = f"update={quote(f'INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE <{own}> {{ ?s ?p ?o }} }}')}"
        form = (("Content-Type", "application/x-www-form-urlencoded"),)
        assert answered(connection, HttpProbe("get", "GET", f"/sparql?{update}"))[0] == 400
        assert answered(connection, HttpProbe("post", "POST", "/sparql", form, update.encode()))[0] == 403
        assert (listener.seen, sum(remote.seen.values())) == (0, 0)
        fine = as_request(Probe("fine", f"ASK {{ SERVICE <{own}> {{ ?a ?b ?c }} }}"), "POST", "application/sparql-query")
        assert answered(connection, fine)[0] == 200
        assert remote.seen["fine"] == 1
        connection.close()


def as_update(probe: Probe) -> Probe:
    """Return an update that does what a query does; what is no query is an update already, or nothing."""
    query = probe.query.replace("ASK {", "SELECT * WHERE {", 1) if probe.query.startswith("ASK {") else probe.query
    if not query.startswith("SELECT"):
        return probe
    return Probe(probe.name, f"INSERT {{ <urn:a> <urn:b> 1 }} WHERE {{ {{ {query} }} }}")


def test_no_write_makes_the_service_connect(tmp_path: Path) -> None:
    """With a token, and even to endpoints that queries may reach: updates reach none, nor do documents fetch what they name."""
    loose = ox.Store()

    def update_unconfined(probe: Probe) -> None:
        with suppress(SyntaxError, ValueError, OSError, RuntimeError):
            loose.update(as_update(probe).query)

    assert len(connecting(update_unconfined)) >= 15
    with (
        listening() as allowed,
        writer(tmp_path, dataset_file(tmp_path), environment={"SUASION_SERVICES": allowed.url}) as service,
    ):
        statuses: dict[str, int] = {}

        def send(probe: Probe) -> None:
            statuses[probe.name] = service.update(as_update(probe).query).status

        assert connecting(send) == []
        for request in http_probes(allowed.url):
            reply = service.send(request.method, request.path, dict(request.headers), request.body or b"")
            statuses[request.name] = reply.status
        assert service.update(f"INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE <{allowed.url}> {{ ?s ?p ?o }} }}").status == 400
        assert allowed.seen == 0
    assert {name: status for name, status in statuses.items() if status >= 500} == {}


def test_no_probe_makes_the_engine_connect_without_the_gate(bundle: Path) -> None:
    """Only the kernel's filter is left: the worker cannot open a socket."""
    outcomes: dict[str, str] = {}

    async def use(engine: Engine) -> None:
        with listening() as listener:
            for probe in probes(listener.url):
                try:
                    await engine.ask(Question(probe.query), Lane.PUBLIC)
                    outcomes[probe.name] = "answered"
                except SuasionError as error:
                    outcomes[probe.name] = type(error).__name__
            assert listener.seen == 0

    with_engine(bundle, use, deadline_seconds=3.0)
    assert len(outcomes) >= 26
    assert outcomes["service"] == "BadQuery"
    assert set(outcomes.values()) == {"answered", "BadQuery", "UnknownFunction"}
