"""The SPARQL endpoint over HTTP: methods, formats, datasets, errors."""

import gzip
import json
import socket
import time
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest
from rdflib import RDF, Graph, Namespace

from conftest import Client

PREFIXES = "PREFIX : <https://w3id.org/suasion/def#> PREFIX actor: <https://w3id.org/suasion/id/actor/> "
SELECT = PREFIXES + "SELECT ?aid WHERE { ?aid :donor actor:japan ; :recipient actor:cambodia } ORDER BY ?aid"
CONSTRUCT = PREFIXES + "CONSTRUCT { ?aid :donor ?donor } WHERE { ?aid :donor ?donor }"
AID = {
    f"https://w3id.org/suasion/id/initiative/japan-cambodia-{purpose}-2008"
    for purpose in ("rural-poverty", "health", "coastal-zone")
}
COUNT = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
ASK = PREFIXES + "ASK { ?aid :donor actor:japan }"
SOLUTION_TYPES = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "text/csv": ox.QueryResultsFormat.CSV,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}
GRAPH_TYPES = (
    "text/turtle",
    "application/n-triples",
    "application/rdf+xml",
    "application/ld+json",
    "application/n-quads",
    "application/trig",
)


def media_type(value: str) -> str:
    return value.partition(";")[0]


@pytest.mark.parametrize("accept", SOLUTION_TYPES)
@pytest.mark.parametrize("query", [SELECT, ASK], ids=["select", "ask"])
def test_results_come_in_the_accepted_format(client: Client, accept: str, query: str) -> None:
    reply = client.get("/sparql", accept, query=query)
    assert reply.status == 200
    assert media_type(reply.headers["content-type"]) == accept
    assert reply.headers["suasion-completeness"] == "complete"
    if accept != "text/csv":
        results = ox.parse_query_results(reply.body, format=SOLUTION_TYPES[accept])
        assert bool(results) if isinstance(results, ox.QueryBoolean) else {row["aid"].value for row in results} >= AID


@pytest.mark.parametrize("accept", GRAPH_TYPES)
def test_graphs_come_in_the_accepted_format_and_are_equal(client: Client, accept: str) -> None:
    reply = client.get("/sparql", accept, query=CONSTRUCT)
    assert reply.status == 200
    assert media_type(reply.headers["content-type"]) == accept
    parsed = {quad.triple for quad in ox.parse(reply.body, format=ox.RdfFormat.from_media_type(accept))}
    reference = Graph().parse(data=client.get("/sparql", "application/n-triples", query=CONSTRUCT).body, format="nt")
    assert parsed == {quad.triple for quad in ox.parse(reference.serialize(format="nt"), format=ox.RdfFormat.N_TRIPLES)}
    assert len(reference) > 20


def test_describe_answers_a_graph(client: Client) -> None:
    reply = client.get("/sparql", "application/n-triples", query=PREFIXES + "DESCRIBE actor:japan")
    assert reply.status == 200
    assert len(Graph().parse(data=reply.body, format="nt")) > 20


def test_both_forms_of_post_answer_as_get_does(client: Client) -> None:
    got = client.get("/sparql", query=SELECT)
    form = client.send(
        "POST", "/sparql", {"Content-Type": "application/x-www-form-urlencoded"}, urlencode({"query": SELECT}).encode()
    )
    direct = client.send("POST", "/sparql", {"Content-Type": "application/sparql-query"}, SELECT.encode())
    assert got.body == form.body == direct.body
    assert got.status == form.status == direct.status == 200


def test_quality_values_and_wildcards_are_honoured(client: Client) -> None:
    chosen = {
        "text/csv;q=0.5, application/sparql-results+xml;q=0.9": "application/sparql-results+xml",
        "*/*": "application/sparql-results+json",
        "text/*": "text/csv",
        "application/json": "application/sparql-results+json",
        "text/html, */*;q=0.1": "application/sparql-results+json",
    }
    for accept, expected in chosen.items():
        assert media_type(client.get("/sparql", accept, query=SELECT).headers["content-type"]) == expected


def test_an_unacceptable_format_is_406_and_lists_what_is_offered(client: Client) -> None:
    for query, accept in ((SELECT, "image/png"), (SELECT, "text/turtle"), (CONSTRUCT, "text/csv")):
        reply = client.get("/sparql", accept, query=query)
        assert reply.status == 406
        assert reply.json()["offered"]


