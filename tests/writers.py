"""Services that can be written to, started as an operator does, and clients that write to them."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from conftest import Client, Reply, serve, stop
from suasion import tokens

TURTLE = {"Content-Type": "text/turtle"}
UPDATE = {"Content-Type": "application/sparql-update"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
QUIET = {"SUASION_LOG_FORMAT": "none", "SUASION_CLIENT_SECONDS_PER_MINUTE": "0"}
NOTES = "https://example.org/notes"


@dataclass(frozen=True, slots=True)
class Writer:
    """A client with a token, and where the service keeps what it writes."""

    process: subprocess.Popen[str]
    client: Client
    token: str
    folder: Path

    def send(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | str = b"") -> Reply:
        data = body.encode() if isinstance(body, str) else body
        return self.client.send(method, path, {**(headers or {}), "Authorization": f"Bearer {self.token}"}, data)

    def update(self, text: str, parameters: str = "") -> Reply:
        return self.send("POST", "/sparql" + parameters, UPDATE, text)

    def put(self, graph: str, turtle: str) -> Reply:
        return self.send("PUT", at(graph), TURTLE, turtle)

    def triples(self, graph: str) -> set[str] | None:
        """Return the N-Triples lines of a graph, None for one that does not exist."""
        reply = self.client.send("GET", at(graph), {"Accept": "application/n-triples"})
        assert reply.status in (200, 404), reply.body
        return set(reply.body.decode().splitlines()) if reply.status == 200 else None

    def count(self, pattern: str, more: str = "") -> int:
        query = f"SELECT (COUNT(*) AS ?n) WHERE {{ {pattern} }}"
        reply = self.client.send("GET", f"/sparql?query={quote(query)}{more}", {"Accept": "text/csv"})
        assert reply.status == 200, reply.body
        return int(reply.body.split()[1])


def at(graph: str) -> str:
    """Return the path of a graph of any name, "" being the default graph."""
    return f"/graph-store?graph={quote(graph, safe='')}" if graph else "/graph-store?default"


def token_file(folder: Path, *names: str) -> tuple[Path, list[str]]:
    """Write a file of tokens; return it and the tokens."""
    made = [tokens.generated(name) for name in names]
    path = folder / "tokens"
    path.write_text("# who may write\n\n" + "".join(line + "\n" for _, line in made), encoding="utf-8")
    path.chmod(0o600)
    return path, [token for token, _ in made]


@contextmanager
def writer(
    where: Path, *files: Path, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Writer]:
    """Run a service on a folder, `where`/data unless another is named, and end it."""
    folder = folder or where / "data"
    path, (token,) = token_file(where, "tester")
    process, port = serve(
        *("--writable", str(folder), "--tokens", str(path)), *map(str, files), environment={**QUIET, **(environment or {})}
    )
    try:
        yield Writer(process, Client(port), token, folder)
    finally:
        stop(process)


def dataset_file(where: Path, triples: int = 3) -> Path:
    """Write a file with that many triples."""
    path = where / "first.nt"
    lines = (f'<https://example.org/{n}> <https://example.org/p> "{n}" .\n' for n in range(triples))
    path.write_text("".join(lines), encoding="utf-8")
    return path
