"""The SPARQL endpoint over HTTP: methods, formats, datasets, errors."""

import gzip
import json
import socket
import sys
import time
from types import ModuleType
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest
from rdflib import DCTERMS, RDF, Graph, Namespace

from conftest import Client
from suasion.settings import Settings

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    import backports.zstd as zstd

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
    [("format=csv", 406), ("format=", 422), ("format=html", 422), ("format=,&output=html", 422)],
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
    ("query", "sent", "expected"),
    [
        # SPARQLWrapper, for JSON, TSV and JSON-LD
        (SELECT, "format=json&output=json&results=json", "application/sparql-results+json"),
        (SELECT, "format=tsv&format=text/tab-separated-values&output=tsv&output=", "text/tab-separated-values"),
        (CONSTRUCT, "format=json-ld&format=application/ld%2Bjson%2Capplication/x-json%2Bld", "application/ld+json"),
        # RDF4J
        (SELECT, "queryLn=SPARQL&infer=true&timeout=10", "application/sparql-results+json"),
    ],
)
def test_what_libraries_send_to_every_endpoint_is_taken(client: Client, query: str, sent: str, expected: str) -> None:
    reply = client.send("GET", f"/sparql?query={quote(query)}&{sent}")
    assert (reply.status, media_type(reply.headers["content-type"])) == (200, expected)


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


@pytest.mark.parametrize(("coding", "library"), [("gzip", gzip), ("zstd", zstd)])
def test_bodies_may_be_coded_both_ways(client: Client, coding: str, library: ModuleType) -> None:
    headers = {"Content-Type": "application/sparql-query", "Content-Encoding": coding, "Accept-Encoding": coding}
    reply = client.send("POST", "/sparql", headers, library.compress(CONSTRUCT.encode()))
    assert reply.headers["content-encoding"] == coding
    assert "accept-encoding" in reply.headers["vary"].lower()
    assert library.decompress(reply.body) == client.get("/sparql", query=CONSTRUCT).body


def test_bad_codings_and_bombs_are_refused(client: Client) -> None:
    direct = {"Content-Type": "application/sparql-query"}
    bomb = gzip.compress(b"#" * 50_000_000)
    cases = [
        ("gzip", bomb, 413),
        ("gzip", b"no gzip", 400),
        ("gzip", gzip.compress(SELECT.encode())[:-9], 400),
        ("zstd", zstd.compress(b"#" * 50_000_000), 413),
        ("zstd", b"no zstd", 400),
        ("zstd", zstd.compress(SELECT.encode())[:-3], 400),
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
    assert client.get("/sparql", query=SELECT, timeout="0.1").status == 200
    for bad in ("soon", "", "0", "-1", "nan", "5e-324", "0.0999"):
        reply = client.get("/sparql", query=SELECT, timeout=bad)
        assert (reply.status, reply.json()["parameter"]) == (422, "timeout")
        assert "0.1 or more" in str(reply.json()["detail"])


MANY = "SELECT ?a ?d WHERE { ?a ?b ?c . ?d ?e ?f }"


@pytest.mark.parametrize("accept", SOLUTION_TYPES)
def test_rows_so_far_are_answered_on_request_only_and_marked(client: Client, accept: str) -> None:
    reply = client.get("/sparql", accept, query=MANY, partial="true")
    assert reply.status == 200
    assert reply.headers["suasion-completeness"] == "truncated; reason=bytes"
    assert reply.headers["cache-control"] == "no-store"
    assert "etag" not in reply.headers
    assert 500_000 < len(reply.body) < 5_000_000
    if accept == "text/csv":
        assert reply.body.count(b"\r\n") > 1000
        return
    found = ox.parse_query_results(reply.body, format=SOLUTION_TYPES[accept])
    assert isinstance(found, ox.QuerySolutions)
    assert sum(1 for _ in found) > 1000
    if accept != "text/tab-separated-values":
        assert b"https://w3id.org/suasion/problem/AnswerTooLarge" in reply.body[:1000]


def test_the_deadline_leaves_the_rows_so_far_to_who_asks_for_them(client: Client) -> None:
    """One row in some thousands fits, of more than anyone can look at in time."""
    query = """SELECT ?x WHERE { ?a ?b ?c . ?d ?e ?f
        BIND(SHA256(CONCAT(STR(?a), STR(?c), STR(?d), STR(?f))) AS ?x) FILTER(STRSTARTS(?x, "000")) }"""
    reply = client.get("/sparql", query=query, partial="true", timeout="3")
    assert (reply.status, reply.headers["suasion-completeness"]) == (200, "truncated; reason=deadline")
    document = json.loads(reply.body)
    assert all(row["x"]["value"].startswith("000") for row in document["results"]["bindings"])
    assert document["results"]["bindings"]
    assert document["head"] == {"vars": ["x"], "link": ["https://w3id.org/suasion/problem/TimedOut"]}
    assert client.get("/sparql", query=query, timeout="1").status == 504


def test_without_any_row_the_deadline_is_an_error(client: Client) -> None:
    blocked = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    assert client.get("/sparql", query=blocked, partial="true", timeout="1").status == 504


@pytest.mark.parametrize("accept", SOLUTION_TYPES)
def test_an_answer_that_is_whole_is_the_same_with_partial(client: Client, accept: str) -> None:
    query = """SELECT * WHERE { VALUES (?a ?b ?c) {
        (<urn:a> "tab\\tnew\\nline\\"" UNDEF) ("x"@en 1.50 UNDEF) (UNDEF UNDEF UNDEF) (true "é" "") } }"""
    whole, reply = client.get("/sparql", accept, query=query), client.get("/sparql", accept, query=query, partial="true")
    assert reply.status == 200
    assert reply.headers["suasion-completeness"] == "complete"
    assert reply.headers["etag"] != whole.headers["etag"]
    assert reply.body == whole.body


def test_partial_is_for_rows_and_is_true_or_false(client: Client) -> None:
    assert client.get("/sparql", query=ASK, partial="true").body == client.get("/sparql", query=ASK).body
    assert client.get("/sparql", query=CONSTRUCT, partial="true").body == client.get("/sparql", query=CONSTRUCT).body
    assert client.get("/sparql", query=ASK, partial="false").status == 200
    for bad in ("yes", "", "1"):
        assert client.get("/sparql", query=ASK, partial=bad).status == 422
    control = client.get("/sparql", "application/sparql-results+xml", query="SELECT ('\\u0001' AS ?x) {}", partial="true")
    assert control.status == 406


def test_the_service_description_is_true(client: Client) -> None:
    reply = client.get("/sparql", "text/turtle")
    assert reply.status == 200
    described = Graph().parse(data=reply.body, format="turtle")
    sd = Namespace("http://www.w3.org/ns/sparql-service-description#")
    service = described.value(predicate=RDF.type, object=sd.Service)
    assert str(described.value(service, sd.endpoint)) == f"http://127.0.0.1:{client.port}/sparql"
    limits = str(described.value(service, DCTERMS.description))
    assert "may take 20 s" in limits and f"have {Settings().answer_bytes:,} bytes" in limits
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
