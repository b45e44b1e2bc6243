"""The query half of the W3C tests of the SPARQL Protocol, and those of service descriptions, against a real service.

Each exchange has the name of its W3C test and is described in our words: what is sent, and what has to come back. The data are
those that the tests ask for: four documents at kasei.us, each saying of itself that it is a foaf:Document. Requests go to
/sparql/ as they do there. Tests that stand in the manifest of SPARQL 1.2 alone are marked.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import pytest
from rdflib import RDF, RDFS, Graph, Namespace, URIRef

from conftest import Client, Reply, serve, stop

DATA = "http://kasei.us/2009/09/sparql/data/"
D0, D1, D2, D3 = (f"{DATA}data{number}.rdf" for number in range(4))
DIRECT, FORM = "application/sparql-query", "application/x-www-form-urlencoded"
BOOLEANS = {"application/sparql-results+json", "application/sparql-results+xml"}
TABLES = BOOLEANS | {"text/csv", "text/tab-separated-values"}
GRAPHS = {"text/turtle", "application/rdf+xml", "application/n-triples"}
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")


def parameters(*pairs: tuple[str, str]) -> str:
    return urlencode(pairs, quote_via=quote)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what is expected of its response: the first digit of the status, a media type, the truth of an ASK."""

    name: str
    method: str
    query_string: str = ""
    media_type: str = ""
    body: bytes | None = None
    status: int = 2
    types: frozenset[str] = frozenset()
    truth: bool | None = None
    accept: str = ""


def get(name: str, *pairs: tuple[str, str], accept: str = "", **expected: bool) -> Exchange:
    return Exchange(name, "GET", parameters(*pairs), types=frozenset(BOOLEANS), accept=accept, truth=expected.get("truth", True))


def direct(name: str, query: str, *pairs: tuple[str, str], types: set[str] = BOOLEANS, truth: bool | None = True) -> Exchange:
    return Exchange(name, "POST", parameters(*pairs), DIRECT, query.encode(), types=frozenset(types), truth=truth)


def bad(name: str, method: str, query_string: str = "", media_type: str = "", body: bytes | None = None) -> Exchange:
    return Exchange(name, method, query_string, media_type, body, status=4)


def typed(*documents: str) -> str:
    return " ".join(f"<{document}> a ?type ." for document in documents)


def in_graphs(*documents: str) -> str:
    return " ".join(f"GRAPH ?g{number} {{ {typed(document)} }}" for number, document in enumerate(documents))