def test_format_goes_before_accept(client: Client) -> None:
    for value, query, expected in (
        ("json", SELECT, "application/sparql-results+json"),
        ("XML", ASK, "application/sparql-results+xml"),
        ("application/sparql-results+xml", SELECT, "application/sparql-results+xml"),
        ("application/sparql-results xml", SELECT, "application/sparql-results+xml"),
        ("application/json", CONSTRUCT, "application/ld+json"),
        ("ttl", CONSTRUCT, "text/turtle"),
        ("text/plain", CONSTRUCT, "application/n-triples"),
    ):
        for name in ("format", "output", "results"):
            reply = client.send("GET", "/sparql?" + urlencode({"query": query, name: value}), {"Accept": "text/csv"})
            assert (reply.status, media_type(reply.headers["content-type"])) == (200, expected)


@pytest.mark.parametrize(
    ("parameters", "status"),
    [("format=csv", 406), ("format=", 422), ("format=html", 422), ("format=json&output=xml", 422)],
)
def test_a_format_that_cannot_be_had_is_refused(client: Client, parameters: str, status: int) -> None:
    assert client.send("GET", f"/sparql?query={quote(CONSTRUCT)}&{parameters}").status == status


@pytest.mark.parametrize("name", ["limit", "default-graph", "$claim", "infer", "queryLn", "Query"])
def test_an_unknown_parameter_is_named_and_never_ignored(client: Client, name: str) -> None:
    parameters = urlencode({"query": ASK, name: "2"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for reply in (client.send("GET", f"/sparql?{parameters}"), client.send("POST", "/sparql", form, parameters.encode())):
        problem = reply.json()
        assert (reply.status, str(problem["type"]).rpartition("/")[2]) == (400, "UnknownParameter")
        assert repr(name) in str(problem["detail"]) and "default-graph-uri" in str(problem["parameters"])


@pytest.mark.parametrize(
    "sent",
    [
        {"format": "json", "output": "json", "results": "json"},  # SPARQLWrapper
        {"queryLn": "SPARQL", "infer": "true", "timeout": "10"},  # RDF4J
    ],
)
def test_what_libraries_send_to_every_endpoint_is_taken(client: Client, sent: dict[str, str]) -> None:
    reply = client.get("/sparql", query=ASK, **sent)
    assert (reply.status, reply.json()["boolean"]) == (200, True)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("default-graph-uri=https://w3id.org/suasion/graph/places", "no query"),
        ("query=", "no query"),
        (f"query={quote(ASK)}&query={quote(ASK)}", "2 queries"),
        ("query=%ff", "not UTF-8"),
        ("query=SELECT%20*%20WHERE%20%7B", "does not parse"),
        (f"update={quote('CLEAR ALL')}", "only reads"),
        (f"query={quote('CLEAR ALL')}", "does not parse"),
    ],
)
def test_bad_queries_are_400_and_say_why(client: Client, parameters: str, words: str) -> None:
    reply = client.send("GET", f"/sparql?{parameters}")
    assert reply.status == 400
    assert media_type(reply.headers["content-type"]) == "application/problem+json"
    assert words in str(reply.json()["detail"])


def test_a_syntax_error_has_its_place(client: Client) -> None:
    problem = client.get("/sparql", query="SELECT *\nWHERE { ?s ?p }").json()
    assert (problem["line"], problem["column"]) == (2, 16)


def test_other_methods_and_media_types_are_refused(client: Client) -> None:
    assert client.send("PUT", "/sparql").status == 405
    assert client.send("PUT", "/sparql").headers["allow"] == "GET, HEAD, POST, QUERY, OPTIONS"
    assert client.send("POST", "/sparql", {"Content-Type": "text/plain"}, SELECT.encode()).status == 415
    both = client.send("POST", f"/sparql?query={quote(ASK)}", {"Content-Type": "application/sparql-query"}, ASK.encode())
    assert both.status == 400


def test_a_body_above_the_limit_is_413(client: Client) -> None:
    body = b"SELECT * WHERE { } #" + b"x" * (1024 * 1024)
    assert client.send("POST", "/sparql", {"Content-Type": "application/sparql-query"}, body).status == 413


