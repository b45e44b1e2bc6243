"""Writing over HTTP, on real services: updates, graphs, what is protected, and that every reader sees it at once."""

import gzip
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic

from conftest import ROOT, serve, stop
from procfs import holds_within, loader, workers
from writers import FORM, NOTES, QUIET, TURTLE, UPDATE, Writer, at, dataset_file, writer

TRIPLE = "<https://example.org/a> <https://example.org/b> <https://example.org/c> ."
OTHER = '<https://example.org/a> <https://example.org/b> "other" .'
CLAIM = "https://w3id.org/suasion/id/claim/japan-granted-cambodia-for-health-2008"
PLACES = "https://w3id.org/suasion/graph/places"
UNION = "https://w3id.org/suasion/graph/union"
XML = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="https://example.org/">{}</rdf:RDF>'
NODE = '<rdf:Description rdf:about="https://example.org/a"><e:b rdf:resource="https://example.org/c"/></rdf:Description>'


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    """A service of the article that is written to."""
    with writer(tmp_path_factory.mktemp("beside")) as running:
        yield running


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    """A service of a file that is written to."""
    where = tmp_path_factory.mktemp("alone")
    with writer(where, dataset_file(where)) as running:
        yield running


# ── Graphs ───────────────────────────────────────────────────────────────────


def test_put_makes_a_graph_and_then_replaces_it(beside: Writer) -> None:
    graph = "https://example.org/put"
    assert beside.triples(graph) is None
    assert beside.put(graph, TRIPLE).status == 201
    assert beside.triples(graph) == {TRIPLE}
    reply = beside.put(graph, OTHER)
    assert (reply.status, reply.body) == (204, b"")
    assert beside.triples(graph) == {OTHER}


def test_post_adds_to_a_graph_or_makes_it(beside: Writer) -> None:
    graph = "https://example.org/post"
    assert beside.send("POST", at(graph), TURTLE, TRIPLE).status == 201
    assert beside.send("POST", at(graph), TURTLE, OTHER).status == 200
    assert beside.triples(graph) == {TRIPLE, OTHER}


def test_delete_removes_a_graph_once(beside: Writer) -> None:
    graph = "https://example.org/delete"
    assert beside.send("DELETE", at(graph)).status == 404
    beside.put(graph, TRIPLE)
    assert beside.send("DELETE", at(graph)).status == 200
    assert beside.triples(graph) is None
    assert beside.send("DELETE", at(graph)).status == 404


def test_an_empty_put_makes_an_empty_graph_that_exists(beside: Writer) -> None:
    graph = "https://example.org/empty"
    assert beside.put(graph, "").status == 201
    assert beside.triples(graph) == set()
    assert beside.client.send("HEAD", at(graph)).status == 200
    assert beside.send("DELETE", at(graph)).status == 200
    assert beside.client.send("HEAD", at(graph)).status == 404
    assert beside.send("PUT", at(graph), {"Content-Type": "application/ld+json"}).status == 400


def test_an_empty_post_is_204_and_makes_nothing(beside: Writer) -> None:
    graph = "https://example.org/never"
    assert beside.send("POST", at(graph), TURTLE).status == 204
    assert beside.triples(graph) is None
    reply = beside.send("POST", "/graph-store", TURTLE)
    assert (reply.status, reply.headers.get("location")) == (204, None)


def test_a_path_below_the_store_is_a_graph_of_its_own_address(beside: Writer) -> None:
    path = "/graph-store/people/caf%C3%A9.ttl"
    iri = f"http://127.0.0.1:{beside.client.port}{path}"
    assert beside.client.send("GET", path).status == 404
    assert beside.send("PUT", path, TURTLE, "<> <https://example.org/b> <other> .").status == 201
    expected = {f"<{iri}> <https://example.org/b> <{iri.rpartition('/')[0]}/other> ."}
    assert beside.triples(iri) == expected
    got = beside.client.send("GET", path, {"Accept": "application/n-triples"})
    assert (got.status, set(got.body.decode().splitlines())) == (200, expected)
    assert beside.client.send("HEAD", path).status == 200
    assert beside.send("POST", path, TURTLE, OTHER).status == 200
    assert len(beside.triples(iri) or ()) == 2
    assert beside.send("DELETE", path).status == 200
    assert beside.client.send("GET", path).status == 404


