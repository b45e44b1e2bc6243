"""Results and graphs written by the engine, mended where it writes what its readers would take for something else."""

import io
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

QUAD_TYPES = ("application/n-quads", "application/trig")
"""The formats of graphs that tell in which graph a statement stands."""
_LINES = 4096
_LOOKED_AT = 2000
"""Statements of a graph that are looked at for the prefixes that they need; one with more declares all."""
_ESCAPE = re.compile(rb"\\(.)")
_CHARACTERS = {b"t": b"\t", b"n": b"\n", b"r": b"\r", b'"': b'"', b"\\": b"\\"}
_QUOTED = re.compile(rb'[",\r\n]')


def serialise(
    results: ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples | Iterable[ox.Quad],
    out: io.BytesIO,
    media_type: str,
    prefixes: Mapping[str, str],
) -> None:
    """Write results, or quads, in a format that suits them; one without graphs has the triples of quads, each once.

    Raises whatever `out` raises, and what the engine finds wrong while it evaluates.
    """
    target = _References(out) if media_type.endswith("xml") else out
    if isinstance(results, ox.QueryTriples):
        _write(results, target, media_type, prefixes)
    elif media_type == "text/csv" and isinstance(results, ox.QuerySolutions):
        results.serialize(_Csv(out), ox.QueryResultsFormat.TSV)
    elif isinstance(results, ox.QuerySolutions | ox.QueryBoolean):
        results.serialize(target, ox.QueryResultsFormat.from_media_type(media_type))
    elif media_type in QUAD_TYPES:
        _write(results, target, media_type, prefixes)
    else:
        _write(dict.fromkeys(quad.triple for quad in results), target, media_type, prefixes)


def _write(
    statements: Iterable[ox.Triple] | Iterable[ox.Quad], out: io.BytesIO, media_type: str, prefixes: Mapping[str, str]
) -> None:
    rest = iter(statements)
    first: list[Any] = list(islice(rest, _LOOKED_AT + 1))
    declared = _needed(first, prefixes) if len(first) <= _LOOKED_AT else dict(prefixes)
    whole: Iterable[Any] = chain(first, rest)
    ox.serialize(whole, out, ox.RdfFormat.from_media_type(media_type), prefixes=declared)


def _needed(statements: Iterable[ox.Triple] | Iterable[ox.Quad], prefixes: Mapping[str, str]) -> dict[str, str]:
    """Return the prefixes with which an IRI of the statements begins."""
    iris = sorted({iri for statement in statements for term in statement for iri in _iris(term)})
    found = {}
    for name, namespace in prefixes.items():
        at = bisect_left(iris, namespace)
        if at < len(iris) and iris[at].startswith(namespace):
            found[name] = namespace
    return found


def _iris(term: object) -> Iterator[str]:
    match term:
        case ox.NamedNode():
            yield term.value
        case ox.Literal():
            yield term.datatype.value
        case ox.Triple():
            for part in term:
                yield from _iris(part)


def write_dump(store: ox.Store, out: io.BytesIO, media_type: str, prefixes: Mapping[str, str]) -> None:
    """Write all quads of a store: the same bytes for the same quads, unless there are blank nodes.

    N-Quads are sorted by bytes, as the digest of a dataset is taken of them; TriG has each graph once. Raises what `out` raises.
    """
    if media_type == "application/n-quads":
        lines = sorted((ox.serialize(store, format=ox.RdfFormat.N_QUADS) or b"").splitlines(keepends=True))
        for start in range(0, len(lines), _LINES):
            out.write(b"".join(lines[start : start + _LINES]))
        return
    quads = sorted(store, key=lambda quad: (str(quad.graph_name), str(quad.subject), str(quad.predicate), str(quad.object)))
    ox.serialize(quads, out, ox.RdfFormat.from_media_type(media_type), prefixes=dict(prefixes))


class _References(io.BytesIO):
    """Writes carriage returns as references: readers of XML take a bare one for a line feed (XML 1.0, section 2.11)."""

    def __init__(self, out: io.BytesIO) -> None:
        super().__init__()
        self._out = out

    def write(self, data: "ReadableBuffer") -> int:
        text = bytes(data)
        self._out.write(text.replace(b"\r", b"&#13;"))
        return len(text)


class _Csv(io.BytesIO):
    """Writes CSV for what it is given as TSV: in its CSV the engine leaves commas of IRIs bare, which adds columns.

    The forms are those of SPARQL 1.1 Query Results CSV and TSV Formats; a line of TSV is a row, and a tab parts two cells.
    """

    def __init__(self, out: io.BytesIO) -> None:
        super().__init__()
        self._out = out
        self._line = b""
        self._head = True

    def write(self, data: "ReadableBuffer") -> int:
        text = bytes(data)
        *lines, self._line = (self._line + text).split(b"\n")
        if lines and self._head:
            lines[0] = lines[0].replace(b"?", b"")
            self._head = False
        if lines:
            self._out.write(b"".join(b",".join(map(_cell, line.split(b"\t"))) + b"\r\n" for line in lines))
        return len(text)


def _cell(term: bytes) -> bytes:
    """Return the text of a term of TSV as a cell of CSV (RFC 4180)."""
    if term[:1] == b"<" and term[:2] != b"<<":
        text = term[1:-1]
    elif term[:1] == b'"':
        text = term[1 : term.rindex(b'"')]
        if b"\\" in text:
            text = _ESCAPE.sub(lambda match: _CHARACTERS[match[1]], text)
    else:
        text = term
    return b'"' + text.replace(b'"', b'""') + b'"' if _QUOTED.search(text) else text
