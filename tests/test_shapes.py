"""Every shape has been seen to fail: valid examples conform, invalid ones trip the one shape that line 1 names."""

from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.namespace import RDF, RDFS, SH, SKOS

from suasion import prefixes, shapes
from suasion.checks import Fault

BUNDLE = Path(__file__).parents[1]
EXAMPLES = BUNDLE / "ontology" / "examples"
TOYS = EXAMPLES / "toys.valid.ttl"
VALID = sorted(EXAMPLES.glob("*.valid.ttl"))
INVALID = sorted(EXAMPLES.glob("*.invalid.ttl"))
EXPECTS = "# expects: "
SCHEMA = {RDF.type, RDFS.subClassOf, SKOS.notation, SKOS.prefLabel, rdflib.URIRef(prefixes.DEF + "countsAsFact")}
TERM_TYPES = {
    rdflib.URIRef("http://www.w3.org/2002/07/owl#" + name) for name in ("Class", "DatatypeProperty", "ObjectProperty", "Ontology")
}


def name(path: Path) -> str:
    return path.name.removesuffix(".ttl")


def read(path: Path) -> rdflib.Graph:
    """Read a Turtle file as strictly as the service does: no blank nodes."""
    triples = ox.serialize(ox.parse(path=str(path), format=ox.RdfFormat.TURTLE), format=ox.RdfFormat.N_TRIPLES)
    return rdflib.Graph().parse(data=triples or b"", format="nt")


@cache
def shape_graph() -> rdflib.Graph:
    return shapes.read_shapes(BUNDLE)


@cache
def table() -> prefixes.Prefixes:
    return prefixes.declared(BUNDLE)


@cache
def ontology() -> rdflib.Graph:
    graph = rdflib.Graph()
    for path in sorted((BUNDLE / "ontology").glob("*.ttl")):
        graph += read(path)
    return graph


@cache
def toys() -> rdflib.Graph:
    """Return the toys with what the ontology says of codes and classes; the rest of it would only cost time."""
    graph = read(TOYS)
    for triple in ontology():
        if triple[1] in SCHEMA and triple[2] not in TERM_TYPES:
            graph.add(triple)
    return graph


@cache
def faults(path: Path) -> tuple[Fault, ...]:
    return shapes.faults(toys() + read(path), shape_graph(), {}, table())


def expected(path: Path) -> str:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(EXPECTS), f"{path.name}: line 1 has to begin with {EXPECTS!r}"
    return first.removeprefix(EXPECTS)


def messages() -> dict[str, list[str]]:
    """Return the messages and the shapes that carry each."""
    found: dict[str, list[str]] = {}
    for shape, message in shape_graph().subject_objects(SH.message):
        found.setdefault(str(message), []).append(table().shorten(str(shape)))
    return found


@pytest.mark.parametrize("path", VALID, ids=name)
def test_valid_example_conforms(path: Path) -> None:
    assert [str(fault) for fault in faults(path)] == []


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_invalid_example_trips_one_shape(path: Path) -> None:
    message = expected(path)
    assert {fault.rule for fault in faults(path)} == set(messages()[message])
    assert all(fault.message.startswith(message) for fault in faults(path))


def test_every_shape_is_tripped() -> None:
    tripped = {fault.rule for path in INVALID for fault in faults(path)}
    properties = {table().shorten(str(shape)) for shape in shape_graph().objects(None, SH.property)}
    assert properties - tripped == set()
    assert {shape for carriers in messages().values() for shape in carriers} - tripped == set()


def test_no_message_is_used_twice() -> None:
    assert {message: carriers for message, carriers in messages().items() if len(carriers) > 1} == {}


def test_no_two_examples_expect_the_same() -> None:
    assert len({expected(path) for path in INVALID}) == len(INVALID)


def test_property_shapes_have_iris() -> None:
    assert [shape for shape in shape_graph().objects(None, SH.property) if isinstance(shape, rdflib.BNode)] == []


def test_there_are_valid_examples_of_each_theme() -> None:
    assert {path.stem for path in shapes.shape_files(BUNDLE)} <= {path.name.split(".")[0] for path in VALID}


def test_the_ontology_conforms() -> None:
    assert [str(fault) for fault in shapes.faults(ontology(), shape_graph(), {}, table())] == []