DEFAULT = "default-graph-uri"
NAMED = "named-graph-uri"
EXCHANGES = (
    get("query_get", ("query", "ASK {}"), (DEFAULT, D0)),
    Exchange(
        "query_post_form", "POST", parameters((DEFAULT, D0)), FORM, b"query=ASK%20%7B%7D", types=frozenset(BOOLEANS), truth=True
    ),
    direct("query_post_direct", "ASK {}"),
    get("query_dataset_default_graph", ("query", f"ASK {{ {typed(D1)} }}"), (DEFAULT, D1)),
    get("query_dataset_default_graphs_get", ("query", f"ASK {{ {typed(D1, D2)} }}"), (DEFAULT, D1), (DEFAULT, D2)),
    direct("query_dataset_default_graphs_post", f"ASK {{ {typed(D1, D2)} }}", (DEFAULT, D1), (DEFAULT, D2)),
    get("query_dataset_named_graphs_get", ("query", f"ASK {{ {in_graphs(D1, D2)} }}"), (NAMED, D1), (NAMED, D2)),
    direct("query_dataset_named_graphs_post", f"ASK {{ {in_graphs(D1, D2)} }}", (NAMED, D1), (NAMED, D2)),
    direct("query_dataset_full", f"ASK {{ {typed(D3)} {in_graphs(D1, D2)} }}", (DEFAULT, D3), (NAMED, D1), (NAMED, D2)),
    # The dataset of the request stands above that of the query: as published in 2013, and as published since.
    direct("query_multiple_dataset (default)", f"ASK FROM <{D1}> {{ {typed(D1)} }}", (DEFAULT, D2), truth=False),
    direct("query_multiple_dataset (named)", f"ASK FROM <{D3}> {{ {in_graphs(D1, D2)} }}", (NAMED, D1), (NAMED, D2)),
    direct("query_multiple_dataset (neither)", f"ASK FROM <{D3}> {{ {typed(D3)} }}", (NAMED, D1), truth=False),
    direct("query_content_type_select", "SELECT (1 AS ?value) {}", (DEFAULT, D0), types=TABLES, truth=None),
    direct("query_content_type_ask", "ASK {}", (DEFAULT, D0)),
    direct("query_content_type_describe", "DESCRIBE <http://example.org/>", (DEFAULT, D0), types=GRAPHS, truth=None),
    direct("query_content_type_construct", "CONSTRUCT { <s> <p> 1 } WHERE {}", (DEFAULT, D0), types=GRAPHS, truth=None),
    get("query_content_negotiation_xml", ("query", "ASK {}"), accept="application/sparql-results+xml"),
    get("query_content_negotiation_json", ("query", "ASK {}"), accept="application/sparql-results+json"),
    direct("query_base_uri", f"BASE <{DATA}> ASK {{ <data1.rdf> a ?type }}", (DEFAULT, D1)),
    Exchange(
        "query_post_form_dataset",
        "POST",
        "",
        FORM,
        parameters(("query", f"ASK {{ {typed(D1)} }}"), (DEFAULT, D1)).encode(),
        types=frozenset(BOOLEANS),
        truth=True,
    ),
    # SPARQL 1.2: the version is announced, once.
    get("query_get_with_version", ("query", "ASK {}"), ("version", "1.2"), (DEFAULT, D1)),
    Exchange(
        "query_post_direct_with_version_param",
        "POST",
        parameters((DEFAULT, D1)),
        DIRECT + "; version=1.2",
        b"ASK {}",
        types=frozenset(BOOLEANS),
        truth=True,
    ),
    bad("bad_query_multiple_versions", "GET", "query=ASK%20%7B%7D&version=1.1&version=1.2"),
    bad("bad_query_method", "PUT", parameters(("query", "ASK {}"), (DEFAULT, D0)), FORM),
    bad("bad_multiple_queries", "GET", "query=ASK%20%7B%7D&query=SELECT%20%2A%20%7B%7D"),
    bad("bad_multiple_queries_form", "POST", "", FORM, b"query=ASK%20%7B%7D&query=SELECT%20%2A%20%7B%7D"),
    bad("bad_query_wrong_media_type", "POST", "", "text/plain", b"ASK {}"),
    bad("bad_query_missing_form_type", "POST", "", "", b"query=ASK%20%7B%7D"),
    bad("bad_query_missing_direct_type", "POST", "", "", b"ASK {}"),
    bad("bad_query_non_utf8", "POST", "", DIRECT + "; charset=UTF-16", "ASK {}".encode("utf-16")),
    bad("bad_query_syntax", "GET", "query=ASK%20%7B"),
    bad("bad_query_get_with_body", "GET", "query=ASK%20%7B%7D", DIRECT, b"ASK {}"),
)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service of the four documents, each a graph of its own."""
    folder = tmp_path_factory.mktemp("data")
    paths: list[Path] = []
    for number in range(4):
        paths.append(folder / f"data{number}.rdf")
        paths[-1].write_text(
            f'<rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about="">'
            '<rdf:type rdf:resource="http://xmlns.com/foaf/0.1/Document"/></rdf:Description></rdf:RDF>\n',
            encoding="utf-8",
        )
    process, port = serve("--base-iri", DATA, "--graph-per-file", *map(str, paths))
    yield Client(port)
    stop(process)


def sent(client: Client, exchange: Exchange, path: str = "/sparql/", label: str = "") -> Reply:
    headers = {"Content-Type": exchange.media_type} if exchange.media_type else {}
    headers |= {"Accept": exchange.accept} if exchange.accept else {}
    query_string = "&".join(filter(None, (exchange.query_string, label)))
    target = path + (f"?{query_string}" if query_string else "")
    return client.send(exchange.method, target, headers, exchange.body)


def truth(reply: Reply) -> bool:
    if "json" in reply.headers["content-type"]:
        return bool(json.loads(reply.body)["boolean"])
    document = ElementTree.fromstring(reply.body)  # noqa: S314 - written on this machine
    found = document.find("{http://www.w3.org/2005/sparql-results#}boolean")
    assert found is not None
    return found.text == "true"


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
def test_the_w3c_tests_of_query_operations_pass(documents: Client, exchange: Exchange) -> None:
    reply = sent(documents, exchange)
    assert reply.status // 100 == exchange.status, reply.body
    if exchange.status == 4:
        problem = reply.json()
        assert reply.headers["content-type"] == "application/problem+json"
        assert problem["status"] == reply.status
    if exchange.types:
        media_type = reply.headers["content-type"].partition(";")[0]
        assert media_type in exchange.types
        assert not exchange.accept or media_type == exchange.accept
    if exchange.truth is not None:
        assert truth(reply) is exchange.truth


def test_both_paths_are_the_same_endpoint(documents: Client) -> None:
    for exchange in EXCHANGES:
        with_slash, without = sent(documents, exchange), sent(documents, exchange, "/sparql")
        assert with_slash.status == without.status
        if exchange.status == 2:
            assert with_slash.body == without.body


def test_the_label_that_the_runner_of_the_w3c_adds_changes_nothing(documents: Client) -> None:
    for exchange in EXCHANGES:
        plain, labelled = sent(documents, exchange), sent(documents, exchange, label="clientRequestId=" + exchange.name[:20])
        assert labelled.status == plain.status
        if exchange.status == 2:
            assert labelled.body == plain.body


def test_no_exchange_is_right_by_chance(documents: Client) -> None:
    """Each dataset test fails on a service that ignores the parameters: asked without them, the answer is another."""
    for exchange in EXCHANGES:
        if exchange.name.startswith("query_dataset_default") and exchange.body:
            bare = Exchange(exchange.name, "POST", "", DIRECT, exchange.body)
            assert truth(sent(documents, bare)) is False


def test_a_relative_iri_is_resolved_against_the_base_of_the_service(documents: Client, client: Client) -> None:
    """What --base-iri says, else the endpoint (SPARQL 1.1 Protocol, section 2.1.4: a service has a base IRI)."""
    construct = b"CONSTRUCT { <s> <p> <> } WHERE {}"
    headers = {"Content-Type": DIRECT, "Accept": "application/n-triples"}
    endpoint = f"http://127.0.0.1:{client.port}/sparql"
    root = f"http://127.0.0.1:{client.port}/"
    assert client.send("POST", "/sparql", headers, construct).body.decode() == f"<{root}s> <{root}p> <{endpoint}> .\n"
    assert documents.send("POST", "/sparql", headers, construct).body.decode() == f"<{DATA}s> <{DATA}p> <{DATA}> .\n"
    asked = documents.send("POST", "/sparql", {"Content-Type": DIRECT}, b"ASK FROM <data2.rdf> { <data2.rdf> a ?type }")
    assert truth(asked) is True


# ── Service description ──────────────────────────────────────────────────────


def description(client: Client, path: str, accept: str = "") -> Graph:
    reply = client.get(path, accept)
    assert reply.status == 200
    media_type = reply.headers["content-type"].partition(";")[0]
    assert media_type in GRAPHS
    return Graph().parse(data=reply.body, format=media_type)


@pytest.mark.parametrize("accept", ["", "*/*", "application/rdf+xml", "text/turtle"])
@pytest.mark.parametrize("path", ["/sparql", "/sparql/"])
def test_returns_rdf(documents: Client, path: str, accept: str) -> None:
    """returns-rdf: GET on the endpoint, without a query, answers a graph."""
    assert len(description(documents, path, accept)) > 10


def test_has_endpoint_triple(documents: Client) -> None:
    """has-endpoint-triple: its sd:endpoint is the URL that was asked."""
    service = description(documents, "/sparql").value(predicate=RDF.type, object=SD.Service)
    asked = URIRef(f"http://127.0.0.1:{documents.port}/sparql")
    assert set(description(documents, "/sparql").objects(service, SD.endpoint)) == {asked}


# The vocabulary of the Service Description (section 3): the properties, and the class of what has each.
DOMAINS = {
    SD.endpoint: SD.Service,
    SD.feature: SD.Service,
    SD.supportedLanguage: SD.Service,
    SD.languageExtension: SD.Service,
    SD.propertyFeature: SD.Service,
    SD.extensionFunction: SD.Service,
    SD.extensionAggregate: SD.Service,
    SD.resultFormat: SD.Service,
    SD.inputFormat: SD.Service,
    SD.defaultEntailmentRegime: SD.Service,
    SD.defaultSupportedEntailmentProfile: SD.Service,
    SD.defaultDataset: SD.Service,
    SD.availableGraphs: SD.Service,
    SD.defaultGraph: SD.Dataset,
    SD.namedGraph: SD.Dataset,
    SD.name: SD.NamedGraph,
    SD.graph: SD.NamedGraph,
    SD.entailmentRegime: SD.NamedGraph,
    SD.supportedEntailmentProfile: SD.NamedGraph,
}
CLASSES = {SD.Service, SD.Dataset, SD.Graph, SD.NamedGraph, SD.GraphCollection, SD.Language, SD.Feature, SD.Function}
LANGUAGES = {SD.SPARQL10Query, SD.SPARQL11Query, SD.SPARQL11Update}


def test_conforms_to_schema(documents: Client, client: Client) -> None:
    """conforms-to-schema: only terms of the vocabulary, on nodes of the right class, with the cardinalities that it demands."""
    for one in (documents, client):
        graph = description(one, "/sparql")
        used = {predicate for predicate in graph.predicates() if str(predicate).startswith(str(SD))}
        assert used <= set(DOMAINS)
        assert {kind for kind in graph.objects(None, RDF.type) if str(kind).startswith(str(SD))} <= CLASSES
        for predicate, domain in DOMAINS.items():
            for subject in set(graph.subjects(predicate)):
                kinds = set(graph.objects(subject, RDF.type))
                assert domain in kinds, (subject, predicate, kinds)
        services = list(graph.subjects(RDF.type, SD.Service))
        assert len(services) == 1
        assert len(list(graph.objects(services[0], SD.endpoint))) == 1
        assert len(list(graph.objects(services[0], SD.defaultDataset))) == 1
        assert set(graph.objects(services[0], SD.supportedLanguage)) <= LANGUAGES
        for named in graph.subjects(RDF.type, SD.NamedGraph):
            assert len(list(graph.objects(named, SD.name))) == 1
        assert not list(graph.subjects(RDFS.subClassOf))
