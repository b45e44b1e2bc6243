"""Settings, from the environment, and the place of the bundle."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from suasion.errors import DataError

PREFIX = "SUASION_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set, each by the variable SUASION_<NAME>; options of the command line override it."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    """Port to listen on; 0 takes a free one."""
    public_url: str = ""
    """URL, with no slash at its end, under which clients reach the service; empty: the address that it listens on."""
    workers: int = 2
    """Processes for SPARQL of the public, each with one query at a time."""
    own_workers: int = 2
    """Processes for the curated endpoints, which never wait behind the public."""
    slow_workers: int = 2
    """Heavy queries that may run at once, beside the processes above."""
    patience_seconds: float = 0.2
    """Time after which a query is heavy."""
    queue_length: int = 64
    """Requests that may wait for a process; the next one is refused."""
    deadline_seconds: float = 20.0
    """Time that a query may take before its worker is ended."""
    queue_seconds: float = 10.0
    """Time that a request waits for a free worker before it is refused."""
    answer_bytes: int = 64 * 1024 * 1024
    """Largest answer, in bytes of its body."""
    request_bytes: int = 1024 * 1024
    """Largest request body, in bytes."""
    worker_memory_bytes: int = 4 * 1024 * 1024 * 1024
    """Address space of a worker, in bytes."""
    cache_bytes: int = 64 * 1024 * 1024
    """Room for answers kept, in bytes of their bodies."""
    client_seconds_per_minute: float = 60.0
    """Computing that a client may have by SPARQL, twice that at once; 0 is no limit."""
    client_failures_per_minute: float = 30.0
    """Queries of a client that may fail, twice that at once."""
    page_rows: int = 1000
    """Most rows of one page of a curated answer."""
    hosts: str = ""
    """Host names to answer for, with commas between them; any other is refused with 400. Empty: all."""
    trusted_proxies: int = 0
    """Proxies in front, whose X-Forwarded-For tells the client; 0: the client is the peer."""
    log_format: str = "auto"
    """Access log on standard error: json, none, or auto, which is json unless standard error is a terminal."""
    log_client: str = "hash"
    """The client in the access log: hash (salted anew at each start), address, or none."""
    connections: int = 500
    """Connections at once; the next one is refused with 503."""
    keep_alive_seconds: int = 5
    """Time that a connection is kept for the next request."""
    header_seconds: float = 10.0
    """Time to send the headers of a request."""
    body_seconds: float = 10.0
    """Time to send a body, and a second more for each 16 KiB of it; also the longest silence within it."""
    write_seconds: float = 30.0
    """Time that a client may leave an answer unread before it is cut."""
    shutdown_seconds: int = 10
    """Time to finish requests when the service is told to end."""
    data_bytes: int = 1024 * 1024 * 1024
    """Most bytes of RDF files served instead of the bundle, decompressed and together."""
    queries: str = ""
    """Folder with .rq files of your own, whose questions are served beside those of the bundle; empty: none."""
    bundle: str = ""
    """Folder with ontology, graph_data and queries; empty: the bundle that came with the package."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read SUASION_… variables over the defaults.

    Raises DataError for a variable that is unknown or whose value has the wrong type.
    """
    known = {f.name: f.type for f in fields(Settings)}
    values: dict[str, str | int | float] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            choices = ", ".join(PREFIX + n.upper() for n in known)
            raise DataError(f"{variable} is no setting; the settings are {choices}.")
        convert = {str: str, int: int, float: float}[type(getattr(Settings(), name))]
        try:
            values[name] = convert(text)
        except ValueError:
            raise DataError(f"{variable}={text!r} is not of type {convert.__name__}.") from None
    return replace(Settings(), **values)  # type: ignore[arg-type]


def bundle_folder(settings: Settings) -> Path:
    """Return the folder that holds ontology/, graph_data/ and queries/: the set one, the packaged one, or the repository."""
    if settings.bundle:
        folder = Path(settings.bundle)
        if not (folder / "ontology").is_dir():
            raise DataError(f"{folder} has no folder ontology: name a folder with ontology, graph_data and queries.")
        return folder
    packaged = Path(__file__).parent / "_bundle"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]


def queries_folder(settings: Settings) -> Path | None:
    """Return the folder of questions of one's own, None where none is set."""
    return Path(settings.queries) if settings.queries else None
