"""Settings, from the environment, what each may be, and the place of the bundle."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated

from suasion.errors import DataError

PREFIX = "SUASION_"
Value = str | int | float


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `least` to `most`, both included."""

    least: float
    most: float

    def admits(self, value: Value) -> bool:
        """Say whether a value lies within."""
        return not isinstance(value, str) and self.least <= value <= self.most  # false for not-a-number

    def __str__(self) -> str:
        return f"{self.least:,} to {self.most:,}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]

    def admits(self, value: Value) -> bool:
        """Say whether a value is one of them."""
        return value in self.words

    def __str__(self) -> str:
        return f"{', '.join(self.words[:-1])} or {self.words[-1]}"


@dataclass(frozen=True, slots=True)
class Like:
    """A text of a form: a regular expression for the whole, and the form in words."""

    form: str
    words: str

    def admits(self, value: Value) -> bool:
        """Say whether a value has the form."""
        return re.fullmatch(self.form, str(value)) is not None

    def __str__(self) -> str:
        return self.words


Rule = Between | OneOf | Like
Seconds = Annotated[float, Between(0.01, 86_400)]
WholeSeconds = Annotated[int, Between(1, 86_400)]
Processes = Annotated[int, Between(1, 256)]
_HOST = r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set, each by the variable SUASION_<NAME>; options of the command line override it.

    Raises DataError for a value that its rule does not admit.
    """

    host: Annotated[str, Like(r"[\w.:%-]+", "an address or the name of a host")] = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Between(0, 65_535)] = 8000
    """Port to listen on; 0 takes a free one."""
    public_url: Annotated[
        str, Like(r"(https?://[^\s/?#]+(/[^\s/?#]+)*)?", "http:// or https://, a host, perhaps a path, and no slash at the end")
    ] = ""
    """URL, with no slash at its end, under which clients reach the service; empty: the address that it listens on."""
    workers: Processes = 2
    """Processes for SPARQL of the public, each with one query at a time."""
    own_workers: Processes = 2
    """Processes for the curated endpoints, which never wait behind the public."""
    slow_workers: Annotated[int, Between(0, 256)] = 2
    """Heavy queries of the public that may run at once, beside the processes above."""
    own_slow_workers: Annotated[int, Between(0, 256)] = 4
    """Heavy queries of curated endpoints that may run at once, beside all of these."""
    patience_seconds: Seconds = 0.2
    """Computing after which a query is heavy, in seconds; one that only waits is heavy after five times as long."""
    queue_length: Annotated[int, Between(0, 1_000_000)] = 64
    """Requests that may wait for a process; the next one is refused."""
    deadline_seconds: Seconds = 20.0
    """Time that a query may take before its worker is ended."""
    queue_seconds: Seconds = 10.0
    """Time that a request waits for a free worker before it is refused."""
    answer_bytes: Annotated[int, Between(1024, 1 << 40)] = 1024 * 1024 * 1024
    """Largest answer, in bytes of its body, before any coding."""
    spool_bytes: Annotated[int, Between(1024, 1 << 30)] = 1024 * 1024
    """Bytes of an answer that are gathered before the first is sent; up to them an error has its own status."""
    request_bytes: Annotated[int, Between(1024, 1 << 30)] = 1024 * 1024
    """Largest request body, in bytes."""
    worker_memory_bytes: Annotated[int, Between(1 << 30, 1 << 46)] = 4 * 1024 * 1024 * 1024
    """Address space of a worker, in bytes."""
    cache_bytes: Annotated[int, Between(0, 1 << 40)] = 64 * 1024 * 1024
    """Room for answers kept, in bytes of their bodies, and as much for pages and curated answers as they are sent."""
    client_seconds_per_minute: Annotated[float, Between(0, 1_000_000)] = 60.0
    """Computing that a client may have by SPARQL, twice that at once; 0 is no limit."""
    client_failures_per_minute: Annotated[float, Between(0.1, 1_000_000)] = 30.0
    """Queries of a client that may fail, twice that at once."""
    page_rows: Annotated[int, Between(1, 1_000_000)] = 1000
    """Most rows of one page of a curated answer."""
    hosts: Annotated[str, Like(rf"(\s*{_HOST}\s*(,\s*{_HOST}\s*)*)?", "host names with commas between them")] = ""
    """Host names to answer for, with commas between them; any other is refused with 400. Empty: all."""
    trusted_proxies: Annotated[int, Between(0, 100)] = 0
    """Proxies in front, whose X-Forwarded-For tells the client; 0: the client is the peer."""
    log_format: Annotated[str, OneOf(("auto", "json", "none"))] = "auto"
    """Access log on standard error: json, none, or auto, which is json unless standard error is a terminal."""
    log_client: Annotated[str, OneOf(("hash", "address", "none"))] = "hash"
    """The client in the access log: hash (salted anew at each start), address, or none."""
    connections: Annotated[int, Between(1, 1_000_000)] = 500
    """Connections at once; the next one is refused with 503."""
    keep_alive_seconds: WholeSeconds = 15
    """Time that a connection is kept for the next request: longer than clients commonly do, or they send into one that ends."""
    header_seconds: Seconds = 10.0
    """Time to send the headers of a request."""
    body_seconds: Seconds = 10.0
    """Time to send a body, and a second more for each 16 KiB of it; also the longest silence within it."""
    write_seconds: Seconds = 30.0
    """Time that a client may leave an answer unread before it is cut."""
    shutdown_seconds: WholeSeconds = 10
    """Time to finish requests when the service is told to end."""
    writable: str = ""
    """Folder that keeps a dataset that can be written to; empty: nothing can be written."""
    tokens: str = ""
    """File with the names and digests of the tokens that allow to write."""
    write_bytes: Annotated[int, Between(1024, 1 << 34)] = 64 * 1024 * 1024
    """Largest body of a request that writes, in bytes, before and after decoding."""
    change_seconds: Seconds = 60.0
    """Time that a write may take before it is ended, with nothing changed."""
    data_bytes: Annotated[int, Between(1, 1 << 50)] = 1024 * 1024 * 1024
    """Most bytes of RDF files served instead of the bundle, decompressed and together."""
    services: Annotated[str, Like(r"[^\n\r]*", "URLs of endpoints, or IRI=URL, with spaces between")] = ""
    """Endpoints that SERVICE may reach, by exact URL, with spaces between; IRI=URL asks a URL for an IRI. Empty: none."""
    service_seconds: Seconds = 10.0
    """Time that an endpoint of SERVICE may take, to the last byte."""
    service_bytes: Annotated[int, Between(1024, 1 << 30)] = 8 * 1024 * 1024
    """Largest result of an endpoint of SERVICE, in bytes."""
    service_rows: Annotated[int, Between(1, 1_000_000)] = 10_000
    """Most rows of a result of an endpoint of SERVICE."""
    service_connections: Annotated[int, Between(1, 1000)] = 4
    """Requests at once to one host for SERVICE; the next one waits."""
    queries: str = ""
    """Folder with .rq files of your own, whose questions are served beside those of the bundle; empty: none."""
    datasets: str = ""
    """Folder of datasets beside the article; empty: suasion/datasets in the folder for data of the user (XDG_DATA_HOME)."""
    things: Annotated[
        str, Like(r"https?://[^\s<>\"{}|\\^`?#]+[/]", "http:// or https://, a host, perhaps a path, and a slash")
    ] = "https://w3id.org/suasion/id/"
    """What the IRIs of things begin with: what follows is their path here, below /id/."""
    article: str = ""
    """File with a copy of the article, as text or HTML, whose words stand beside what is claimed of them; empty: none."""
    bundle: str = ""
    """Folder with ontology, graph_data and queries; empty: the bundle that came with the package."""

    def __post_init__(self) -> None:
        for name, rule in rules().items():
            _refuse_outside(rule, getattr(self, name), PREFIX + name.upper())


def rules() -> dict[str, Rule]:
    """Return what each setting may be, where not everything of its type."""
    return {field.name: rule for field in fields(Settings) for rule in getattr(field.type, "__metadata__", ())}


def _refuse_outside(rule: Rule, value: Value, place: str) -> None:
    if not rule.admits(value):
        raise DataError(f"{place}={value!r} is refused: it takes {rule}.")


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read SUASION_… variables over the defaults.

    Raises DataError for a variable that is unknown, or whose value has the wrong type or lies outside what it may be.
    """
    known = [field.name for field in fields(Settings)]
    values: dict[str, Value] = {}
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


