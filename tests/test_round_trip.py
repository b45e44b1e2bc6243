"""What is answered is what was loaded: every format of graphs and of results, read again by other libraries."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox
import pytest
import rdflib
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.query import Result
from rdflib.term import Node

from conftest import Client, serve, stop

FORMATS = {
    "text/turtle": "turtle",
    "application/n-triples": "nt",
    "application/n-quads": "nquads",
    "application/trig": "trig",
    "application/rdf+xml": "xml",
    "application/ld+json": "json-ld",
}
RESULTS = {
    "application/sparql-results+json": "json",
    "application/sparql-results+xml": "xml",
    "text/tab-separated-values": "tsv",
}
EVERYTHING = quote("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
ROWS = quote("SELECT ?s ?p ?o WHERE { ?s ?p ?o }")
PATHS = (f"/sparql?query={EVERYTHING}", "/graph-store?default")
RICH = """\
PREFIX : <http://e.example/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>

:plain :says "text", "", " blanks  at both ends ", "quote \\" apostrophe ' backslash \\\\", "tab\\tline\\nreturn\\rdone", "a,b;c",
    "<&>]]>", "é 漢 😀 \\u0301", "_:no node", "http://no.iri/", "=1+1", '''three "" quotes''' .
:tagged :says "text"@en, "texte"@fr-ca, "文"@zh-hant, "same"@en, "same"@de, "same" .
:typed :says 1, -7, 1.5, true, false, "2024-02-29"^^xsd:date, "2024-02-29T12:00:00Z"^^xsd:dateTime, "P1Y2M"^^xsd:duration,
    "not a number"^^xsd:integer, "AQID"^^xsd:base64Binary, "x"^^:own, "<b>x</b>"^^rdf:HTML .
:knows :knows [ :name "nobody" ; :knows [ :knows [] ] ], [ :name "nobody" ; :knows [ :knows [] ] ], [] .
_:one :same _:two .
_:two :same _:one .
:lists :are ( ), ( 1 ), ( 1 [ :in :list ] "two" ( :nested ) ) .
:odd :iris <urn:x>, <http://e.example/a%20b?c=d&e='f'#g(h)>, <http://e.example/é/漢>, <mailto:a@b.example>, <http://e.example/>,
    <tag:e.example,2024:x;y>, <http://e.example/a//b/>, <http://user@e.example:8080/~x!$*+,;=:@> .
