"""SERVICE: what is taken out of a query, and what two services answer together, the shipped examples among it."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest
from mcp.client.client import Client as Agent
from mcp.client.stdio import StdioServerParameters, stdio_client
from rdflib import RDF, Graph, Namespace, URIRef

import suasion
from badremote import misbehaving
from conftest import Client, Reply, serve, stop
from suasion import federation, gate
from suasion.errors import BadQuery, RemoteFailed
from suasion.loading import Dataset
from suasion.results import Results

LIMITS = gate.Limits()
HERE = "http://127.0.0.1:9/sparql"
WIKIDATA = "https://query.wikidata.org/sparql"
ALLOWED = {HERE: HERE, "https://e.example/x": "http://127.0.0.1:9/mirror", WIKIDATA: HERE}
EXAMPLES = sorted((Path(__file__).parents[1] / "queries" / "federated").glob("*.rq"))
# The shape of Wikidata's truthy statements, as its query service answers them.
TRUTHY = """
PREFIX p: <http://www.wikidata.org/prop/>
PREFIX pq: <http://www.wikidata.org/prop/qualifier/>
PREFIX ps: <http://www.wikidata.org/prop/statement/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX wd: <http://www.wikidata.org/entity/>
PREFIX wdt: <http://www.wikidata.org/prop/direct/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
wd:Q424 wdt:P298 "KHM" ; wdt:P463 wd:Q7768 ; wdt:P1082 "17420000"^^xsd:decimal ; wdt:P1566 "1831722" .
wd:Q819 wdt:P298 "LAO" ; wdt:P463 wd:Q7768 ; wdt:P1082 "7530000"^^xsd:decimal ; wdt:P1566 "1655842" .
wd:Q881 wdt:P298 "VNM" ; wdt:P463 wd:Q7768 ; wdt:P1082 "98860000"^^xsd:decimal .
wd:Q836 wdt:P298 "MMR" ; wdt:P463 wd:Q7768 ; wdt:P1566 "1" .
wd:Q17 wdt:P298 "JPN" ; wdt:P1082 "124000000"^^xsd:decimal ; wdt:P1566 "1861060" .
wd:Q183 wdt:P298 "DEU" ; wdt:P463 wd:Q458 ; wdt:P1082 "83000000"^^xsd:decimal .
wd:Q424 wdt:P36 wd:Q1850 ; wdt:P297 "KH" .
wd:Q881 wdt:P36 wd:Q1858 ; wdt:P297 "VN" .
wd:Q183 wdt:P36 wd:Q64 ; wdt:P297 "DE" .
wd:Q424 p:P6 [ ps:P6 wd:Q57642 ; pq:P580 "1998-11-30T00:00:00Z"^^xsd:dateTime ; pq:P582 "2023-08-22T00:00:00Z"^^xsd:dateTime ] .
wd:Q881 p:P6 [ ps:P6 wd:Q1 ; pq:P580 "1997-09-25T00:00:00Z"^^xsd:dateTime ; pq:P582 "2006-06-27T00:00:00Z"^^xsd:dateTime ] ,
  [ ps:P6 wd:Q2 ; pq:P580 "2006-06-27T00:00:00Z"^^xsd:dateTime ] , [ ps:P6 wd:Q3 ] .