def overridden(settings: Settings, options: Mapping[str, Value | None]) -> Settings:
    """Return settings with those values that an option of the command line gives, by the name of the setting.

    Raises DataError, which names the option, for a value outside what it may be.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name, rule in rules().items():
        if name in given:
            _refuse_outside(rule, given[name], "--" + name.replace("_", "-"))
    return replace(settings, **given)  # type: ignore[arg-type]


def bundle_folder(settings: Settings) -> Path:
    """Return the folder that holds ontology/, graph_data/ and queries/: the set one, the packaged one, or the repository."""
    if settings.bundle:
        folder = Path(settings.bundle)
        if not (folder / "ontology").is_dir():
            raise DataError(f"{folder} has no folder ontology: name a folder with ontology, graph_data and queries.")
        return folder
    return own_folder()


def own_folder() -> Path:
    """Return the folder with the documents and the bundle of this product: the packaged one, or the repository."""
    packaged = Path(__file__).parent / "_bundle"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]


def datasets_folder(settings: Settings, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of datasets, which need not be there: the set one, or that of the XDG Base Directory Specification."""
    if settings.datasets:
        return Path(settings.datasets)
    home = environment.get("XDG_DATA_HOME", "")
    data = Path(home) if home.startswith("/") else Path.home() / ".local" / "share"  # a relative one is to be ignored
    return data / "suasion" / "datasets"


def served_datasets(settings: Settings) -> Path:
    """Return the folder of datasets to serve. Raises DataError where one is set that is no folder; unset it may be missing."""
    folder = datasets_folder(settings)
    if settings.datasets and not folder.is_dir():
        raise DataError(f"{folder} is no folder of datasets: name one that suasion datasets add made, or leave it out.")
    return folder


def queries_folder(settings: Settings) -> Path | None:
    """Return the folder of questions of one's own, None where none is set."""
    return Path(settings.queries) if settings.queries else None
