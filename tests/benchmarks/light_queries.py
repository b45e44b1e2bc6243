"""Light queries a second, of this service and of others on the same data, as JSON.

Each client holds one connection and asks for what is said of a claim, each time with another text, so that no answer is one
kept. The same with one text for all shows what is kept. The other servers come from PyPI, into a temporary environment; one
that cannot be had, or does not answer, is named with the reason.
"""

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from suasion import loading

ROOT = Path(__file__).parents[2]
CLIENTS = (1, 8, 64)
CLAIM = ox.NamedNode("https://schema.org/Claim")
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens; `path` is that of its SPARQL endpoint."""

    name: str
    port: int
    path: str


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return once a port is listened on. Raises RuntimeError when the process ends before, or takes too long."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"it does not listen (exit status {process.poll()})")


def query_of(claim: str, number: int) -> str:
    return f"SELECT ?p ?o WHERE {{ <{claim}> ?p ?o }} # {number}"


async def asked(server: Server, queries: Iterator[str], seconds: float) -> tuple[int, int]:
    """Ask on one connection for some seconds; return how many answers were right and how many were not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    right = wrong = 0
    ends = time.monotonic() + seconds
    try:
        while time.monotonic() < ends:
            target = f"{server.path}?query={quote(next(queries))}"
            head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept: application/sparql-results+json\r\n\r\n"
            writer.write(head.encode())
            status, body = await response_of(reader)
            if status == 200 and b'"bindings"' in body and b'"type"' in body:
                right += 1
            else:
                wrong += 1
    finally:
        writer.close()
    return right, wrong


async def response_of(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if "content-length" in headers:
        return int(head[0].split()[1]), await reader.readexactly(int(headers["content-length"]))
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return int(head[0].split()[1]), body


async def rate(server: Server, clients: int, claims: Sequence[str], seconds: float, alike: bool) -> float:
    """Return right answers a second. Raises RuntimeError when any was wrong, or a connection was cut."""

    def queries(first: int) -> Iterator[str]:
        number = first
        while True:
            yield query_of(claims[0], 0) if alike else query_of(claims[number % len(claims)], number)
            number += clients

    started = time.monotonic()
    offset = time.time_ns()  # no text was asked in an earlier round
    results = await asyncio.gather(*(asked(server, queries(offset + n), seconds) for n in range(clients)))
    if wrong := sum(wrong for _, wrong in results):
        raise RuntimeError(f"{wrong} answers were wrong")
    return sum(right for right, _ in results) / (time.monotonic() - started)


def measured(server: Server, claims: Sequence[str], rounds: int, seconds: float, alike: bool = False) -> dict[str, object]:
    report: dict[str, object] = {}
    for clients in CLIENTS:
        try:
            asyncio.run(rate(server, clients, claims, min(seconds, 1), alike))
            found = [round(asyncio.run(rate(server, clients, claims, seconds, alike)), 1) for _ in range(rounds)]
            report[str(clients)] = {"median": statistics.median(found), "rounds": found}
        except (RuntimeError, OSError, asyncio.IncompleteReadError) as error:
            report[str(clients)] = {"failed": str(error) or repr(error)}
    return report


def ratios(results: Mapping[str, Mapping[str, object]], ours: str) -> dict[str, dict[str, float]]:
    """Return how many times the answers a second of each other server ours gives, by the number of clients."""

    def median(name: str, clients: str) -> float | None:
        found = results[name].get(clients)
        return found.get("median") if isinstance(found, dict) else None

    table: dict[str, dict[str, float]] = {}
    for name in results:
        if name.startswith(ours):
            continue
        for clients in map(str, CLIENTS):
            mine, theirs = median(ours, clients), median(name, clients)
            if mine and theirs:
                table.setdefault(f"{ours} / {name}", {})[clients] = round(mine / theirs, 2)
    return table


def install(environment: Path, package: str) -> Path:
    """Install a package and return the folder of its programs. Raises RuntimeError when it cannot be had."""
    if not environment.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, capture_output=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{package} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return environment / "bin"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="measurements of which the median is taken (3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a measurement (3)")
    parser.add_argument("--alone", action="store_true", help="measure this service only")
    options = parser.parse_args()
    store = loading.load(ROOT).facts
    found = (quad.subject for quad in store.quads_for_pattern(None, TYPE, CLAIM, ox.DefaultGraph()))
    claims = sorted(subject.value for subject in found if isinstance(subject, ox.NamedNode))
    results: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environment = {
            "PYTHONPATH": str(ROOT / "service"),
            "SUASION_CLIENT_SECONDS_PER_MINUTE": "0",
            "SUASION_LOG_FORMAT": "none",
        }
        command = [sys.executable, "-m", "suasion", "serve", "--port", str(port)]
        with running(command, environment) as process:
            wait_for(port, process)
            ours = Server("suasion", port, "/sparql")
            results["suasion"] = measured(ours, claims, options.rounds, options.seconds)
            results["suasion, one text"] = measured(ours, claims, options.rounds, options.seconds, alike=True)
        if not options.alone:
            data = Path(folder) / "facts.nq"
            ox.serialize(store, output=str(data), format=ox.RdfFormat.N_QUADS)
            plain = Path(folder) / "facts.nt"  # the default graph only: that is all that the queries see
            default = (quad.triple for quad in store.quads_for_pattern(None, None, None, ox.DefaultGraph()))
            ox.serialize(default, output=str(plain), format=ox.RdfFormat.N_TRIPLES)
            for name, start in (("oxigraph serve", serve_oxigraph), ("rdflib-endpoint", serve_rdflib)):
                try:
                    with ExitStack() as one:
                        server = start(one, Path(folder), data, plain)
                        results[name] = measured(server, claims, options.rounds, options.seconds)
                except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                    results[name] = {"not measured": str(error)}
    document = {
        "unit": "right answers a second",
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "rounds": options.rounds,
        "seconds": options.seconds,
        "clients": results,
        "ratios": ratios(results, "suasion"),
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def serve_oxigraph(stack: ExitStack, folder: Path, data: Path, _: Path) -> Server:
    program = install(folder / "oxigraph", "oxigraph") / "oxigraph"
    if not program.exists():
        raise RuntimeError("the package oxigraph has no server for this platform")
    place = str(folder / "store")
    subprocess.run([str(program), "load", "--location", place, "--file", str(data)], check=True, capture_output=True)
    port = free_port()
    process = stack.enter_context(running([str(program), "serve-read-only", "--location", place, "--bind", f"127.0.0.1:{port}"]))
    wait_for(port, process)
    return Server("oxigraph serve", port, "/query")


def serve_rdflib(stack: ExitStack, folder: Path, _: Path, plain: Path) -> Server:
    program = install(folder / "rdflib", "rdflib-endpoint[cli]") / "rdflib-endpoint"
    port = free_port()
    command = [str(program), "serve", "--host", "127.0.0.1", "--port", str(port), str(plain)]
    process = stack.enter_context(running(command))
    wait_for(port, process)
    return Server("rdflib-endpoint", port, "/")


if __name__ == "__main__":
    main()