def test_a_post_to_the_store_makes_a_new_graph_each_time(beside: Writer) -> None:
    made = [beside.send("POST", "/graph-store", TURTLE, "<> <https://example.org/b> 1 .") for _ in range(2)]
    assert [reply.status for reply in made] == [201, 201]
    places = [reply.headers["location"] for reply in made]
    assert len(set(places)) == 2
    for place in places:
        assert place.startswith(f"http://127.0.0.1:{beside.client.port}/graph-store/")
        found = beside.client.send("GET", place.partition(str(beside.client.port))[2], {"Accept": "application/n-triples"})
        assert found.status == 200
        assert found.body.decode().startswith(f"<{place}> <https://example.org/b> ")


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/turtle", TRIPLE),
        ("text/turtle; charset=UTF-8", TRIPLE),
        ("application/n-triples", TRIPLE),
        ("application/rdf+xml", XML.format(NODE)),
        ("application/ld+json", '{"@id":"https://example.org/a","https://example.org/b":{"@id":"https://example.org/c"}}'),
        ("", XML.format(NODE)),
    ],
)
def test_each_type_is_read(beside: Writer, media_type: str, body: str) -> None:
    graph = "https://example.org/types"
    headers = {"Content-Type": media_type} if media_type else {}
    assert beside.send("PUT", at(graph), headers, body).status in (201, 204)
    assert beside.triples(graph) == {TRIPLE}


