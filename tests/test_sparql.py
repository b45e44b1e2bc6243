"""The SPARQL endpoint over HTTP: methods, formats, datasets, errors."""

import json
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest
from rdflib import Graph

from conftest import Client

PREFIXES = "PREFIX : <https://w3id.org/suasion/def#> PREFIX actor: <https://w3id.org/suasion/id/actor/> "
SELECT = PREFIXES + "SELECT ?aid WHERE { ?aid :donor actor:japan ; :recipient actor:cambodia } ORDER BY ?aid"
CONSTRUCT = PREFIXES + "CONSTRUCT { ?aid :donor ?donor } WHERE { ?aid :donor ?donor }"
AID = {
    f"https://w3id.org/suasion/id/initiative/japan-cambodia-{purpose}-2008"
    for purpose in ("rural-poverty", "health", "coastal-zone")
}
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


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("", "no query"),
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
    assert client.send("PUT", "/sparql").headers["allow"] == "GET, HEAD, POST, OPTIONS"
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
