"""The SHACL shapes of ontology/shapes, run by pySHACL over all graphs of a bundle together."""

from collections.abc import Mapping
from pathlib import Path

import pyoxigraph as ox
import rdflib
from pyshacl import validate
from rdflib.namespace import RDF, SH

from suasion.checks import Fault
from suasion.errors import DataFileError
from suasion.prefixes import Prefixes


def shape_files(bundle: Path) -> tuple[Path, ...]:
    """Return the shape files of a bundle, sorted."""
    return tuple(sorted((bundle / "ontology" / "shapes").glob("*.ttl")))


def read_shapes(bundle: Path) -> rdflib.Graph:
    """Read all shapes of a bundle into one graph.

    Raises DataFileError with file and line for a file that does not parse.
    """
    graph = rdflib.Graph()
    for path in shape_files(bundle):
        try:
            triples = ox.serialize(ox.parse(path=str(path), format=ox.RdfFormat.TURTLE), format=ox.RdfFormat.N_TRIPLES)
        except SyntaxError as error:
            raise DataFileError(f"{path}, line {error.lineno}: {error.msg}") from error
        graph.parse(data=triples or b"", format="nt")
    return graph


def as_graph(union: ox.Store) -> rdflib.Graph:
    """Return the default graph of a store as an rdflib graph."""
    graph = rdflib.Graph()
    graph.parse(data=union.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph()) or b"", format="nt")
    return graph


def faults(data: rdflib.Graph, shapes: rdflib.Graph, places: Mapping[str, str], prefixes: Prefixes) -> tuple[Fault, ...]:
    """Validate a graph and return what does not conform, in the order of the IRIs at fault."""
    _, report, _ = validate(data, shacl_graph=shapes, advanced=True, inference="none")
    assert isinstance(report, rdflib.Graph)
    found = []
    for result in report.subjects(RDF.type, SH.ValidationResult):
        subject = str(report.value(result, SH.focusNode))
        shape = prefixes.shorten(str(report.value(result, SH.sourceShape)))
        message = str(report.value(result, SH.resultMessage))
        value = report.value(result, SH.value)
        shown = f"{message} (it has {prefixes.shorten(str(value))})" if value is not None and str(value) != subject else message
        found.append(Fault(shape, prefixes.shorten(subject), places.get(subject, "in no file"), shown))
    return tuple(sorted(found, key=lambda fault: (fault.subject, fault.message)))