@pytest.mark.parametrize(
    ("media_type", "body", "status", "words"),
    [
        ("text/turtle", "<https://example.org/a>\n<https://example.org/b> .", 400, "line 2"),
        ("text/turtle", XML.format(NODE), 400, "line 1"),
        ("application/n-triples", TRIPLE + "\n<a> <b> <c> .", 400, "line 2"),
        ("application/rdf+xml", XML.format("<a>"), 400, "line 1"),
        ("application/rdf+xml", '<!DOCTYPE x [<!ENTITY a "b">]>' + XML.format(NODE), 400, "DOCTYPE"),
        ("", TRIPLE, 400, "line 1"),
        ("application/ld+json", "[" * 70 + "]" * 70, 400, "nested more than 64"),
        ("application/ld+json", '{"@context":"https://example.org/c","a":1}', 400, "not fetched"),
        ("application/ld+json", '{"@id":"urn:g","@graph":[{"@id":"urn:a","urn:b":1}]}', 400, "Named graphs"),
        ("text/turtle", b"<urn:a> <urn:b> '\xff' .", 400, "UTF-8"),
        ("application/n-quads", TRIPLE, 415, "several graphs"),
        ("application/trig", TRIPLE, 415, "several graphs"),
        ("text/csv", "a,b", 415, "text/turtle"),
        ("application/sparql-update", "CLEAR ALL", 415, "text/turtle"),
        ("text/turtle; charset=latin-1", TRIPLE, 415, "UTF-8"),
        ("text/turtle", "<urn:a> <urn:b> '" + "x" * (1024 * 1024 + 1) + "' .", 400, "1,048,576 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused_whole(
    beside: Writer, media_type: str, body: str | bytes, status: int, words: str
) -> None:
    graph = "https://example.org/whole"
    beside.put(graph, TRIPLE)
    for method in ("PUT", "POST"):
        reply = beside.send(method, at(graph), {"Content-Type": media_type} if media_type else {}, body)
        assert reply.status == status, reply.body
        assert words in str(reply.json()["detail"])
        assert beside.triples(graph) == {TRIPLE}


def multipart(*files: tuple[str, str, str]) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a form of files: name, type and content."""
    body = "".join(
        f'--cut\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n'
        + (f"Content-Type: {kind}\r\n" if kind else "")
        + f"\r\n{content}\r\n"
        for name, kind, content in files
    )
    return {"Content-Type": "multipart/form-data; boundary=cut"}, (body + "--cut--\r\n").encode()


def test_a_form_of_files_is_merged(beside: Writer) -> None:
    graph = "https://example.org/form"
    headers, body = multipart(
        ("a.ttl", "text/turtle", TRIPLE + " [] <urn:p> 1 ."),
        ("b.rdf", "application/rdf+xml; charset=utf-8", XML.format(NODE)),
        ("c.nt", "application/octet-stream", OTHER),
        ("d.ttl", "", "_:x <urn:p> 1 . _:x <urn:p> 2 ."),
    )
    assert beside.send("POST", at(graph), headers, body).status == 201
    found = beside.triples(graph)
    assert found is not None
    assert {TRIPLE, OTHER} <= found
    assert len(found) == 5
    assert len({line.split()[0] for line in found if line.startswith("_:")}) == 2


@pytest.mark.parametrize(
    ("files", "status", "words"),
    [
        ((("a.ttl", "text/turtle", TRIPLE), ("b.ttl", "text/turtle", "<urn:a>")), 400, "b.ttl, line 1"),
        ((("a.nq", "application/n-quads", TRIPLE),), 415, "a.nq"),
        ((("a", "", TRIPLE),), 400, "Content-Type"),
        ((), 400, ""),
    ],
)
def test_a_form_with_a_fault_is_refused_whole(
    beside: Writer, files: tuple[tuple[str, str, str], ...], status: int, words: str
) -> None:
    graph = "https://example.org/form-fault"
    reply = beside.send("POST", at(graph), *multipart(*files))
    assert reply.status == status, reply.body
    assert words in str(reply.json()["detail"])
    assert beside.triples(graph) is None


def test_a_form_that_is_cut_off_or_put_is_refused(beside: Writer) -> None:
    headers, body = multipart(("a.ttl", "text/turtle", TRIPLE))
    for method, cut, status in (("POST", body[:-9], 400), ("POST", body[:30], 400), ("PUT", body, 415)):
        assert beside.send(method, at("https://example.org/form-cut"), headers, cut).status == status
    assert beside.send("POST", at(NOTES), {"Content-Type": "multipart/form-data"}, body).status == 415


def test_bodies_may_be_gzip(beside: Writer) -> None:
    graph = "https://example.org/gzip"
    assert beside.send("PUT", at(graph), {**TURTLE, "Content-Encoding": "gzip"}, gzip.compress(TRIPLE.encode())).status == 201
    update = f"INSERT DATA {{ GRAPH <{graph}> {{ {OTHER} }} }}"
    assert beside.send("POST", "/sparql", {**UPDATE, "Content-Encoding": "gzip"}, gzip.compress(update.encode())).status == 204
    assert beside.triples(graph) == {TRIPLE, OTHER}
    assert beside.send("PUT", at(graph), {**TURTLE, "Content-Encoding": "br"}, b"x").status == 415


def test_conditions_of_existence_hold(beside: Writer) -> None:
    graph = "https://example.org/conditions"

    def put(**condition: str) -> int:
        headers = {name.replace("_", "-"): value for name, value in condition.items()}
        return beside.send("PUT", at(graph), {**TURTLE, **headers}, TRIPLE).status

    assert put(if_match="*") == 412
    assert put(if_none_match="*") == 201
    assert put(if_none_match="*") == 412
    assert put(if_match="*") == 204
    assert put(if_match='W/"x"') == 412
    assert put(if_none_match='"x"') == 412


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/graph-store?graph=relative", 400),
        ("/graph-store?graph=no%20iri", 400),
        ("/graph-store?graph=urn:a%3E", 400),
        ("/graph-store?default&graph=urn:a", 422),
        ("/graph-store?graph=urn:a&graph=urn:b", 422),
        ("/graph-store?other=1", 422),
        ("/graph-store/a?graph=urn:a", 422),
        ("/graph-store/a%zz", 400),
    ],
)
def test_graphs_without_a_proper_name_are_refused(beside: Writer, path: str, status: int) -> None:
    for method in ("PUT", "POST", "DELETE"):
        assert beside.send(method, path, TURTLE, TRIPLE).status == status


def test_other_methods_are_405(beside: Writer) -> None:
    for path in (at(NOTES), "/graph-store", "/graph-store/a", "/graph/places"):
        reply = beside.send("PATCH", path, UPDATE, "CLEAR ALL")
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, PUT, POST, DELETE, OPTIONS")
        assert beside.client.send("OPTIONS", path).headers["allow"] == "GET, HEAD, PUT, POST, DELETE, OPTIONS"


def test_a_graph_of_real_data_comes_back_as_it_was_sent(beside: Writer) -> None:
    graph = "https://example.org/copy"
    source = Graph().parse(ROOT / "graph_data" / "actors.ttl", format="turtle")
    assert beside.put(graph, source.serialize(format="turtle")).status == 201
    for accept, kind in (("text/turtle", "turtle"), ("application/rdf+xml", "xml")):
        found = Graph().parse(data=beside.client.send("GET", at(graph), {"Accept": accept}).body, format=kind)
        assert isomorphic(found, source)


# ── Updates ──────────────────────────────────────────────────────────────────


def test_an_update_is_sent_directly_or_in_a_form(beside: Writer) -> None:
    graph = "https://example.org/update"
    reply = beside.update(f"INSERT DATA {{ GRAPH <{graph}> {{ {TRIPLE} }} }}")
    assert (reply.status, reply.body) == (204, b"")
    form = urlencode({"update": f"INSERT {{ GRAPH <{graph}> {{ {OTHER} }} }} WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"})
    assert beside.send("POST", "/sparql", FORM, form).status == 204
    assert beside.triples(graph) == {TRIPLE, OTHER}
    assert beside.update(f"DELETE WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}; DROP GRAPH <{graph}>").status == 204
    assert beside.triples(graph) is None


def test_several_operations_are_done_whole_or_not_at_all(beside: Writer) -> None:
    graph = "https://example.org/all-or-none"
    insert = f"INSERT DATA {{ GRAPH <{graph}> {{ {TRIPLE} }} }}"
    assert beside.update(f"{insert} ; CREATE GRAPH <{graph}>").status == 400
    assert beside.triples(graph) is None
    assert beside.update(f"CREATE GRAPH <{graph}> ; {insert} ; COPY <{graph}> TO <{graph}/copy>").status == 204
    assert beside.triples(f"{graph}/copy") == {TRIPLE}


def test_blank_nodes_of_two_updates_or_uploads_are_never_the_same(beside: Writer) -> None:
    """Each candidate is a fork of the same process: its generator of blank nodes must not be."""
    graph = "https://example.org/blank"
    for _ in range(3):
        assert beside.update(f"INSERT DATA {{ GRAPH <{graph}> {{ _:x <urn:p> 1 }} }}").status == 204
    for _ in range(3):
        assert beside.send("POST", at(graph), TURTLE, "_:x <urn:p> 1 .").status in (200, 201)
    insert = f"INSERT {{ GRAPH <{graph}> {{ ?b <urn:p> 1 }} }} WHERE {{ BIND(BNODE() AS ?b) }}"
    for _ in range(3):
        assert beside.update(insert).status == 204
    assert beside.count(f"GRAPH <{graph}> {{ ?s ?p ?o }}") == 9
    assert beside.send("DELETE", at(graph)).status == 200


@pytest.mark.parametrize(
    ("using", "seen"),
    [
        ({"using-graph-uri": "urn:using:a"}, {"a"}),
        ({"using-named-graph-uri": "urn:using:b"}, {"b"}),
        ({"using-graph-uri": "urn:using:a", "using-named-graph-uri": "urn:using:b"}, {"a", "b"}),
        ({"using-graph-uri": "urn:using:none"}, set()),
    ],
)
def test_the_request_may_name_the_graphs_that_an_update_looks_at(alone: Writer, using: dict[str, str], seen: set[str]) -> None:
    for name in ("a", "b"):
        alone.put(f"urn:using:{name}", f'<urn:s> <urn:p> "{name}" .')
    alone.send("DELETE", at("urn:using:out"))
    update = (
        "# WHERE\nPREFIX where: <urn:where:> INSERT { GRAPH <urn:using:out> { <urn:x> <urn:saw> ?o } } "
        "WHERE { { ?s <urn:p> ?o } UNION { GRAPH ?g { ?s <urn:p> ?o } } }"
    )
    assert alone.update(update, "?" + urlencode(using)).status == 204
    found = alone.triples("urn:using:out")
    assert {line.split('"')[1] for line in found or ()} == seen
    alone.send("DELETE", at("urn:using:out"))
    assert alone.send("POST", "/sparql", FORM, urlencode({"update": update, **using})).status == 204
    assert alone.triples("urn:using:out") == found


def test_delete_where_looks_at_the_graphs_of_the_request_too(alone: Writer) -> None:
    """USING says where to look, not where to delete (SPARQL 1.1 Update, section 3.1.3): the default graph loses the triple."""
    for graph in ("", "urn:delete:a"):
        alone.send("POST", at(graph), TURTLE, '<urn:del> <urn:p> "both" .')
    alone.send("POST", at(""), TURTLE, '<urn:del> <urn:p> "default only" .')
    reply = alone.update(
        "DELETE WHERE { <urn:del> ?p ?o } ; INSERT DATA { <urn:del> <urn:q> 1 }", "?using-graph-uri=urn:delete:a"
    )
    assert reply.status == 204, reply.body
    assert {line for line in alone.triples("") or () if line.startswith("<urn:del> <urn:p>")} == {
        '<urn:del> <urn:p> "default only" .'
    }
    assert alone.triples("urn:delete:a") == {'<urn:del> <urn:p> "both" .'}


@pytest.mark.parametrize(
    ("update", "parameters", "status"),
    [
        ("DELETE { ?s ?p ?o } USING <urn:a> WHERE { ?s ?p ?o }", "?using-graph-uri=urn:a", 400),
        ("WITH <urn:a> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", "?using-named-graph-uri=urn:a", 400),
        ("DELETEWHERE { ?s ?p ?o }", "?using-graph-uri=urn:a", 400),
        ("CLEAR ALL", "?using-graph-uri=relative", 400),
        ("CLEAR ALL", "?using-graph-uri=urn:a%3E%20WHERE%20%7B%7D", 400),
        ("CLEAR ALL", f"?using-graph-uri={UNION}", 400),
        ("CLEAR ALL", "?default-graph-uri=urn:a", 400),
        ("CLEAR ALL", "?query=ASK%7B%7D", 400),
        ("CLEAR ALL", "?update=CLEAR%20ALL", 400),
        ("CLEAR", "", 400),
        ("SELECT * WHERE { ?s ?p ?o }", "", 400),
        ("", "", 204),
    ],
)
def test_requests_that_contradict_themselves_change_nothing(alone: Writer, update: str, parameters: str, status: int) -> None:
    before = alone.count("?s ?p ?o")
    reply = alone.update(update, parameters)
    assert reply.status == status, reply.body
    assert alone.count("?s ?p ?o") == before > 0


def test_an_update_is_never_read_from_a_url_or_as_a_query(alone: Writer) -> None:
    before = alone.count("?s ?p ?o")
    url = f"/sparql?update={quote('CLEAR ALL')}"
    sent = [
        alone.send("GET", url),
        alone.send("HEAD", url),
        alone.send("POST", url, FORM, ""),
        alone.send("POST", url, {"Content-Type": "application/sparql-query"}, "ASK {}"),
        alone.send("POST", "/sparql", {"Content-Type": "application/sparql-query"}, "CLEAR ALL"),
        alone.send("POST", "/sparql", FORM, "query=CLEAR+ALL"),
        alone.send("POST", "/sparql", FORM, "update=CLEAR+ALL&update=CLEAR+ALL"),
        alone.send("QUERY", "/sparql", FORM, "update=CLEAR+ALL"),
    ]
    assert [reply.status for reply in sent] == [400] * len(sent)
    assert alone.count("?s ?p ?o") == before > 0


@pytest.mark.parametrize(
    "update",
    [
        "LOAD <{url}>",
        "LOAD SILENT <{url}> INTO GRAPH <urn:a>",
        "LOADSILENT <{url}>",
        "PREFIX e: <{url}> LOADe:x",
        "PREFIX load: <{url}> INSERT DATA {{ }} ; load load:x",
        "INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE <{url}> {{ ?s ?p ?o }} }}",
        "INSERT DATA {{ }} ; INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}",
        "INSERT {{ <urn:a> <urn:b> 1 }} WHERE {{ " + "{{ " * 80 + "}} " * 80 + "}}",
        "INSERT DATA {{ <urn:a> <urn:b> " + "<<( <urn:a> <urn:b> " * 70 + "1 " + ")>> " * 70 + "}}",
    ],
)
def test_hostile_updates_are_refused_before_they_are_parsed(alone: Writer, update: str) -> None:
    reply = alone.update(update.format(url="http://127.0.0.1:1/x"))
    assert reply.status == 400, reply.body
    assert reply.json()["limit"]


def test_a_name_that_begins_like_load_is_fine(alone: Writer) -> None:
    assert alone.update("PREFIX load: <urn:load:> INSERT DATA { load:a load:b load:c }").status == 204


def test_triple_terms_do_not_grow_without_end(alone: Writer) -> None:
    grow = "DELETE { ?s ?p ?o } INSERT { ?s ?p ?t } WHERE { ?s ?p ?o FILTER(?p = <urn:deep>) BIND(TRIPLE(?s, ?p, ?o) AS ?t) }"
    assert alone.update("INSERT DATA { <urn:s> <urn:deep> 1 }").status == 204
    assert alone.update(" ; ".join([grow] * 60)).status == 204
    reply = alone.update(" ; ".join([grow] * 60))
    assert reply.status == 400
    assert "nested" in str(reply.json()["detail"])
    assert alone.update("DELETE WHERE { <urn:s> <urn:deep> ?o }").status == 204


@pytest.mark.alone
def test_an_update_that_never_ends_changes_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    endless = (
        "INSERT { <urn:a> <urn:b> ?n } WHERE { SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l } }"
    )
    doubled = [f"BIND(CONCAT(?v{n}, ?v{n}) AS ?v{n + 1})" for n in range(30)]
    bomb = " ".join(["INSERT { <urn:a> <urn:b> ?v30 } WHERE { VALUES ?v0 { 'aaaaaaaaaaaaaaaa' }", *doubled, "}"])
    with writer(tmp_path, dataset_file(tmp_path, 2000), environment={"SUASION_CHANGE_SECONDS": "1.5"}) as service:
        before = sorted(path.name for path in service.folder.iterdir())
        held = loader(service.process.pid)
        started = time.monotonic()
        reply = service.update(endless)
        assert reply.status == 504
        assert reply.json()["limit_seconds"] == 1.5
        assert time.monotonic() - started < 6
        assert service.update(bomb).status in (400, 500, 504)
        assert loader(service.process.pid) == held
        assert sorted(path.name for path in service.folder.iterdir()) == before
        assert service.put(NOTES, TRIPLE).status == 201
        assert service.triples(NOTES) == {TRIPLE}


def test_a_client_that_leaves_ends_its_write(tmp_path: Path) -> None:
    endless = (
        b"INSERT { <urn:a> <urn:b> ?n } WHERE { SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l } }"
    )
    with writer(tmp_path, dataset_file(tmp_path, 2000)) as service:
        connection = socket.create_connection(("127.0.0.1", service.client.port))
        head = f"POST /sparql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.token}\r\nContent-Length: {len(endless)}\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/sparql-update\r\n\r\n" + endless)
        before = len(workers(service.process.pid))
        assert holds_within(5, lambda: len(workers(service.process.pid)) > before)
        connection.close()
        assert holds_within(5, lambda: len(workers(service.process.pid)) == before)
        assert service.put(NOTES, TRIPLE).status == 201


# ── What is published ────────────────────────────────────────────────────────

ATTEMPTS = (
    "INSERT DATA { GRAPH <%s> { <urn:a> <urn:b> 1 } }",
    "DELETE WHERE { GRAPH <%s> { ?s ?p ?o } }",
    "WITH <%s> DELETE { ?s ?p ?o } INSERT { ?s ?p 0 } WHERE { ?s ?p ?o }",
    "CLEAR GRAPH <%s>",
    "DROP GRAPH <%s>",
    "DROP SILENT GRAPH <%s>",
    "MOVE <urn:protected:source> TO <%s>",
    "MOVE <%s> TO <urn:protected:target>",
    "COPY <urn:protected:source> TO <%s>",
    "ADD <urn:protected:source> TO <%s>",
    "CLEAR NAMED",
    "DROP ALL",
)
WHOLE: tuple[str, ...] = (
    "INSERT DATA { <urn:a> <urn:b> 1 }",
    "DELETE WHERE { ?s ?p ?o }",
    "CLEAR DEFAULT",
    "DROP DEFAULT",
    "CLEAR ALL",
)
WHOLE += (
    "MOVE <urn:protected:source> TO DEFAULT",
    "COPY <urn:protected:source> TO DEFAULT",
    "ADD <urn:protected:source> TO DEFAULT",
)
WHOLE += ("MOVE DEFAULT TO <urn:protected:target>",)


def test_no_update_changes_what_is_published(beside: Writer) -> None:
    beside.put("urn:protected:source", OTHER)
    dataset = beside.client.get("/healthz").json()
    updates = [attempt.replace("%s", graph) for attempt in ATTEMPTS for graph in (PLACES, CLAIM)] + list(WHOLE)
    for graph in (UNION, "https://w3id.org/suasion/graph/new", "https://w3id.org/suasion/id/claim/new"):
        updates += [f"CREATE GRAPH <{graph}>", f"INSERT DATA {{ GRAPH <{graph}> {{ <urn:a> <urn:b> 1 }} }}"]
    for update in updates:
        reply = beside.update(update)
        assert reply.status == 403, update
        assert str(reply.json()["graph"]).startswith(("https://w3id.org/suasion/", "default"))
    assert beside.client.get("/healthz").json() == dataset


def test_no_graph_operation_changes_what_is_published(beside: Writer) -> None:
    dataset = beside.client.get("/healthz").json()
    paths = [at(graph) for graph in ("", PLACES, CLAIM, UNION, "https://w3id.org/suasion/graph/new")]
    for path in [*paths, "/graph/places", "/graph/new"]:
        for method in ("PUT", "POST", "DELETE"):
            assert beside.send(method, path, TURTLE, TRIPLE).status == 403, (method, path)
    assert beside.client.get("/healthz").json() == dataset


def test_what_is_written_beside_the_article_does_not_reach_its_questions(beside: Writer) -> None:
    """A graph that claims to be a claim of the article is not answered as one."""
    paths = ["/claims?limit=1000", "/initiatives?actor=japan", "/entity?thing=actor:japan", "/quantities", "/search?text=mekong"]
    paths += [
        "/comparison?a=china&b=japan",
        "/timeline",
        "/coverage",
        "/memberships",
        "/notes",
        "/names?thing=myanmar",
        "/events",
    ]
    before = [beside.client.send("GET", path).json()["rows"] for path in paths]
    copied = f"GRAPH <{CLAIM}> {{ ?s ?p ?o }} <{CLAIM}> ?q ?v"
    copied = f"INSERT {{ GRAPH <urn:forged> {{ ?s ?p ?o . <urn:forged> ?q ?v }} }} WHERE {{ {copied} }}"
    assert beside.update(copied).status == 204
    assert beside.count("GRAPH <urn:forged> { ?s ?p ?o }") > 5
    beside.put("urn:forged:too", "[] <urn:p> 1 .")
    assert beside.client.get("/healthz").json()["dataset"] is None
    replies = [beside.client.send("GET", path) for path in paths]
    assert len({reply.headers["suasion-dataset"] for reply in replies}) == 1
    assert [reply.status for reply in replies] == [200] * len(paths)
    assert [reply.json()["rows"] for reply in replies] == before
    beside.send("DELETE", at("urn:forged"))


def test_files_of_ones_own_can_be_changed_whole(tmp_path: Path) -> None:
    with writer(tmp_path, dataset_file(tmp_path)) as service:
        assert len(service.triples("") or ()) == 3
        assert service.send("POST", at(""), TURTLE, TRIPLE).status == 200
        assert len(service.triples("") or ()) == 4
        assert service.send("PUT", "/graph/mine", TURTLE, OTHER).status == 201
        assert service.triples("https://w3id.org/suasion/graph/mine") == {OTHER}
        assert service.send("PUT", at(UNION), TURTLE, OTHER).status == 403
        assert service.update("CLEAR ALL").status == 204
        assert (service.triples(""), service.triples("https://w3id.org/suasion/graph/mine")) == (set(), set())
        assert service.send("PUT", at(""), TURTLE, TRIPLE).status == 201
        assert service.send("DELETE", at("")).status == 200
        assert service.triples("") == set()


def test_the_union_is_kept_in_step(alone: Writer) -> None:
    union = f"&default-graph-uri={UNION}"
    pattern = "?s <urn:union:p> ?o"
    for graph in ("urn:union:a", "urn:union:b", ""):
        alone.send("POST", at(graph), TURTLE, "<urn:s> <urn:union:p> 1 .")
    assert alone.count(pattern, union) == 1
    for graph, left in (("urn:union:a", 1), ("urn:union:b", 1)):
        assert alone.send("DELETE", at(graph)).status == 200
        assert alone.count(pattern, union) == left
    assert alone.update("DELETE DATA { <urn:s> <urn:union:p> 1 }").status == 204
    assert alone.count(pattern, union) == 0


def test_the_service_description_tells_of_updates_and_empty_graphs(beside: Writer) -> None:
    sd = "http://www.w3.org/ns/sparql-service-description#"
    beside.put("urn:described:empty", "")
    described = Graph().parse(data=beside.client.send("GET", "/sparql", {"Accept": "text/turtle"}).body, format="turtle")
    languages = {str(language) for language in described.objects(None, URIRef(sd + "supportedLanguage"))}
    assert languages == {sd + "SPARQL11Query", sd + "SPARQL11Update"}
    assert URIRef("urn:described:empty") in set(described.objects(None, URIRef(sd + "name")))


# ── Reading what was written ─────────────────────────────────────────────────


def test_whoever_asks_after_a_write_sees_it(alone: Writer) -> None:
    """Readers ask all the time, the same and other questions; none may see less than what was acknowledged before it asked."""
    acknowledged, ended = [0], threading.Event()
    stale: list[tuple[int, int]] = []
    asked = [0]

    def read(number: int) -> None:
        while not ended.is_set():
            least = acknowledged[0]
            seen = alone.count(f"GRAPH <urn:counter> {{ ?s ?p ?o }} # {number % 2}\n")
            asked[0] += 1
            if seen < least:
                stale.append((least, seen))

    alone.put("urn:counter", "")
    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 16):
        assert alone.update(f"INSERT DATA {{ GRAPH <urn:counter> {{ <urn:n> <urn:n> {number} }} }}").status == 204
        acknowledged[0] = number
    ended.set()
    for thread in threads:
        thread.join()
    assert stale == []
    assert asked[0] > 15


def test_a_search_finds_what_was_written_and_not_what_is_gone(alone: Writer) -> None:
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"

    def found(text: str) -> list[object]:
        return [row["thing"] for row in alone.client.rows("/search", text=text)]

    assert found("bassoon") == []
    alone.put("urn:search", f"<urn:bassoon> {label} 'bassoon' .")
    assert found("bassoon") == ["urn:bassoon"]
    alone.put("urn:search", f"<urn:oboe> {label} 'oboe' .")
    assert (found("bassoon"), found("oboe")) == ([], ["urn:oboe"])
    alone.send("DELETE", at("urn:search"))


def test_tags_and_kept_answers_change_with_each_write_even_with_blank_nodes(alone: Writer) -> None:
    query = "/sparql?query=" + quote("SELECT ?o WHERE { GRAPH <urn:tags> { ?s ?p ?o } }")
    alone.put("urn:tags", "[] <urn:p> 1 .")
    assert alone.client.get("/healthz").json()["dataset"] is None
    tags = []
    for number in (2, 3, 2):
        reply = alone.client.send("GET", query)
        tags.append(reply.headers["etag"])
        assert alone.client.send("GET", query, {"If-None-Match": tags[-1]}).status == 304
        alone.put("urn:tags", f"[] <urn:p> {number} .")
        fresh = alone.client.send("GET", query, {"If-None-Match": tags[-1]})
        assert fresh.status == 200
        assert f'"{number}"'.encode() in fresh.body
    assert len(set(tags)) == 3
    alone.send("DELETE", at("urn:tags"))


def test_tags_of_curated_answers_change_with_each_write_even_with_blank_nodes(alone: Writer) -> None:
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    tags: list[str] = []
    for name in ("zeppelin", "zeppelins", "zeppelin"):
        alone.put("urn:tags", f"[] {label} '{name}' .")
        known = {"If-None-Match": tags[-1]} if tags else {}
        reply = alone.client.send("GET", "/suggest?text=zeppelin", known)
        assert [row["label"] for row in reply.json()["rows"]] == [name]  # type: ignore[attr-defined]
        tags.append(reply.headers["etag"])
        assert alone.client.send("GET", "/suggest?text=zeppelin", {"If-None-Match": tags[-1]}).status == 304
    assert len(set(tags)) == 3
    alone.send("DELETE", at("urn:tags"))


def test_a_write_that_changes_nothing_makes_no_generation(alone: Writer) -> None:
    first = alone.put("urn:same", TRIPLE)
    again = alone.put("urn:same", TRIPLE)
    assert (first.status, again.status) == (201, 204)
    assert first.headers["suasion-generation"] == again.headers["suasion-generation"]


def test_pages_of_other_origins_may_read_but_not_write(alone: Writer) -> None:
    origin = {"Origin": "https://example.net"}
    assert alone.client.send("GET", at(""), origin).headers["access-control-allow-origin"] == "*"
    for method in ("PUT", "DELETE", "POST"):
        asked = {**origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
        reply = alone.client.send("OPTIONS", at("urn:cors"), asked)
        assert "access-control-allow-origin" not in reply.headers
        written = alone.send(method, at("urn:cors"), {**TURTLE, **origin}, TRIPLE)
        assert "access-control-allow-origin" not in written.headers


def test_large_bodies_are_for_those_with_a_token(alone: Writer) -> None:
    body = "".join(f"<urn:large:{n}> <urn:p> '{'x' * 100}' .\n" for n in range(12_000))
    assert len(body) > 1024 * 1024
    assert alone.client.send("PUT", at("urn:large"), {**TURTLE, "Authorization": "Bearer no"}, body.encode()).status == 413
    assert alone.client.send("PUT", at("urn:large"), TURTLE, body.encode()).status == 413
    assert alone.put("urn:large", body).status == 201
    assert alone.count("GRAPH <urn:large> { ?s ?p ?o }") == 12_000
    insert = f"INSERT DATA {{ GRAPH <urn:large> {{ {body.replace('large:', 'larger:')} }} }}"
    assert alone.update(insert).status == 204
    assert alone.count("GRAPH <urn:large> { ?s ?p ?o }") == 24_000
    assert alone.send("DELETE", at("urn:large")).status == 200


def test_the_examples_of_the_documentation_run(tmp_path: Path) -> None:
    """As they stand: the token is made, the file filled, and each request answered as the words around it say."""
    text = (ROOT / "docs" / "writing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    made, given = blocks[0].partition("suasion serve")[0], blocks[1]
    marked = re.findall(r"<!-- run -->\n```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == len(marked) + 2 == 5
    (tmp_path / ".curlrc").write_text('silent\nshow-error\nfail\nwrite-out = "[%{http_code}]\\n"\n')
    home = {**os.environ, "CURL_HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "service"), "PYTHON": sys.executable}

    def run(script: str) -> str:
        done = subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path, env=home, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    run('suasion() { "$PYTHON" -m suasion "$@"; }\n' + made)
    (tmp_path / "tokens").chmod(0o600)
    options = ("--writable", str(tmp_path / "data"), "--tokens", str(tmp_path / "tokens"))
    process, port = serve(*options, environment=QUIET)
    try:
        given = given.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}")
        graphs, forms, updates = (run(given + block) for block in marked)
    finally:
        stop(process)
    assert re.findall(r"\[(\d+)\]", graphs) == ["201", "200"]
    assert '<https://example.org/cup> <https://example.org/colour> "blue" .' in graphs
    assert re.findall(r"\[(\d+)\]", forms) == ["200", "201", "200"]
    assert re.search(r"^location: http://127.0.0.1:\d+/graph-store/\w+", forms, re.MULTILINE | re.IGNORECASE)
    assert re.findall(r"\[(\d+)\]", updates) == ["204", "204", "200"]
    assert updates.split("thing,colour")[1].split()[:2] == ["https://example.org/rose,white", "https://example.org/tulip,pink"]