def test_the_default_graph_holds_facts_and_the_union_all(client: Client) -> None:
    query = (
        PREFIXES
        + "SELECT ?higher WHERE { ?c :compared ?higher ; :comparisonRelation :Greater ; :asPrinted 'probably higher'@en }"
    )
    facts = json.loads(client.get("/sparql", query=query).body)["results"]["bindings"]
    union = {"query": query, "default-graph-uri": "https://w3id.org/suasion/graph/union"}
    everything = json.loads(client.send("GET", "/sparql?" + urlencode(union)).body)["results"]["bindings"]
    assert facts == []
    assert len(everything) == 1


def test_the_protocol_chooses_the_dataset(client: Client) -> None:
    query = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
    one = {"query": query, "default-graph-uri": "https://w3id.org/suasion/graph/places"}
    none = {"query": query, "default-graph-uri": "https://example.org/none"}
    named = {
        "query": "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }",
        "named-graph-uri": "https://w3id.org/suasion/graph/places",
    }

    def bindings(parameters: dict[str, str]) -> list[dict[str, dict[str, str]]]:
        found: list[dict[str, dict[str, str]]] = json.loads(client.send("GET", "/sparql?" + urlencode(parameters)).body)[
            "results"
        ]["bindings"]
        return found

    assert 0 < int(bindings(one)[0]["n"]["value"]) < 1000
    assert bindings(none)[0]["n"]["value"] == "0"
    assert [row["g"]["value"] for row in bindings(named)] == ["https://w3id.org/suasion/graph/places"]


def test_head_has_the_headers_and_no_body(client: Client) -> None:
    reply = client.send("HEAD", "/sparql?query=" + quote(SELECT))
    assert (reply.status, reply.body) == (200, b"")
    assert media_type(reply.headers["content-type"]) == "application/sparql-results+json"


def test_the_method_query_answers_as_post_does(client: Client) -> None:
    reply = client.send("QUERY", "/sparql", {"Content-Type": "application/sparql-query"}, SELECT.encode())
    assert reply.body == client.get("/sparql", query=SELECT).body
    assert client.send("QUERY", "/sparql", {"Content-Type": "text/plain"}, SELECT.encode()).status == 415


def test_a_client_that_has_the_answer_gets_304(client: Client) -> None:
    first = client.get("/sparql", query=SELECT)
    tag = first.headers["etag"]
    path = "/sparql?" + urlencode({"query": SELECT})
    again = client.send("GET", path, {"If-None-Match": f'"other", {tag}'})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert "accept" in again.headers["vary"].lower()
    assert client.send("GET", path, {"If-None-Match": tag, "Accept": "text/csv"}).status == 200


def test_what_calls_the_clock_or_chance_is_never_kept(client: Client) -> None:
    for function in ("NOW()", "RAND()", "UUID()", "STRUUID()"):
        reply = client.get("/sparql", query=f"SELECT ({function} AS ?x) WHERE {{ }}")
        assert "etag" not in reply.headers
        assert reply.headers["cache-control"] == "no-store"
        assert client.get("/sparql", query=f"SELECT ({function} AS ?x) WHERE {{ }}").body != reply.body


