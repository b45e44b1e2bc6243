"""From files to a dataset: those of a bundle strictly parsed, each in its graph, what is derived added; or those of anyone."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TextIO

import pyoxigraph as ox

from suasion import files as any_files
from suasion.errors import DataFileError
from suasion.prefixes import GRAPH
from suasion.source import Source
from suasion.syntax import described

CLAIMS = ox.NamedNode(GRAPH + "claims")
_HAS_BLANK_NODE = """
ASK {
  { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } }
  FILTER(ISBLANK(?s) || ISBLANK(?o) || ISTRIPLE(?o) || COALESCE(ISBLANK(?g), false))
}
"""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a bundle and the graph that its default graph becomes."""

    path: Path
    graph: ox.NamedNode
    format: ox.RdfFormat


@dataclass(frozen=True, slots=True)
class Dataset:
    """Two stores with the same named graphs: the default graph of `facts` holds what is reported as fact, that of `union` all.

    The union is a store of its own because the engine, asked for the union of graphs, answers a triple once for each graph.
    """

    facts: ox.Store
    union: ox.Store


def load_source(source: Source, terminal: TextIO | None = None) -> Dataset:
    """Load the files of a source, or its bundle when it has none; progress of files is shown where the terminal is one.

    Raises DataFileError as `load` and `files.read` do; nothing half-loaded is returned.
    """
    if not source.files:
        assert source.bundle is not None
        return load(source.bundle)
    facts = any_files.read(source, terminal)
    if not any(facts.named_graphs()):
        return Dataset(facts, facts)
    union = ox.Store()
    union.bulk_extend(facts)
    union.bulk_extend(ox.Quad(q.subject, q.predicate, q.object) for q in facts if q.graph_name != ox.DefaultGraph())
    return Dataset(facts, union)


def digest(store: ox.Store) -> str:
    """Return the SHA-256, in hexadecimal, of the sorted N-Quads of a store (its RDFC-1.0 form).

    With blank nodes or triple terms, which may hold some, it is "": the lines depend on their labels, and the form that does
    not can take exponential time.
    """
    if store.query(_HAS_BLANK_NODE):
        return ""
    return sha256(b"".join(sorted(lines(store)))).hexdigest()


def lines(store: ox.Store) -> list[bytes]:
    """Return the N-Quads of a store, each with its line end."""
    return (ox.serialize(store, format=ox.RdfFormat.N_QUADS) or b"").splitlines(keepends=True)


def data_files(bundle: Path) -> tuple[DataFile, ...]:
    """Return the data files of a bundle, sorted by path.

    ontology/*.ttl becomes graph:ontology, graph_data/<stem>.ttl graph:<stem>; graph_data/claims/*.trig name their own
    graphs, one for each claim, and what they say about claims becomes graph:claims.
    Raises DataFileError when there is none.
    """
    found = [DataFile(p, ox.NamedNode(GRAPH + "ontology"), ox.RdfFormat.TURTLE) for p in (bundle / "ontology").glob("*.ttl")]
    found += [DataFile(p, ox.NamedNode(GRAPH + p.stem), ox.RdfFormat.TURTLE) for p in (bundle / "graph_data").glob("*.ttl")]
    found += [DataFile(p, CLAIMS, ox.RdfFormat.TRIG) for p in (bundle / "graph_data" / "claims").glob("*.trig")]
    if not found:
        raise DataFileError(f"{bundle}: no ontology/*.ttl and no graph_data: name a folder that holds a bundle.")
    return tuple(sorted(found, key=lambda file: file.path))


def load(bundle: Path) -> Dataset:
    """Load a bundle into memory, each file strictly and whole, and derive from it by queries/derive/*.ru in the order of names.

    Raises DataFileError with file and line; nothing half-loaded is returned.
    """
    files = data_files(bundle)
    facts = ox.Store()
    for file in files:
        if file.format == ox.RdfFormat.TRIG:
            _read(facts, file, None)
    facts.update(f"MOVE DEFAULT TO <{CLAIMS.value}>")
    for file in files:
        if file.format != ox.RdfFormat.TRIG:
            _read(facts, file, file.graph)
    for rule in sorted((bundle / "queries" / "derive").glob("*.ru")):
        try:
            facts.update(rule.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise DataFileError(f"{rule}, {described(error.msg)[0]}") from error
        except UnicodeDecodeError as error:
            raise DataFileError(f"{rule}: byte {error.start} is not UTF-8.") from error
    union = ox.Store()
    union.extend(facts)
    union.update("INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }")
    return Dataset(facts, union)


def _read(store: ox.Store, file: DataFile, graph: ox.NamedNode | None) -> None:
    try:
        store.load(path=str(file.path), format=file.format, to_graph=graph)
    except SyntaxError as error:
        raise DataFileError(f"{file.path}, line {error.lineno}: {error.msg}") from error
    except (OSError, ValueError) as error:
        raise DataFileError(f"{file.path}: {error}") from error
