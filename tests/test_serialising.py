"""What the engine writes wrongly is mended, and all else is as the engine writes it."""

import csv
import io
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest

from suasion.exchange import GRAPH_TYPES, SOLUTION_TYPES
from suasion.loading import Dataset
from suasion.serialising import serialise

ODD = """
SELECT ?a ?b ?c WHERE {
  VALUES (?a ?b ?c) {
    (<tag:e.example,2024:x> "a,b" <http://e.example/,>)
    ("" UNDEF "quote \\" tab \\t line \\n return \\r backslash \\\\ n")
    ("_:x" "<y>" "?z"@en)
    (1 1.5 1.5e0)
    (true "2024-02-29"^^<http://www.w3.org/2001/XMLSchema#date> "x"^^<http://e.example/a,b>)
    (UNDEF UNDEF UNDEF)
  }
}
"""


def written(store: ox.Store, query: str, media_type: str) -> bytes:
    out = io.BytesIO()
    serialise(store.query(query), out, media_type, {})
    return out.getvalue()


def test_a_comma_in_an_iri_adds_no_column() -> None:
    assert list(csv.reader(io.StringIO(written(ox.Store(), ODD, "text/csv").decode(), newline=""), strict=True)) == [
        ["a", "b", "c"],
        ["tag:e.example,2024:x", "a,b", "http://e.example/,"],
        ["", "", 'quote " tab \t line \n return \r backslash \\ n'],
        ["_:x", "<y>", "?z"],
        ["1", "1.5", "1.5"],
        ["true", "2024-02-29", "x"],
        ["", "", ""],
    ]


@pytest.mark.parametrize("media_type", ["application/sparql-results+xml", "application/rdf+xml"])
def test_a_carriage_return_survives_xml(media_type: str) -> None:
    term = '"a\\r\\nb\\rc\\nd"'
    query = f"SELECT ({term} AS ?x) {{}}" if "results" in media_type else f"CONSTRUCT {{ <urn:s> <urn:p:x> {term} }} WHERE {{}}"
    document = ElementTree.fromstring(written(ox.Store(), query, media_type))  # noqa: S314 - written on this machine
    texts = [element.text for element in document.iter()]
    assert "a\r\nb\rc\nd" in texts


@pytest.mark.parametrize("media_type", SOLUTION_TYPES)
@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?s ?p ?o WHERE { GRAPH <https://w3id.org/suasion/graph/claims> { ?s ?p ?o } FILTER(!CONTAINS(STR(?s), ',')) }",
        "SELECT ?x ?y WHERE { VALUES (?x ?y) { (1 UNDEF) (UNDEF UNDEF) ('' '') } }",
        "SELECT ?x WHERE { VALUES ?x { 1 UNDEF '' } }",
        "SELECT * WHERE {}",
        "SELECT ?x WHERE { FILTER(false) }",
        "ASK {}",
    ],
)
def test_other_results_are_as_the_engine_writes_them(media_type: str, query: str, dataset: Dataset) -> None:
    results = dataset.facts.query(query)
    assert isinstance(results, ox.QuerySolutions | ox.QueryBoolean)
    assert written(dataset.facts, query, media_type) == results.serialize(
        format=ox.QueryResultsFormat.from_media_type(media_type)
    )


@pytest.mark.parametrize("media_type", GRAPH_TYPES)
def test_graphs_are_as_the_engine_writes_them(media_type: str, dataset: Dataset) -> None:
    query = "CONSTRUCT { ?s ?p ?o } WHERE { GRAPH <https://w3id.org/suasion/graph/places> { ?s ?p ?o } }"
    triples = dataset.facts.query(query)
    assert isinstance(triples, ox.QueryTriples)
    assert written(dataset.facts, query, media_type) == ox.serialize(triples, format=ox.RdfFormat.from_media_type(media_type))