def test_bodies_may_be_gzip_both_ways(client: Client) -> None:
    headers = {"Content-Type": "application/sparql-query", "Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    reply = client.send("POST", "/sparql", headers, gzip.compress(CONSTRUCT.encode()))
    assert reply.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in reply.headers["vary"].lower()
    assert gzip.decompress(reply.body) == client.get("/sparql", query=CONSTRUCT).body


def test_bad_codings_and_bombs_are_refused(client: Client) -> None:
    direct = {"Content-Type": "application/sparql-query"}
    bomb = gzip.compress(b"#" * 50_000_000)
    cases = [
        ("gzip", bomb, 413),
        ("gzip", b"no gzip", 400),
        ("gzip", gzip.compress(SELECT.encode())[:-9], 400),
        ("br", b"x", 415),
    ]
    for coding, body, status in cases:
        assert client.send("POST", "/sparql", {**direct, "Content-Encoding": coding}, body).status == status


def test_a_client_may_ask_for_a_shorter_deadline(client: Client) -> None:
    endless = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    reply = client.get("/sparql", query=endless, timeout="0.5")
    assert reply.status == 504
    assert reply.json()["limit_seconds"] == 0.5
    assert client.get("/sparql", query=SELECT, timeout="5").headers["suasion-deadline-seconds"] == "5"
    assert client.get("/sparql", query=SELECT, timeout="1000").headers["suasion-deadline-seconds"] == "20"
    for bad in ("soon", "0", "-1", "nan"):
        assert client.get("/sparql", query=SELECT, timeout=bad).status == 422


def test_the_service_description_is_true(client: Client) -> None:
    reply = client.get("/sparql", "text/turtle")
    assert reply.status == 200
    described = Graph().parse(data=reply.body, format="turtle")
    sd = Namespace("http://www.w3.org/ns/sparql-service-description#")
    service = described.value(predicate=RDF.type, object=sd.Service)
    assert str(described.value(service, sd.endpoint)) == f"http://127.0.0.1:{client.port}/sparql"
    graphs = {str(name) for name in described.objects(None, sd.name)}
    assert list(described.objects(service, sd.supportedLanguage)) == [sd.SPARQL11Query]
    query = "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }"
    found = json.loads(client.get("/sparql", query=query).body)["results"]["bindings"]
    assert graphs == {row["g"]["value"] for row in found}
    stated = {str(f).rpartition("/")[2] for f in described.objects(service, sd.resultFormat)}
    assert len(stated) == len(SOLUTION_TYPES) + len(GRAPH_TYPES)
    assert client.get("/sparql", "image/png").status == 406


@pytest.mark.parametrize("accept", GRAPH_TYPES)
def test_graphs_are_read_by_their_names(client: Client, accept: str) -> None:
    iri = "https://w3id.org/suasion/graph/places"
    indirect = client.get("/graph-store", accept, graph=iri)
    direct = client.get("/graph/places", accept)
    assert indirect.status == direct.status == 200
    assert indirect.body == direct.body
    triples = {quad.triple for quad in ox.parse(indirect.body, format=ox.RdfFormat.from_media_type(accept))}
    counted = client.send("GET", "/sparql?" + urlencode({"query": COUNT, "default-graph-uri": iri}))
    assert len(triples) == int(json.loads(counted.body)["results"]["bindings"][0]["n"]["value"])


def test_the_default_graph_is_read_too(client: Client) -> None:
    reply = client.send("GET", "/graph-store?default", {"Accept": "application/n-triples"})
    counted = json.loads(client.get("/sparql", query=COUNT).body)["results"]["bindings"][0]["n"]["value"]
    assert len(set(reply.body.splitlines())) == int(counted)
    assert client.send("HEAD", "/graph-store?default").status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/graph-store", 422),
        ("/graph-store?default&graph=https://w3id.org/suasion/graph/places", 422),
        ("/graph-store?graph=https://w3id.org/suasion/graph/none", 404),
        ("/graph-store?graph=no%20iri", 400),
        ("/graph-store?graph=relative", 400),
        ("/graph-store/none", 404),
        ("/graph-store/places?graph=https://w3id.org/suasion/graph/places", 422),
        ("/graph/none", 404),
    ],
)
def test_bad_graph_requests_are_refused(client: Client, path: str, status: int) -> None:
    assert client.send("GET", path).status == status


def test_nothing_is_written_unless_an_operator_opens_it(client: Client) -> None:
    for path in ("/graph-store?default", "/graph-store", "/graph-store/new", "/graph/places"):
        for method in ("PUT", "POST", "DELETE", "PATCH"):
            reply = client.send(method, path, {"Content-Type": "text/turtle", "Authorization": "Bearer x"}, b"")
            assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
            assert "--writable" in str(reply.json()["detail"])
        assert client.send("OPTIONS", path).headers["allow"] == "GET, HEAD, OPTIONS"
    direct, form = {"Content-Type": "application/sparql-update"}, {"Content-Type": "application/x-www-form-urlencoded"}
    for headers, body in ((direct, b"CLEAR ALL"), (form, b"update=CLEAR+ALL")):
        reply = client.send("POST", "/sparql", headers, body)
        assert reply.status == 403
        assert "--writable" in str(reply.json()["detail"])
    assert client.send("QUERY", "/sparql", direct, b"CLEAR ALL").status == 415
    assert client.send("POST", "/sparql", {"Content-Type": "application/sparql-query"}, b"CLEAR ALL").status == 400


def test_a_client_that_leaves_ends_its_query(client: Client) -> None:
    """Left queries must not fill the slow places: after many of them a heavy one still gets its deadline, not a refusal."""
    endless = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k %d }"
    for number in range(4):
        connection = socket.create_connection(("127.0.0.1", client.port))
        connection.sendall(f"GET /sparql?query={quote(endless % number)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(0.4)
        connection.close()
        time.sleep(0.1)
    assert client.get("/sparql", query=endless % 9, timeout="0.6").status == 504