wd:Q17 p:P6 [ ps:P6 wd:Q132596 ; pq:P580 "2008-09-24T00:00:00Z"^^xsd:dateTime ] .
wd:Q1136573 wdt:P31 wd:Q131569 ; wdt:P1891 wd:Q7768 , wd:Q148 , wd:Q17 ; wdt:P585 "1976-02-24T00:00:00Z"^^xsd:dateTime .
wd:Q1136573 rdfs:label "Treaty"@en , "Vertrag"@de .
wd:Q4 wdt:P31 wd:Q131569 ; wdt:P1891 wd:Q148 , wd:Q17 ; rdfs:label "Another"@en .
"""


def split(query: str) -> tuple[str, tuple[federation.Clause, ...]]:
    return federation.split(query, ALLOWED, LIMITS)


# ── What is taken out of a query ─────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "rest", "asked"),
    [
        (
            f"SELECT * WHERE {{ ?s ?p ?o . SERVICE <{HERE}> {{ ?s ?q ?r }} }}",
            "SELECT * WHERE { ?s ?p ?o . {} }",
            ["SELECT * WHERE { ?s ?q ?r }"],
        ),
        (
            f"select*{{service\tsilent#<x>\n<{HERE}>{{}}}}",
            "select*{{\n}}",
            ["SELECT * WHERE {}"],
        ),
        (
            f"BASE <urn:b> prefix e: <https://e.example/> PREFIX : <{HERE}>\n"
            "ASK { SERVICE e:x {\n?s e:p <x> } Service : {?a :b 'SERVICE }'} }",
            f"BASE <urn:b> prefix e: <https://e.example/> PREFIX : <{HERE}>\nASK {{ {{\n}} {{}} }}",
            [
                f"BASE <urn:b> PREFIX e: <https://e.example/> PREFIX : <{HERE}> SELECT * WHERE {{\n?s e:p <x> }}",
                f"BASE <urn:b> PREFIX e: <https://e.example/> PREFIX : <{HERE}> SELECT * WHERE {{?a :b 'SERVICE }}'}}",
            ],
        ),
        (
            f"SELECT * {{?s ?p 1SERVICE<{HERE}>{{{{?s ?p ?o}} UNION {{?s ?p '}}'}} # }}\n}}}}",
            "SELECT * {?s ?p 1{\n}}",
            ["SELECT * WHERE {{?s ?p ?o} UNION {?s ?p '}'} # }\n}"],
        ),
        (
            f'VERSION "1.2" PREFIX a: <urn:a> SELECT * {{ SERVICE <{HERE}> {{ ?s a:b $o }} }}',
            'VERSION "1.2" PREFIX a: <urn:a> SELECT * { {} }',
            ["PREFIX a: <urn:a> SELECT * WHERE { ?s a:b $o }"],
        ),
        ("SELECT * { ?s ?p 'SERVICE' } # SERVICE", "SELECT * { ?s ?p 'SERVICE' } # SERVICE", []),
    ],
)
def test_clauses_are_taken_out_of_a_query(query: str, rest: str, asked: list[str]) -> None:
    left, clauses = split(query)
    assert left == rest
    assert [clause.query for clause in clauses] == asked
    assert all(left[clause.at - 1] == "{" for clause in clauses)
    gate.pass_through(left, LIMITS)


def test_a_clause_knows_its_endpoint_its_variables_and_whether_it_may_fail() -> None:
    _, (one, two) = split(
        f"ASK {{ SERVICE SILENT <{HERE}> {{ ?a $b ?a }} SERVICE <https://e.example/x> {{ <urn:a> 'c' ?é·2 }} }}"
    )
    assert (one.endpoint, one.silent, one.variables) == (HERE, True, ("a", "b"))
    assert (two.endpoint, two.silent, two.variables) == ("https://e.example/x", False, ("é·2",))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("ASK { SERVICE ?where { } }", "not a variable"),
        ("ASK { SERVICE $where { } }", "not a variable"),
        ("ASK { SERVICE <https://other.example/> { } }", "not allowed to reach https://other.example/. Allowed: "),
        (f"ASK {{ SERVICE <{HERE}/> {{ }} }}", "not allowed to reach"),
        (f"BASE <{HERE}> ASK {{ SERVICE <> {{ }} }}", "whole IRI"),
        (f"BASE <{HERE}> ASK {{ SERVICE <sparql> {{ }} }}", "whole IRI"),
        ("ASK { SERVICE e:x { } }", "whole IRI"),
        ("PREFIX e: <https://e.example/> PREFIX e: <https://f.example/> ASK { SERVICE e:x { } }", "https://f.example/x"),
        ("ASK { SERVICE 'x' { } }", "whole IRI"),
        ("ASK { SERVICE", "whole IRI"),
        (f"ASK {{ SERVICE <{HERE}>", "followed by a block"),
        (f"ASK {{ SERVICE <{HERE}> SILENT {{ }} }}", "followed by a block"),
        (f"ASK {{ SERVICE <{HERE}> {{ ?s ?p '}}' ", "not closed"),
        (f"ASK {{ SERVICE <{HERE}> {{ {{ SERVICE <{HERE}> {{ }} }} }} }}", "within SERVICE"),
        (f"ASK {{ SERVICE <{HERE}> {{ FILTER EXISTS {{ service ?x {{ }} }} }} }}", "within SERVICE"),
        (f"ASK {{ {f'SERVICE <{HERE}> {{ }} ' * 5} }}", "may have 4"),
        (f"ASK {{ SERVICE <{HERE}> {{ \\u0053ERVICE <{HERE}> {{ }} }} }}", "SERVICE is not allowed here"),
        (f"ASK {{ SERVICE <{HERE}> {{ trueSERVICE <{HERE}> {{ }} }} }}", "SERVICE is not allowed here"),
        (f"ASK {{ SERVICE <{HERE}> {{ FILTER({'(' * 100}1{')' * 100}) }} }}", "nested"),
        (f"ASK {{ SERVICE <{HERE}> {{ {'?s ?p ?o . ' * 300} }} }}", "triples"),
    ],
)
def test_what_may_not_be_asked_is_refused_in_a_sentence(query: str, words: str) -> None:
    with pytest.raises(BadQuery) as caught:
        split(query)
    assert words in caught.value.detail


@pytest.mark.parametrize(
    "query",
    [
        f"ASK {{ \\u0053ERVICE <{HERE}> {{ }} }}",
        f"ASK {{ SERVICE <{HERE}> {{ }} S\\u0045RVICE <{HERE}> {{ }} }}",
        f"ASK {{ SERVICEsilent <{HERE}> {{ }} }}",
        f"PREFIX SERVICE: <{HERE}> ASK {{ SERVICE: {{ }} }}",
        f"ASK {{ trueSERVICE <{HERE}> {{ }} }}",
        f"ASK {{ SERVICE <{HERE}> {{ }} 'SERVICE <{HERE}> {{ }} ' xSERVICE <{HERE}> {{ }} }}",
    ],
)
def test_what_hides_a_service_is_left_to_the_gate_which_refuses_it(query: str) -> None:
    left, _ = split(query)
    with pytest.raises(BadQuery) as caught:
        gate.pass_through(left, LIMITS)
    assert caught.value.extra["limit"] == "service"


@pytest.mark.parametrize("form", ["INSERT { ?s ?p ?o }", "DELETE { ?s ?p ?o }", "WITH <urn:g> INSERT { }", "PREFIX a: ASK", ""])
def test_no_endpoint_is_asked_for_what_is_no_query(form: str) -> None:
    update = f"{form} WHERE {{ SERVICE <{HERE}> {{ ?s ?p ?o }} }}"
    assert split(update) == (update, ())


def test_without_endpoints_nothing_is_taken_out() -> None:
    query = f"ASK {{ SERVICE <{HERE}> {{ }} }}"
    assert federation.split(query, {}, LIMITS) == (query, ())


# ── Two services ─────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Pair:
    """The service of the article, which may reach the other one as Wikidata and by its own URL, and that one."""

    client: Client
    other: Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.other.port}/sparql"

    def ask(self, query: str, accept: str = "", **more: str) -> Reply:
        return self.client.get("/sparql", accept, query=query, **more)


@pytest.fixture(scope="module")
def truthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("wikidata") / "truthy.ttl"
    file.write_text(TRUTHY, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def pair(truthy: Path) -> Iterator[Pair]:
    environment = {"SUASION_LOG_FORMAT": "none", "SUASION_CLIENT_SECONDS_PER_MINUTE": "0"}
    other, other_port = serve(str(truthy), environment=environment)
    url = f"http://127.0.0.1:{other_port}/sparql"
    process, port = serve("--service", f"{WIKIDATA}={url}", "--service", url, environment=environment)
    yield Pair(Client(port), Client(other_port))
    stop(process)
    stop(other)


def rows(reply: Reply) -> list[dict[str, str]]:
    assert reply.status == 200, reply.body
    return [{name: term["value"] for name, term in row.items()} for row in json.loads(reply.body)["results"]["bindings"]]


def test_the_recipients_in_asean_have_the_populations_of_the_other_service(pair: Pair) -> None:
    reply = pair.ask(example("recipients-in-asean"))
    actor = "https://w3id.org/suasion/id/actor/"
    assert rows(reply) == [
        {"recipient": actor + "cambodia", "population": "17420000"},
        {"recipient": actor + "laos", "population": "7530000"},
        {"recipient": actor + "vietnam", "population": "98860000"},
    ]
    assert reply.headers["suasion-completeness"] == "complete"


def test_the_codes_of_both_services_are_compared(pair: Pair) -> None:
    found = rows(pair.ask(example("codes-in-wikidata")))
    same = {row["code"]: row.get("same", "not known there") for row in found}
    assert same == {
        "DEU": "not known there",
        "JPN": "true",
        "KHM": "true",
        "LAO": "true",
        "MMR": "false",
        "VNM": "not known there",
    }


def example(stem: str) -> str:
    (text,) = [path.read_text(encoding="utf-8") for path in EXAMPLES if path.stem == stem]
    return text


def test_capitals_of_the_other_service_are_counted_in_claims_here(pair: Pair) -> None:
    """Hanoi is not spoken of; Berlin is no capital of a member."""
    mentions = pair.client.get("/claims", thing="place:phnom-penh").json()["total"]
    thing = "https://w3id.org/suasion/id/"
    assert rows(pair.ask(example("capitals-in-the-article"))) == [
        {"state": thing + "actor/cambodia", "code": "KH", "capital": thing + "place/phnom-penh", "claims": str(mentions)},
        {"state": thing + "actor/vietnam", "code": "VN", "claims": "0"},
    ]


def test_heads_of_government_are_those_of_the_day_of_the_article(pair: Pair) -> None:
    """Of members of ASEAN only, and of terms that have a beginning."""
    found = [
        (row["state"].rpartition("/")[2], row["head"], row.get("until")) for row in rows(pair.ask(example("heads-of-government")))
    ]
    item = "http://www.wikidata.org/entity/"
    assert found == [("cambodia", item + "Q57642", "2023-08-22"), ("vietnam", item + "Q2", None)]


def test_treaties_have_the_parties_that_are_here(pair: Pair) -> None:
    found = [
        (row["title"], row["day"][:10], row["party"].rpartition("/")[2])
        for row in rows(pair.ask(example("treaties-of-partners")))
    ]
    assert found == [("Treaty", "1976-02-24", party) for party in ("asean", "china", "japan")]


def test_there_are_examples_and_each_has_a_test() -> None:
    tested = [
        "capitals-in-the-article",
        "codes-in-wikidata",
        "heads-of-government",
        "recipients-in-asean",
        "treaties-of-partners",
    ]
    assert [path.stem for path in EXAMPLES] == tested


def test_the_examples_are_published_with_the_endpoint_that_each_needs(pair: Pair) -> None:
    found = (
        Graph()
        .parse(data=pair.client.get("/queries.ttl").body, format="turtle")
        .query(
            """
        PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
        PREFIX sh: <http://www.w3.org/ns/shacl#>
        PREFIX spex: <https://purl.expasy.org/sparql-examples/ontology#>
        SELECT ?query ?text ?words ?endpoint WHERE {
          ?query a sh:SPARQLSelectExecutable ; sh:select ?text ; rdfs:comment ?words ; spex:federatesWith ?endpoint
        } ORDER BY ?query"""
        )
    )
    told = [tuple(str(term) for term in row) for row in found]  # type: ignore[union-attr]
    assert [(query.rpartition("/")[2], text, endpoint) for query, text, _, endpoint in told] == [
        (path.stem, path.read_text(encoding="utf-8"), WIKIDATA) for path in EXAMPLES
    ]
    assert all(words.endswith((".", "?")) for _, _, words, _ in told)


PREFIXES = (
    "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX adms: <http://www.w3.org/ns/adms#> "
    "PREFIX : <https://w3id.org/suasion/def#> PREFIX wd: <http://www.wikidata.org/entity/> "
    "PREFIX wdt: <http://www.wikidata.org/prop/direct/> "
)
JOINED = (
    "SELECT * WHERE { ?thing skos:exactMatch ?item . SERVICE <URL> { ?item wdt:P298 ?code } }",
    "SELECT ?thing ?code WHERE { SERVICE <URL> { ?item wdt:P298 ?code } ?thing skos:exactMatch ?item }",
    "SELECT ?thing ?code WHERE { ?thing skos:exactMatch ?item . OPTIONAL { SERVICE <URL> { ?item wdt:P298 ?code } } }",
    "SELECT ?thing WHERE { ?thing skos:exactMatch ?item . MINUS { SERVICE <URL> { ?item wdt:P298 ?code } } }",
    "SELECT ?thing WHERE { ?thing skos:exactMatch ?item . FILTER EXISTS { SERVICE <URL> { ?item wdt:P463 wd:Q7768 } } }",
    "SELECT ?item ?thing WHERE { { SERVICE <URL> { ?item wdt:P298 ?code } } UNION { ?thing skos:exactMatch ?item } }",
    "SELECT ?group (COUNT(*) AS ?n) WHERE { SERVICE <URL> { ?item wdt:P463 ?group } } GROUP BY ?group",
    "SELECT * WHERE { SERVICE <URL> { SELECT ?item WHERE { ?item wdt:P298 ?code } ORDER BY ?code LIMIT 2 } }",
    "SELECT * WHERE { SERVICE <URL> { ?item wdt:P298 ?code OPTIONAL { ?item wdt:P463 ?group } FILTER(?code != 'JPN') } }",
    "SELECT * WHERE { SERVICE <URL> { ?item wdt:P463 ?group } SERVICE <URL> { ?item wdt:P1566 ?number } }",
    "SELECT * WHERE { SERVICE <URL> { wd:Q17 wdt:P298 'JPN' } }",
    "SELECT * WHERE { SERVICE <URL> { wd:Q17 wdt:P298 'XXX' } }",
    "SELECT * WHERE { SERVICE <URL> { ?item wdt:P9999 ?none } }",
    "SELECT * WHERE { VALUES ?code { 'JPN' 'KHM' } SERVICE <URL> { ?item wdt:P298 ?code } }",
    "SELECT * WHERE { SERVICE <URL> { VALUES ?code { 'JPN' 'KHM' } ?item wdt:P298 ?code . BIND(STRLEN(?code) AS ?n) } }",
    "SELECT DISTINCT ?code WHERE { SERVICE <URL> { ?item wdt:P298 ?code } FILTER(STRSTARTS(?code, 'J')) }",
    "SELECT * WHERE { { SELECT ?item WHERE { SERVICE <URL> { ?item wdt:P298 ?code } } } ?thing skos:exactMatch ?item }",
    "SELECT * WHERE { SERVICE <URL> { ?item wdt:P298 ?code . FILTER NOT EXISTS { ?item wdt:P1566 ?number } } }",
)


@pytest.mark.parametrize("query", JOINED)
def test_answers_are_those_of_an_engine_that_evaluates_service_itself(pair: Pair, dataset: Dataset, query: str) -> None:
    text = PREFIXES + query.replace("URL", pair.url)
    solutions = dataset.facts.query(text)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    expected = Counter(tuple(str(term) for term in row) for row in solutions)
    reply = pair.ask(text)
    assert reply.status == 200, reply.body
    found = ox.parse_query_results(reply.body, format=ox.QueryResultsFormat.JSON)
    assert isinstance(found, ox.QuerySolutions)
    assert {variable.value for variable in found.variables} == set(names)
    assert Counter(tuple(str(row[name]) for name in names) for row in found) == expected
    assert reply.headers["suasion-completeness"] == "complete"


def test_service_within_graph_asks_the_endpoint_for_its_default_graph(pair: Pair) -> None:
    """The graph is a matter of the data here; the endpoint is not told of it (the engine alone would find nothing)."""
    query = "SELECT ?thing WHERE { GRAPH graph:identifiers { ?thing skos:exactMatch ?i . SERVICE <URL> { ?i wdt:P298 ?code } } }"
    prefix = "PREFIX graph: <https://w3id.org/suasion/graph/> "
    assert len(rows(pair.ask(prefix + PREFIXES + query.replace("URL", pair.url)))) == 6


CODES = (
    PREFIXES + f"SELECT ?thing ?code WHERE {{ ?thing skos:exactMatch ?item . SERVICE <{WIKIDATA}> {{ ?item wdt:P298 ?code }} }}"
)
SILENT = f"SELECT ?s WHERE {{ ?s ?p ?o SERVICE SILENT <{HERE}> {{ ?s ?p ?o }} }}"
OTHER = f"ASK {{ SERVICE <{WIKIDATA}/other> {{ ?s ?p ?o }} }}"


def test_agents_reach_the_same_endpoints_by_the_same_rules(pair: Pair, truthy: Path) -> None:
    expected = Counter(row["code"] for row in rows(pair.ask(CODES)))

    async def scenario(agent: Agent) -> None:
        found = await agent.call_tool("sparql", {"query": CODES, "default_graph": "facts"})
        assert isinstance(found.structured_content, dict)
        assert Counter(row["code"] for row in found.structured_content["rows"]) == expected
        assert found.structured_content["completeness"] == "complete"
        refused = await agent.call_tool("sparql", {"query": OTHER})
        assert refused.is_error and refused.meta
        assert WIKIDATA in refused.meta["problem"]["allowed_services"]

    async def scenario_of_silence(agent: Agent) -> None:
        told = next(tool for tool in (await agent.list_tools()).tools if tool.name == "sparql")
        assert f"SERVICE may reach <{HERE}>." in str(told.description)
        found = await agent.call_tool("sparql", {"query": SILENT})
        assert isinstance(found.structured_content, dict)
        assert (found.structured_content["completeness"], found.structured_content["failed_services"]) == ("truncated", [HERE])

    async def both() -> None:
        async with Agent(f"http://127.0.0.1:{pair.client.port}/mcp") as agent:
            await scenario(agent)
        for options, use in (((f"{WIKIDATA}={pair.url}",), scenario), ((HERE, str(truthy)), scenario_of_silence)):
            arguments = ["-m", "suasion", "mcp", "--service", *options]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "service")}
            async with Agent(
                stdio_client(StdioServerParameters(command=sys.executable, args=arguments, env=environment))
            ) as agent:
                await use(agent)

    asyncio.run(both())


def test_python_reaches_the_same_endpoints_by_the_same_rules(pair: Pair, truthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Counter(row["code"] for row in rows(pair.ask(CODES)))
    monkeypatch.setenv("SUASION_SERVICES", f"{WIKIDATA}={pair.url} {HERE}")
    with suasion.open() as embedded, suasion.open(f"http://127.0.0.1:{pair.client.port}") as remote:
        for graph in (embedded, remote):
            found = graph.query(CODES)
            assert isinstance(found, Results)
            assert Counter(row["code"] for row in found) == expected
            with pytest.raises(BadQuery):
                graph.query(OTHER)
        with pytest.raises(RemoteFailed, match=r"<http://127.0.0.1:9/sparql> failed, and SILENT hides it"):
            embedded.query(SILENT)
    middle, port = serve(str(truthy))
    try:
        with suasion.open(f"http://127.0.0.1:{port}") as remote, pytest.raises(RemoteFailed, match="SILENT hides it"):
            remote.query(SILENT)
    finally:
        stop(middle)


def test_graphs_and_ask_take_service_too(pair: Pair) -> None:
    block = f"SERVICE <{WIKIDATA}> {{ ?item wdt:P298 ?code }}"
    constructed = pair.ask(PREFIXES + f"CONSTRUCT {{ ?item :code ?code }} WHERE {{ {block} }}", "application/n-triples")
    assert len(constructed.body.splitlines()) == 6
    asked = pair.ask(PREFIXES + f"ASK {{ {block} FILTER(?code = 'XXX') }}")
    assert json.loads(asked.body)["boolean"] is False


def test_a_prefix_of_the_query_holds_in_the_block_and_one_of_the_endpoint_alone_reaches_it(pair: Pair) -> None:
    prologue = "BASE <http://www.wikidata.org/prop/> PREFIX w: <http://www.wikidata.org/prop/direct/> "
    query = f"SELECT * {{ SERVICE <{WIKIDATA}> {{ ?i <direct/P298> 'JPN' ; w:P1566 '1861060' }} }}"
    assert rows(pair.ask(prologue + query)) == [{"i": "http://www.wikidata.org/entity/Q17"}]
    undeclared = pair.ask(f"SELECT * {{ SERVICE <{WIKIDATA}> {{ ?i wdt:P298 'JPN' }} }}")
    assert undeclared.status == 502
    assert "refused the block" in str(undeclared.json()["detail"])


def test_a_fault_in_the_rest_of_the_query_has_its_line(pair: Pair) -> None:
    reply = pair.ask(f"SELECT *\nWHERE {{ SERVICE <{WIKIDATA}> {{\n?s ?p\n?o }}\n?s ?p }}")
    assert reply.status == 400
    assert reply.json()["line"] == 5


@pytest.mark.parametrize(
    "where", ["SERVICE ?x { ?s ?p ?o }", "SERVICE <http://127.0.0.1:9/> { }", "\\u0053ERVICE <WIKIDATA> { }"]
)
def test_what_is_not_allowed_is_400_and_says_what_is(pair: Pair, where: str) -> None:
    reply = pair.ask(f"SELECT * WHERE {{ {where.replace('WIKIDATA', WIKIDATA)} }}")
    assert reply.status == 400
    assert reply.json()["limit"] == "service"
    if "u0053" not in where:
        assert reply.json()["allowed_services"] == [WIKIDATA, pair.url]


def test_a_clause_that_failed_silently_is_told(truthy: Path) -> None:
    """In the words by which another service knows that the answer is a part."""
    environment = {"SUASION_LOG_FORMAT": "none", "SUASION_SERVICES": "http://127.0.0.1:9/sparql"}
    middle, port = serve(str(truthy), environment=environment)
    try:
        partial = Client(port).get(
            "/sparql", query="SELECT * { ?s ?p ?o SERVICE SILENT <http://127.0.0.1:9/sparql> { ?s ?p ?o } }"
        )
    finally:
        stop(middle)
    assert partial.headers["suasion-completeness"] == "truncated; reason=service"
    assert partial.headers["suasion-failed-services"] == "<http://127.0.0.1:9/sparql>"
    assert len(json.loads(partial.body)["results"]["bindings"]) == len(Graph().parse(data=TRUTHY, format="turtle"))


def test_the_description_lists_what_service_reaches(pair: Pair, client: Client) -> None:
    sd = Namespace("http://www.w3.org/ns/sparql-service-description#")
    references = URIRef("http://purl.org/dc/terms/references")
    described = Graph().parse(data=pair.client.get("/sparql", "text/turtle").body, format="turtle")
    service = described.value(predicate=RDF.type, object=sd.Service)
    assert set(described.objects(service, sd.feature)) == {sd.BasicFederatedQuery}
    assert set(described.objects(service, references)) == {URIRef(WIKIDATA), URIRef(pair.url)}
    alone = Graph().parse(data=client.get("/sparql", "text/turtle").body, format="turtle")
    assert not list(alone.objects(None, sd.feature)) and not list(alone.objects(None, references))


def test_waiting_for_an_endpoint_counts_as_computing_of_the_client(truthy: Path) -> None:
    """Else a client could have others work for it without end."""
    limits = {"SUASION_SERVICE_SECONDS": "1.1", "SUASION_CLIENT_SECONDS_PER_MINUTE": "1", "SUASION_LOG_FORMAT": "none"}
    with misbehaving() as remote:
        process, port = serve(str(truthy), "--service", f"{remote.url}/hang", environment=limits)
        try:
            query = f"ASK {{ SERVICE <{remote.url}/hang> {{ ?s ?p ?o }} }}"
            statuses = [Client(port).get("/sparql", query=query).status for _ in range(3)]
        finally:
            stop(process)
    assert statuses == [504, 504, 429]
