"""The update half of the W3C tests of the SPARQL Protocol, against a real service that may be written to.

Each exchange has the name of its W3C test and is described in our words. All are sent with a token and a label, as the W3C's
own runner sends them, and to /sparql/. Tests that stand in the manifest of SPARQL 1.2 alone come last.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import pytest

from conftest import Reply
from writers import Writer, dataset_file, writer

ENDPOINT = "/sparql/"
DATA = "http://kasei.us/2009/09/sparql/data/"
D1, D2, D3 = (f"{DATA}data{number}.rdf" for number in range(1, 4))
FORM, UPDATE, QUERY = "application/x-www-form-urlencoded", "application/sparql-update", "application/sparql-query"
RESULT = "http://example.org/protocol-update-test/"
DOCUMENT, KIND = "http://xmlns.com/foaf/0.1/Document", "http://purl.org/dc/terms/BibliographicResource"


@dataclass(frozen=True, slots=True)
class Writing:
    """A request, the first digit of its expected status, and an ASK that has to be true of the data afterwards."""

    name: str
    body: bytes
    media_type: str = UPDATE
    query_string: str = ""
    status: int = 2
    holds: str = ""
    method: str = "POST"


def parameters(*pairs: tuple[str, str]) -> str:
    return urlencode(pairs, quote_via=quote)


def documents(*graphs: str) -> str:
    """Return an update that leaves one document in each graph, and nothing else."""
    return "DROP ALL ; INSERT DATA { " + " ".join(f"GRAPH <{g}> {{ <{g}> a <{DOCUMENT}> }}" for g in graphs) + " } ;"


def marked(pattern: str, *graphs: str) -> bytes:
    return f"{documents(*graphs)} INSERT {{ GRAPH <{RESULT}> {{ ?s a <{KIND}> }} }} WHERE {{ {pattern} }}".encode()


def only(*graphs: str, of: tuple[str, ...]) -> str:
    """Return the ASK that just these of the documents were marked."""
    there = " ".join(f"<{g}> a <{KIND}> ." for g in graphs)
    gone = " ".join(f"FILTER NOT EXISTS {{ GRAPH <{RESULT}> {{ <{g}> a <{KIND}> }} }}" for g in of if g not in graphs)
    return f"ASK {{ GRAPH <{RESULT}> {{ {there} }} {gone} }}"


IN_DEFAULT, IN_NAMED = f"?s a <{DOCUMENT}>", f"GRAPH ?g {{ ?s a <{DOCUMENT}> }}"
ALL = (D1, D2, D3)
USING, USING_NAMED = "using-graph-uri", "using-named-graph-uri"
EMPTY = "ASK { FILTER NOT EXISTS { ?s ?p ?o } FILTER NOT EXISTS { GRAPH ?g { ?s ?p ?o } } }"
CONFLICT = (
    "PREFIX foaf: <http://xmlns.com/foaf/0.1/> WITH <http://example/addresses> DELETE { ?p foaf:givenName 'Bill' } "
    "INSERT { ?p foaf:givenName 'William' } WHERE { ?p foaf:givenName 'Bill' }"
)
EXCHANGES = (
    Writing("update_dataset_default_graph", marked(IN_DEFAULT, D1), UPDATE, parameters((USING, D1)), 2, only(D1, of=(D1,))),
    Writing(
        "update_dataset_default_graphs",
        marked(IN_DEFAULT, *ALL),
        UPDATE,
        parameters((USING, D1), (USING, D2)),
        2,
        only(D1, D2, of=ALL),
    ),
    Writing(
        "update_dataset_named_graphs",
        marked(IN_NAMED, *ALL),
        UPDATE,
        parameters((USING_NAMED, D1), (USING_NAMED, D2)),
        2,
        only(D1, D2, of=ALL),
    ),
    Writing(
        "update_dataset_full",
        (
            f"{documents(*ALL)} INSERT {{ GRAPH <{RESULT}> {{ ?s <http://example.org/in> ?in }} }} WHERE {{ "
            f"{{ GRAPH ?g {{ ?s a <{DOCUMENT}> }} BIND(?g AS ?in) }} UNION {{ ?s a <{DOCUMENT}> . BIND('default' AS ?in) }} }}"
        ).encode(),
        UPDATE,
        parameters((USING, D1), (USING_NAMED, D2)),
        2,
        f"ASK {{ GRAPH <{RESULT}> {{ <{D1}> <http://example.org/in> 'default' . <{D2}> <http://example.org/in> <{D2}> }} "
        f"FILTER NOT EXISTS {{ GRAPH <{RESULT}> {{ <{D3}> ?p ?o }} }} }}",
    ),
    Writing("update_post_form", b"update=CLEAR+ALL", FORM, holds=EMPTY),
    Writing("update_post_direct", b"CLEAR ALL", holds=EMPTY),
    Writing(
        "update_base_uri",
        b"CLEAR GRAPH <http://e.example/base> ; "
        b"INSERT DATA { GRAPH <http://e.example/base> { <http://e.example/s> <http://e.example/p> <test> } }",
        holds="ASK { GRAPH <http://e.example/base> { ?s ?p ?o FILTER(ISIRI(?o) && STRSTARTS(STR(?o), 'http://127.0.0.1:')) } }",
    ),
    Writing("bad_update_get", b"", "", "update=CLEAR%20ALL", 4, method="GET"),
    Writing("bad_multiple_updates", b"update=CLEAR%20NAMED&update=CLEAR%20DEFAULT", FORM, status=4),
    Writing("bad_update_wrong_media_type", b"CLEAR NAMED", "text/plain", status=4),
    Writing("bad_update_missing_form_type", b"update=CLEAR%20NAMED", "", status=4),
    Writing("bad_update_non_utf8", "CLEAR NAMED".encode("utf-16"), f"{UPDATE}; charset=UTF-16", status=4),
    Writing("bad_update_syntax", b"update=CLEAR%20XYZ", FORM, status=4),
    Writing("bad_update_dataset_conflict", CONFLICT.encode(), UPDATE, parameters((USING_NAMED, "http://example/people")), 4),
    Writing("bad_update_form_body_missing", b"", FORM, "update=CLEAR%20ALL", 4),
    Writing("update_post_form_with_version", b"update=CLEAR%20ALL&version=1.2", FORM, holds=EMPTY),
    Writing("update_post_direct_with_version_param", b"CLEAR ALL", f"{UPDATE}; version=1.2", holds=EMPTY),
    Writing("bad_update_multiple_versions", b"update=CLEAR%20ALL&version=1.1&version=1.2", FORM, status=4),
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    """A service of three triples, which may be written to."""
    folder = tmp_path_factory.mktemp("written")
    with writer(folder, dataset_file(folder)) as running:
        yield running


def sent(service: Writer, exchange: Writing) -> Reply:
    target = f"{ENDPOINT}?" + "&".join(filter(None, (exchange.query_string, f"clientRequestId={exchange.name}")))
    headers = {"Content-Type": exchange.media_type} if exchange.media_type else {}
    return service.send(exchange.method, target, headers, exchange.body)


def holds(service: Writer, ask: str) -> bool:
    reply = service.client.send("POST", ENDPOINT, {"Content-Type": QUERY}, ask.encode())
    assert reply.status == 200, reply.body
    return bool(json.loads(reply.body)["boolean"])


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
def test_the_w3c_tests_of_update_operations_pass(service: Writer, exchange: Writing) -> None:
    before = Writing("before", b"DROP ALL ; INSERT DATA { GRAPH <http://e.example/kept> { <urn:a> <urn:b> <urn:c> } }")
    assert sent(service, before).status // 100 == 2
    reply = sent(service, exchange)
    assert reply.status // 100 == exchange.status, reply.body
    if exchange.holds:
        assert holds(service, exchange.holds)
    if exchange.status == 4:
        assert holds(service, "ASK { GRAPH <http://e.example/kept> { <urn:a> <urn:b> <urn:c> } }"), (
            "a refused update changed the data"
        )


def test_the_service_says_that_it_takes_updates(service: Writer) -> None:
    assert b"SPARQL11Update" in service.client.get("/sparql", "application/n-triples").body