:a a :Class .
"""
CONTROLS = '<http://e.example/c> <http://e.example/says> "\\u0001 \\u0008 \\u001F \\u007F \\u0085 \\uFFFE" .\n'
DIRECTED = '<http://e.example/d> <http://e.example/says> "shalom"@he--rtl, "text"@en--ltr, "plain"@en .\n'


# rdflib warns of its own ways with datasets.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True, scope="module")
def _literals_as_they_are() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rdflib, "NORMALIZE_LITERALS", False)
        yield


@pytest.fixture(scope="module")
def given(_literals_as_they_are: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Client], Graph]]:
    """Services of a rich graph, of one with control characters, and of one with directions; and the rich graph by rdflib."""
    folder = tmp_path_factory.mktemp("data")
    clients, processes = dict[str, Client](), []
    for name, text in (("rich", RICH), ("controls", CONTROLS), ("directed", DIRECTED)):
        path: Path = folder / f"{name}.ttl"
        path.write_text(text, encoding="utf-8")
        process, port = serve(str(path))
        processes.append(process)
        clients[name] = Client(port)
    yield clients, graph_of(RICH.encode(), "turtle")
    for process in processes:
        stop(process)


def graph_of(body: bytes, form: str) -> Graph:
    """Return the default graph of a document, and make sure that it has no other."""
    if form not in ("nquads", "trig", "json-ld"):
        return Graph().parse(data=body, format=form)
    dataset = rdflib.Dataset()
    dataset.parse(data=body, format=form)
    default = Graph()
    for subject, predicate, value, graph in dataset.quads((None, None, None, None)):
        assert graph in (None, dataset.default_graph.identifier)
        default.add((subject, predicate, value))
    return default


def rows_as_graph(result: Result) -> Graph:
    graph = Graph()
    for row in result.bindings:
        subject, predicate, value = (row[rdflib.Variable(name)] for name in "spo")
        graph.add((subject, predicate, value))
    return graph


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize("path", PATHS, ids=["construct", "graph-store"])
def test_a_rich_graph_comes_back_in_each_format(given: tuple[dict[str, Client], Graph], path: str, accept: str) -> None:
    clients, graph = given
    reply = clients["rich"].get(path, accept)
    assert reply.status == 200
    found = graph_of(reply.body, FORMATS[accept])
    assert len(found) == len(graph) > 60
    assert isomorphic(found, graph)


@pytest.mark.parametrize("accept", RESULTS)
def test_rows_of_a_rich_graph_come_back_in_each_format(given: tuple[dict[str, Client], Graph], accept: str) -> None:
    clients, graph = given
    reply = clients["rich"].get(f"/sparql?query={ROWS}", accept)
    assert reply.status == 200
    assert isomorphic(rows_as_graph(Result.parse(io.BytesIO(reply.body), format=RESULTS[accept])), graph)


def test_csv_has_the_text_of_each_term(given: tuple[dict[str, Client], Graph]) -> None:
    """CSV says neither datatype nor language: what is left of the graph without them has to be the same."""
    clients, graph = given
    reply = clients["rich"].get(f"/sparql?query={ROWS}", "text/csv")
    head, *rows = csv.reader(io.StringIO(reply.body.decode(), newline=""), strict=True)
    assert head == ["s", "p", "o"]

    def node(cell: str) -> Node:
        return BNode(cell[2:]) if cell.startswith("_:") and " " not in cell else Literal(cell)

    found, wanted = Graph(), Graph()
    for subject, predicate, value in rows:
        found.add((node(subject), URIRef(predicate), node(value)))
    for triple in graph:
        kept = [one if isinstance(one, BNode) else Literal(str(one)) for one in triple]
        wanted.add((kept[0], URIRef(str(kept[1])), kept[2]))
    assert len(rows) == len(graph)
    assert isomorphic(found, wanted)


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize("path", PATHS, ids=["construct", "graph-store"])
def test_control_characters_come_back_or_the_format_is_refused(
    given: tuple[dict[str, Client], Graph], path: str, accept: str
) -> None:
    """XML has no way to write them: 406 says so, and names a format that has."""
    reply = given[0]["controls"].get(path, accept)
    if accept == "application/rdf+xml":
        assert (reply.status, "ask for Turtle" in str(reply.json()["detail"])) == (406, True)
    else:
        assert isomorphic(graph_of(reply.body, FORMATS[accept]), graph_of(CONTROLS.encode(), "turtle"))


@pytest.mark.parametrize("accept", FORMATS)
def test_directions_of_text_come_back(given: tuple[dict[str, Client], Graph], accept: str) -> None:
    """RDF 1.2, which rdflib does not read: by the engine's own parser."""
    reply = given[0]["directed"].get("/graph-store?default", accept)
    found = {quad.triple for quad in ox.parse(reply.body, format=ox.RdfFormat.from_media_type(accept))}
    assert found == {quad.triple for quad in ox.parse(DIRECTED, format=ox.RdfFormat.TURTLE)}
    assert {quad.object.direction for quad in found if isinstance(quad.object, ox.Literal)} == {
        ox.BaseDirection.LTR,
        ox.BaseDirection.RTL,
        None,
    }


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize("name", ["actors", "places", "ontology"])
def test_graphs_of_the_bundle_come_back_from_both_ways(client: Client, name: str, accept: str) -> None:
    iri = f"https://w3id.org/suasion/graph/{name}"
    stored = client.get("/graph-store", accept, graph=iri)
    constructed = client.send("GET", f"/sparql?query={EVERYTHING}&default-graph-uri={iri}", {"Accept": accept})
    reference = set(graph_of(client.get("/graph-store", "application/n-triples", graph=iri).body, "nt"))
    assert len(reference) >= 100
    for reply in (stored, constructed):
        assert set(graph_of(reply.body, FORMATS[accept])) == reference


def test_a_graph_of_the_bundle_has_all_of_its_file(client: Client, bundle: Path) -> None:
    """And what is derived from it."""
    for name in ("actors", "places", "instruments"):
        written = graph_of((bundle / "graph_data" / f"{name}.ttl").read_bytes(), "turtle")
        found = graph_of(client.get(f"/graph/{name}", "text/turtle").body, "turtle")
        assert set(found) >= set(written)
        assert len(written) > 50
