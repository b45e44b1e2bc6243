"""RDF files of anyone, in any format and compression that is known by name, to a store: strictly, all or nothing."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO
from urllib.parse import quote, urljoin

import pyoxigraph as ox

from suasion.errors import DataFileError
from suasion.progress import Meter
from suasion.source import Source
from suasion.streams import COMPRESSIONS, Budget, Scan, ShallowJson, WholeXml, opened

FORMATS = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".trig": ox.RdfFormat.TRIG,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".xml": ox.RdfFormat.RDF_XML,
    ".owl": ox.RdfFormat.RDF_XML,
    ".jsonld": ox.RdfFormat.JSON_LD,
}
_SHOWN = 200
_PLACE = re.compile(r"Parser error at line \d+ (?:column (\d+)|between columns (\d+) and (?:line \d+ column )?\d+): ")
# What the parser says, and what the author of a file can do about it.
_REMEDIES = (
    ("No scheme found in an absolute IRI", "write whole IRIs, or give --base-iri"),
    ("No LoadDocumentCallback", "contexts are not fetched: write the context into the file"),
    ("Invalid remote context", "contexts are not fetched: write the context into the file"),
    ("utf-8", "save it as UTF-8"),
    ("\ufeff", "save it without a byte order mark"),
)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    format: ox.RdfFormat
    graph: ox.NamedNode | None
    size: int


def read(source: Source, terminal: TextIO | None = None) -> ox.Store:
    """Return a store of what the files of a source say.

    Quads go to their graphs, triples to the default graph, or with `graph_per_file` to the graph of their file, whose name is
    then also what relative IRIs in the file are resolved against (RFC 3986, section 5.1.3). Blank nodes of two files are never
    the same. Progress is shown where the terminal is one.
    Raises DataFileError with file, line where there is one, and remedy; nothing half-loaded is returned.
    """
    if source.base_iri:
        _refuse_relative_base(source.base_iri)
    files = _files(source)
    store = ox.Store()
    budget = Budget(source.most_bytes)
    before = 0
    with Meter(sum(file.size for file in files), terminal) as meter:
        for file in files:
            base_iri = file.graph.value if file.graph else source.base_iri or None
            _load(store, file, base_iri, budget, _shown(meter, before, file.path.name))
            before += file.size
    return store


def _shown(meter: Meter, before: int, name: str) -> Callable[[int], None]:
    return lambda done: meter.at(before + done, name)


def _refuse_relative_base(iri: str) -> None:
    try:
        ox.NamedNode(iri)
    except ValueError as error:
        raise DataFileError(f"--base-iri {iri}: {error}: give a whole IRI, such as https://example.org/data/.") from error


def _files(source: Source) -> tuple[_File, ...]:
    """Return the files with format and graph; all that can be refused without reading them is refused here."""
    found: list[_File] = []
    by_place: dict[Path, Path] = {}
    by_graph: dict[str, Path] = {}
    for path in source.files:
        kind = _format(path)
        try:
            size = path.stat().st_size
            place = path.resolve()
        except OSError as error:
            raise _unreadable(path, error) from error
        if place in by_place:
            raise DataFileError(f"{path}: the same file as {by_place[place]}: give it once.")
        by_place[place] = path
        graph = _graph(path, source.base_iri) if source.graph_per_file else None
        if graph and by_graph.setdefault(graph.value, path) != path:
            raise DataFileError(f"{path}: its graph {graph} is that of {by_graph[graph.value]}: rename one of them.")
        found.append(_File(path, kind, graph, size))
    return tuple(found)


def _format(path: Path) -> ox.RdfFormat:
    plain = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
    kind = FORMATS.get(plain.suffix.lower())
    if kind is None:
        shown = f"the ending {plain.suffix} is not known" if plain.suffix else "no ending that tells the format"
        raise DataFileError(f"{path}: {shown}: name it {' '.join(FORMATS)}, and after that {' '.join(COMPRESSIONS)} or nothing.")
    return kind


def _graph(path: Path, base_iri: str) -> ox.NamedNode:
    try:
        return ox.NamedNode(urljoin(base_iri, quote(path.name.encode("utf-8", "surrogateescape"), safe="")))
    except ValueError as error:
        remedy = "give --base-iri, such as https://example.org/data/"
        raise DataFileError(
            f"{path}: --graph-per-file needs an IRI that names of files are resolved against: {remedy}."
        ) from error


def _load(store: ox.Store, file: _File, base_iri: str | None, budget: Budget, at: Callable[[int], None]) -> None:
    try:
        with file.path.open("rb") as raw, opened(file.path, raw, budget, scan(file.path, file.format), at) as stream:
            store.bulk_load(input=stream, format=file.format, base_iri=base_iri, to_graph=file.graph)
    except SyntaxError as error:
        raise _misparsed(file, error, base_iri) from error
    except OSError as error:
        raise _unreadable(file.path, error) from error


def scan(path: Path, format_: ox.RdfFormat) -> Scan | None:
    """Return what looks at the bytes of a format before the parser does, None where nothing need."""
    if format_ == ox.RdfFormat.RDF_XML:
        return WholeXml(path)
    if format_ == ox.RdfFormat.JSON_LD:
        return ShallowJson(path)
    return None


def fault(name: str, error: SyntaxError, line: int | None) -> str:
    """Return one sentence on what a parser found in something of a name, with the place and a remedy."""
    message = " ".join(error.msg.split())
    place = _PLACE.match(message)
    column = f", column {place[1] or place[2]}" if place else ""
    words = message[place.end() :] if place else message
    remedy = next((remedy for known, remedy in _REMEDIES if known.lower() in words.lower()), "correct the file")
    shown = "".join(c if c.isprintable() else "�" for c in words.rstrip("."))
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + " …"
    return f"{name}{f', line {line}' if line else ''}{column}: {shown}: {remedy}."


def line_of_fault(stream: IO[bytes], format_: ox.RdfFormat, base_iri: str | None) -> int:
    """Return the line at which the parser stops: it is fed line by line, for its errors in RDF/XML name none."""

    class Lines:
        number = 0

        def read(self, _: int = -1) -> bytes:
            self.number += 1
            return stream.readline()

    lines = Lines()
    try:
        for _ in ox.parse(input=lines, format=format_, base_iri=base_iri):  # type: ignore[arg-type]
            pass
    except SyntaxError:
        return lines.number
    return lines.number


def _misparsed(file: _File, error: SyntaxError, base_iri: str | None) -> DataFileError:
    line = error.lineno
    if line is None and file.format == ox.RdfFormat.RDF_XML:
        again = scan(file.path, file.format)
        with file.path.open("rb") as raw, opened(file.path, raw, Budget(sys.maxsize), again, lambda _: None) as stream:
            line = line_of_fault(stream, file.format, base_iri)
    return DataFileError(fault(str(file.path), error, line))


def _unreadable(path: Path, error: OSError) -> DataFileError:
    remedy = "name the files in it" if isinstance(error, IsADirectoryError) else "check the name and who may read it"
    return DataFileError(f"{path}: {(error.strerror or str(error)).lower()}: {remedy}.")
