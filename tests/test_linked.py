"""Linked data: each IRI leads to a document, every format holds the same graph, and the dataset describes itself."""

import csv
import gzip
import http.client
import io
import json
import random
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
import rdflib
import sssom_pydantic
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, RDF, VOID

from conftest import Client, Reply, serve, stop
from suasion import errors
from suasion.dumps import TYPES
from suasion.loading import Dataset
from suasion.papers import FORMATS
from suasion.places import Places
from suasion.prefixes import BASE, DEF, GRAPH, ID, Prefixes
from suasion.serialising import write_dump

# rdflib's own readers use what it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")

PARSERS = {"ttl": "turtle", "nt": "nt", "nq": "nquads", "trig": "trig", "rdf": "xml", "jsonld": "json-ld"}
CLAIM = "japan-granted-cambodia-for-health-2008"
SHORT = {"application/json": "jsonld", "application/xml": "rdf", "text/plain": "nt", "*/*": "ttl", "": "ttl"}
DOCUMENTS = (
    "/doc/actor/japan",
    f"/doc/claim/{CLAIM}",
    "/doc/passage/s145",
    "/doc/section/1.1",
    "/doc/identifier/japan-cow-ccode-740",
    "/def",
    "/problem/NotFound",
)
SPDX = rdflib.Namespace("http://spdx.org/rdf/terms#")
SAMPLE = 500
EVIL = '<script>alert(1)</script> & "quoted" </script><img src=x onerror=alert(1)>'
FILES = f"""\
<https://example.org/id/x/evil> <http://www.w3.org/2000/01/rdf-schema#label> {json.dumps(EVIL)} .
<https://example.org/id/x/evil> <http://example.org/link> <javascript:alert(1)> .
<https://example.org/id/x/evil> <http://example.org/p> <https://example.org/id/x/é> <http://example.org/graph> .
<https://example.org/id/x/é> <http://www.w3.org/2000/01/rdf-schema#label> "e" <http://example.org/graph> .
<https://example.org/id/x/a%20b.ttl> <http://www.w3.org/2000/01/rdf-schema#label> "ends like a format" .
<https://w3id.org/suasion/id/actor/japan> <http://www.w3.org/2000/01/rdf-schema#label> "elsewhere" .
"""


class Page(HTMLParser):
    """The links, anchors, headings and scripts of a page, and its text."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.scripts: list[tuple[str, str]] = []
        self.text = ""
        self._script: str | None = None
        self.feed(reply.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert not [name for name in given if name.startswith("on") or name == "style"]
        if "href" in given:
            self.links.append(given["href"])
        if "id" in given:
            assert given["id"] not in self.anchors, "an id stands twice"
            self.anchors.add(given["id"])
        if tag == "script":
            self._script = given.get("type", "")

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts.append((self._script, data))
        else:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None


def quads(reply: Reply, ending: str) -> set[tuple[object, object, object, object]]:
    assert reply.status == 200, reply.body
    found = rdflib.Dataset(default_union=True)
    found.parse(data=reply.body, format=PARSERS[ending], publicID="http://127.0.0.1/")
    return {(s, p, o, g) for s, p, o, g in found.quads()}


def triples(reply: Reply, ending: str) -> set[tuple[object, object, object]]:
    return {(s, p, o) for s, p, o, _ in quads(reply, ending)}


def varies(client: Client, path: str, accept: str) -> set[str]:
    """Return what an answer varies by: the header may come several times."""
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    try:
        connection.request("GET", path, headers={"Accept": accept} if accept else {})
        response = connection.getresponse()
        response.read()
        return {name.strip() for value in response.headers.get_all("vary") or () for name in value.split(",")}
    finally:
        connection.close()


def number(graph: rdflib.Graph, subject: rdflib.term.Node, predicate: rdflib.URIRef) -> int:
    (value,) = graph.objects(subject, predicate)
    return int(str(value))


def media_type(reply: Reply) -> str:
    return reply.headers["content-type"].partition(";")[0]


def links(reply: Reply) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for target, relation in re.findall(r'<([^>]*)>; rel="([^"]*)"', reply.headers["link"]):
        found.setdefault(relation, []).append(target)
    return found


def path_of(iri: str) -> str:
    """Return where an IRI of ours leads, as a client that knows the base alone would say it."""
    return "/" + iri.removeprefix(BASE).partition("#")[0]


def strays(port: int, iris: Iterable[str]) -> list[str]:
    """Return the IRIs that do not lead to a document in Turtle, as a client follows them, each with the status."""
    found = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for iri in iris:
        path, status, kind = path_of(iri), 303, ""
        for _ in range(3):
            if status == 303:
                connection.request("GET", path, headers={"Accept": "text/turtle"})
                response = connection.getresponse()
                response.read()
                status, kind, path = response.status, response.headers["content-type"], response.headers["location"]
        if status != 200 or not kind.startswith("text/turtle"):
            found.append(f"{iri}: {status} {kind}")
    connection.close()
    return found


def own_iris(dataset: Dataset) -> list[str]:
    """Return all IRIs of ours in the dataset: of subjects, properties, values and graphs."""
    terms = {term for quad in dataset.facts for term in (*quad.triple, quad.graph_name)}
    return sorted(term.value for term in terms if isinstance(term, ox.NamedNode) and term.value.startswith(BASE))


# ── Things ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("accept", [*FORMATS.values(), *SHORT])
@pytest.mark.parametrize("path", ["/doc/place/phnom-penh", f"/doc/claim/{CLAIM}", "/def", "/problem/NotFound"])
def test_accept_chooses_the_format(client: Client, path: str, accept: str) -> None:
    reply = client.get(path, accept)
    ending = next((known for known, offered in FORMATS.items() if offered == accept), SHORT.get(accept, ""))
    assert (reply.status, media_type(reply)) == (200, FORMATS[ending])
    assert "Accept" in varies(client, path, accept)
    assert reply.headers["content-location"] == f"{path}.{ending}"
    fixed = client.get(f"{path}.{ending}", "image/png")
    assert (fixed.status, fixed.body, media_type(fixed)) == (200, reply.body, media_type(reply))
    assert "Accept" not in varies(client, f"{path}.{ending}", accept)
    assert "content-location" not in fixed.headers


@pytest.mark.parametrize("path", [*DOCUMENTS, "/query/claims"])
def test_all_formats_hold_the_same_graph(client: Client, path: str) -> None:
    found = {ending: triples(client.get(f"{path}.{ending}"), ending) for ending in PARSERS}
    assert found["ttl"]
    assert [ending for ending, graph in found.items() if graph != found["ttl"]] == []


def test_n_quads_and_trig_tell_the_same_graphs(client: Client) -> None:
    one, other = (quads(client.get(f"/doc/actor/japan.{ending}"), ending) for ending in ("nq", "trig"))
    assert one == other
    assert len({graph for *_, graph in one}) > 100


def test_a_document_holds_each_statement_about_its_thing(client: Client, dataset: Dataset) -> None:
    thing = ox.NamedNode(ID + "actor/japan")
    pattern = dataset.facts.quads_for_pattern
    expected = {
        f"{quad.subject} {quad.predicate} {quad.object} {quad.graph_name} ."
        for quad in (*pattern(thing, None, None), *pattern(None, None, thing))
        if quad.graph_name != ox.DefaultGraph()
    }
    reply = client.get("/doc/actor/japan.nq")
    lines = set(reply.body.decode().splitlines())
    assert expected <= lines
    assert reply.headers["suasion-completeness"] == "complete"
    assert int(reply.headers["suasion-total"]) >= len(lines)


def test_a_claim_comes_with_its_content_its_standing_and_its_passage(client: Client, dataset: Dataset) -> None:
    found = quads(client.get(f"/doc/claim/{CLAIM}.nq"), "nq")
    claim = rdflib.URIRef(f"{ID}claim/{CLAIM}")
    content = list(dataset.facts.quads_for_pattern(None, None, None, ox.NamedNode(str(claim))))
    assert len(content) == len([graph for *_, graph in found if str(graph) == str(claim)])
    passage = next(o for s, p, o, _ in found if (s, p) == (claim, rdflib.URIRef(DEF + "passage")))
    assert [o for s, p, o, _ in found if (s, p) == (passage, rdflib.URIRef(DEF + "characterRanges"))]
    assert [o for s, p, o, _ in found if (s, p) == (claim, rdflib.URIRef(DEF + "modality"))]


def test_a_thing_leads_to_its_document(client: Client) -> None:
    for method in ("GET", "HEAD"):
        reply = client.send(method, "/id/actor/japan")
        assert (reply.status, reply.headers["location"]) == (303, "/doc/actor/japan")
    document = client.get("/doc/actor/japan", "text/turtle")
    related = links(document)
    assert related["describes"] == related["cite-as"] == [ID + "actor/japan"]
    assert related["canonical"] == [f"http://127.0.0.1:{client.port}/doc/actor/japan"]
    assert {link.rpartition(".")[2] for link in related["alternate"]} == set(FORMATS) - {"ttl"}


def test_a_known_document_is_not_sent_again(client: Client) -> None:
    for path in ("/doc/place/phnom-penh.ttl", "/doc/place/phnom-penh.html", "/def", "/dataset.nq.gz", "/llms.txt"):
        first = client.get(path)
        again = client.send("GET", path, {"If-None-Match": first.headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        head = client.send("HEAD", path)
        assert (head.status, head.body, head.headers["etag"]) == (200, b"", first.headers["etag"])
        assert client.send("GET", path, {"If-None-Match": '"other"'}).status == 200
    tags = {client.get(f"/doc/place/phnom-penh.{ending}").headers["etag"] for ending in FORMATS}
    assert len(tags) == len(FORMATS)


def test_pages_of_any_origin_may_read_and_methods_are_told(client: Client) -> None:
    for path in ("/id/actor/japan", "/doc/place/phnom-penh", "/def", "/dataset", "/problem/NotFound", "/query/claims"):
        assert client.send("GET", path, {"Origin": "https://example.org"}).headers["access-control-allow-origin"] == "*"
        options = client.send("OPTIONS", path)
        assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        refused = client.send("DELETE", path)
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_long_description_comes_in_parts_that_make_the_whole(client: Client) -> None:
    whole = set(client.get("/doc/instrument/foreign-aid.nq").body.splitlines())
    parts: set[bytes] = set()
    path, count = "/doc/instrument/foreign-aid.nq?limit=200", 0
    while path:
        reply = client.get(path)
        assert (reply.status, reply.headers["suasion-completeness"]) == (200, "truncated")
        parts |= set(reply.body.splitlines())
        following = links(reply).get("next", [""])[0]
        path = following.removeprefix(f"http://127.0.0.1:{client.port}")
        count += 1
    assert count == -(-int(reply.headers["suasion-total"]) // 200)
    assert parts == whole
    page = client.get("/doc/instrument/foreign-aid.html?limit=200&page=2")
    assert b"Truncated: statements 201 to 400 of" in page.body
    assert b'rel="prev" href="/doc/instrument/foreign-aid.html?limit=200"' in page.body


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        ("/id/no/thing", 404, "NotFound"),
        ("/doc/no/thing", 404, "NotFound"),
        ("/doc/no/thing.ttl", 404, "NotFound"),
        ("/doc/actor/japan.exe", 404, "NotFound"),
        ("/doc/actor/japan.ttl.ttl", 404, "NotFound"),
        ("/id/", 404, "NotFound"),
        ("/doc/", 404, "NotFound"),
        ("/id/actor/japan/", 404, "NotFound"),
        ("/id/../../etc/passwd", 404, "NotFound"),
        ("/id/actor%2fjapan", 404, "NotFound"),
        ("/id/%ff", 404, "NotFound"),
        ("/id/%00", 404, "NotFound"),
        ("/id/%3Cscript%3E", 404, "NotFound"),
        ("/id/a%0d%0aSet-Cookie:%20x", 404, "NotFound"),
        ("/id/" + "a" * 60_000, 404, "NotFound"),
        ("/id/}%20SELECT%20*%20{", 404, "NotFound"),
        ("/id/actor/japan?page=1", 400, "UnknownParameter"),
        ("/doc/actor/japan?format=ttl", 400, "UnknownParameter"),
        ("/doc/actor/japan?page=0", 422, "BadParameter"),
        ("/doc/actor/japan?page=-1", 422, "BadParameter"),
        ("/doc/actor/japan?page=1&page=2", 422, "BadParameter"),
        ("/doc/actor/japan?page=%D9%A1", 422, "BadParameter"),
        ("/doc/actor/japan?limit=100000", 422, "BadParameter"),
        ("/doc/actor/japan?page=999", 404, "NotFound"),
        ("/def/9.9.9", 404, "NotFound"),
        ("/def.exe", 404, "NotFound"),
        ("/problem/SuasionError", 404, "NotFound"),
        ("/problem/__doc__", 404, "NotFound"),
        ("/shape/no-such-shape", 404, "NotFound"),
        ("/query/no-such-question", 404, "NotFound"),
        ("/dataset.exe", 404, "NotFound"),
        ("/dataset.nq.zip", 404, "NotFound"),
        ("/sitemap.xml?page=2", 404, "NotFound"),
    ],
)
def test_what_is_not_there_is_said(client: Client, path: str, status: int, problem: str) -> None:
    reply = client.get(path, "text/turtle")
    assert (reply.status, media_type(reply)) == (status, "application/problem+json")
    document = reply.json()
    assert document["type"] == f"{BASE}problem/{problem}"
    assert len(str(document["detail"])) < 400
    page = client.get(path, "text/html")
    assert (page.status, media_type(page)) == (status, "text/html")
    assert f'href="/problem/{problem}"' in page.body.decode()


def test_what_nobody_offers_is_refused(client: Client) -> None:
    reply = client.get("/doc/actor/japan", "image/png")
    assert (reply.status, reply.json()["offered"]) == (406, list(FORMATS.values()))


# ── Every IRI ────────────────────────────────────────────────────────────────


def test_iris_of_the_dataset_lead_to_documents(client: Client, dataset: Dataset) -> None:
    """A sample, the same each time, with each theme in it; tests/benchmarks/every_iri.py asks for all."""
    known = own_iris(dataset)
    themes: dict[str, str] = {}
    for iri in known:
        themes.setdefault(iri.removeprefix(BASE).partition("#")[0].rpartition("/")[0], iri)
    things = [iri for iri in known if iri.startswith(ID)]
    chosen = {*themes.values(), *random.Random(2009).sample(things, SAMPLE)}  # noqa: S311 - no secret
    assert strays(client.port, sorted(chosen)) == []


def test_each_term_of_ours_has_its_anchor(client: Client, dataset: Dataset) -> None:
    page = Page(client.get("/def.html"))
    assert {iri.removeprefix(DEF) for iri in own_iris(dataset) if iri.startswith(DEF)} - page.anchors == set()


def test_each_error_has_a_document(client: Client) -> None:
    assert len(errors.kinds()) > 20
    for name, kind in errors.kinds().items():
        page = client.get(f"/problem/{name}", "text/html")
        assert (page.status, kind.title in Page(page).text, str(kind.status) in Page(page).text) == (200, True, True)
    assert client.get("/id/no/thing").json()["type"] == f"{BASE}problem/NotFound"


def test_the_page_of_a_question_that_needs_something_is_given_its_example(client: Client) -> None:
    for name in ("resolve", "convert", "entity"):
        page = client.get(client.get(f"/query/{name}", "text/html").headers["location"])
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_a_question_leads_to_its_page_its_sparql_and_its_data(client: Client) -> None:
    targets = {
        accept: client.get("/query/claims", accept).headers["location"]
        for accept in ("text/html", "application/sparql-query", "text/turtle", "application/rdf+xml", "*/*")
    }
    assert list(targets.values()) == [
        "/claims.html",
        "/queries/claims",
        "/query/claims.ttl",
        "/query/claims.rdf",
        "/queries/claims",
    ]
    assert "Accept" in varies(client, "/query/claims", "")
    assert {client.get(path).status for path in targets.values()} == {200}
    assert triples(client.get("/query/claims.nt"), "nt") == triples(client.get("/queries/claims.ttl"), "ttl")


def test_shapes_are_one_file_of_all(client: Client, bundle: Path) -> None:
    found = rdflib.Graph().parse(data=client.get("/shapes.ttl").body, format="turtle")
    expected = rdflib.Graph()
    for file in (bundle / "ontology" / "shapes").glob("*.ttl"):
        expected.parse(file)
    assert isomorphic(found, expected)
    name = re.findall(r"^shape:(\S+)$", client.get("/shapes.ttl").body.decode(), re.MULTILINE)[0]
    assert client.get(f"/shape/{name}").headers["location"] == "/shapes.ttl"


def test_the_document_of_the_ontology_is_its_graph(client: Client, dataset: Dataset) -> None:
    found = triples(client.get("/def.nt"), "nt")
    graph = ox.NamedNode(GRAPH + "ontology")
    assert len(found) == len(list(dataset.facts.quads_for_pattern(None, None, None, graph))) > 1000
    assert client.get("/def/0.1.0").headers["location"] == "/def"


# ── Pages ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [*DOCUMENTS, "/dataset"])
def test_pages_stand_under_the_policy_and_their_links_lead_on(client: Client, path: str) -> None:
    reply = client.get(path, "text/html")
    assert "script-src" not in reply.headers["content-security-policy"]
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    page = Page(reply)
    ((kind, script),) = page.scripts
    assert kind == "application/ld+json"
    assert json.loads(script)["@id"].startswith(BASE)
    local = sorted({link.partition("#")[0] for link in page.links if link.startswith("/") and "entity" not in link})
    for link in random.Random(7).sample(local, min(12, len(local))):  # noqa: S311 - no secret
        assert client.get(link).status in (200, 303), link
    for fragment in (link.partition("#")[2] for link in page.links if link.startswith("#")):
        assert fragment in page.anchors


def test_a_page_says_how_surely_each_statement_is_made(client: Client) -> None:
    page = Page(client.get(f"/doc/claim/{CLAIM}.html"))
    assert "Reported from a source" in page.text
    assert "What the claim says" in page.text
    assert "claim:" in Page(client.get("/doc/place/phnom-penh.html")).text
    assert "(reported from source)" in Page(client.get("/doc/place/phnom-penh.html")).text


# ── The dataset ──────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def card(client: Client) -> rdflib.Graph:
    return rdflib.Graph().parse(data=client.get("/dataset", "text/turtle").body, format="turtle")


def test_the_dataset_is_described_wherever_it_is_asked_for(client: Client, card: rdflib.Graph) -> None:
    for path in ("/.well-known/void", "/"):
        reply = client.get(path, "text/turtle")
        assert (reply.status, media_type(reply)) == (200, "text/turtle")
        assert set(rdflib.Graph().parse(data=reply.body, format="turtle")) == set(card)
    for ending in ("rdf", "jsonld", "nt"):
        assert triples(client.get(f"/dataset.{ending}"), ending) == set(card)
    for ending, accept in (("nq", "application/n-quads"), ("trig", "application/trig")):
        assert triples(client.get("/dataset", accept), ending) == set(card)
    assert media_type(client.get("/", "text/html,*/*;q=0.1")) == media_type(client.get("/")) == "text/html"
    assert not [term for triple in card for term in triple if isinstance(term, rdflib.BNode)]


def test_the_counts_are_those_of_the_data(card: rdflib.Graph, dataset: Dataset) -> None:
    subject = rdflib.URIRef(BASE + "dataset")
    all_triples = {quad.triple for quad in dataset.union}
    assert number(card, subject, VOID.triples) == len(all_triples)
    assert number(card, subject, VOID.distinctSubjects) == len({triple.subject for triple in all_triples})
    kinds: dict[str, set[str]] = {}
    uses: dict[str, int] = {}
    for triple in all_triples:
        uses[triple.predicate.value] = uses.get(triple.predicate.value, 0) + 1
        if triple.predicate.value == str(RDF.type):
            kinds.setdefault(str(triple.object)[1:-1], set()).add(str(triple.subject))
    parts = list(card.objects(subject, VOID.classPartition))
    assert {str(card.value(part, VOID["class"])): number(card, part, VOID.entities) for part in parts} == {
        kind: len(things) for kind, things in kinds.items()
    }
    parts = list(card.objects(subject, VOID.propertyPartition))
    assert {str(card.value(part, VOID.property)): number(card, part, VOID.triples) for part in parts} == uses
    exact, site = ox.NamedNode("http://www.w3.org/2004/02/skos/core#exactMatch"), "http://www.wikidata.org/"
    linked = sum(triple.predicate == exact and str(triple.object).startswith(f"<{site}") for triple in all_triples)
    assert [number(card, part, VOID.triples) for part in card.subjects(VOID.objectsTarget, rdflib.URIRef(site))] == [linked]


def test_downloads_are_what_the_description_says(
    client: Client, card: rdflib.Graph, dataset: Dataset, prefixes: Prefixes
) -> None:
    subject = rdflib.URIRef(BASE + "dataset")
    files = [part for part in card.objects(subject, DCAT.distribution) if card.value(part, DCAT.downloadURL)]
    assert len(files) == 4
    bodies = {}
    for part in files:
        path = str(card.value(part, DCAT.downloadURL)).removeprefix(f"http://127.0.0.1:{client.port}")
        reply = client.get(path)
        bodies[path] = reply.body
        check = card.value(part, SPDX.checksum)
        assert number(card, part, DCAT.byteSize) == len(reply.body) == int(reply.headers["content-length"])
        assert str(card.value(check, SPDX.checksumValue)).lower() == sha256(reply.body).hexdigest()
    for name in ("nq", "trig"):
        assert gzip.decompress(bodies[f"/dataset.{name}.gz"]) == bodies[f"/dataset.{name}"]
    digest = sha256(bodies["/dataset.nq"]).hexdigest()
    assert f"sha256:{digest}" == client.get("/healthz").json()["dataset"]
    assert str(card.value(subject, DCTERMS.identifier)) == f"sha256:{digest}"
    for name, type_ in TYPES.items():  # made here of data loaded anew
        out = io.BytesIO()
        write_dump(dataset.facts, out, type_, prefixes.table)
        assert out.getvalue() == bodies[f"/dataset.{name}"]
    store = ox.Store()
    store.bulk_load(bodies["/dataset.trig"], ox.RdfFormat.TRIG)
    assert set(store) == set(dataset.facts)
    some = client.send("GET", "/dataset.nq", {"Range": "bytes=0-99"})
    assert (some.status, some.body) == (206, bodies["/dataset.nq"][:100])


def test_mappings_are_sssom(client: Client, dataset: Dataset, tmp_path: Path) -> None:
    reply = client.get("/mappings.sssom.tsv")
    file = tmp_path / "mappings.sssom.tsv"
    file.write_bytes(reply.body)
    mappings, converter, about = sssom_pydantic.read(file)
    found = {tuple(converter.expand(term.curie) for term in (m.subject, m.predicate, m.object)) for m in mappings}
    matches = {
        (str(triple.subject)[1:-1], triple.predicate.value, str(triple.object)[1:-1])
        for triple in (quad.triple for quad in dataset.union)
        if re.search(r"core#(exact|close|broad)Match$", triple.predicate.value) and str(triple.subject).startswith(f"<{BASE}")
    }
    assert matches == {match for match in found if str(match[1]).endswith("Match")}
    rows = list(csv.DictReader((line for line in io.StringIO(reply.body.decode()) if line[0] != "#"), delimiter="\t"))
    assert len(rows) == len(mappings) > 200
    assert {row["mapping_justification"] for row in rows} == {"semapv:ManualMappingCuration"}
    assert all(row["subject_label"] for row in rows)
    assert {row["predicate_id"] for row in rows} >= {"skos:exactMatch", "rdfs:subClassOf", "rdfs:subPropertyOf"}
    assert about.id and str(about.license) == "https://creativecommons.org/licenses/by/4.0/"


def test_crawlers_and_agents_find_what_there_is(client: Client, dataset: Dataset) -> None:
    root = ElementTree.fromstring(client.get("/sitemap.xml").body)  # noqa: S314 - our own
    base = f"http://127.0.0.1:{client.port}"
    listed = {element.text for element in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    places = Places(ID, True)
    things = [iri for iri in own_iris(dataset) if iri.startswith(ID) and not iri.startswith(f"{ID}dataset/")]  # not loaded here
    assert {base + places.of(iri) for iri in things} <= listed
    assert {f"{base}/", f"{base}/def", f"{base}/claims.html"} <= listed
    assert f"Sitemap: {base}/sitemap.xml" in client.get("/robots.txt").body.decode()
    told = client.get("/llms.txt").body.decode()
    assert told.startswith("# ") and "\n> " in told
    paths = re.findall(rf"\]\({re.escape(base)}(/[^)]*)\)", told)
    assert len(paths) > 40
    some = random.Random(3).sample([path for path in paths if path != "/mcp"], 12)  # noqa: S311 - no secret
    assert [path for path in some if client.get(path).status != 200] == []


# ── Other data ───────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    file = tmp_path_factory.mktemp("files") / "evil.nq"
    file.write_text(FILES, encoding="utf-8")
    process, port = serve(
        str(file), environment={"SUASION_THINGS": "https://example.org/id/", "SUASION_PUBLIC_URL": "https://example.net"}
    )
    yield Client(port)
    stop(process)


def test_labels_of_anyone_are_text(other: Client) -> None:
    page = Page(other.get("/doc/x/evil.html"))
    assert EVIL in page.text
    ((_, script),) = page.scripts
    assert json.loads(script)["name"] == EVIL
    assert not [link for link in page.links if link.startswith("javascript:")]
    assert "javascript:alert(1)" in page.text


def test_things_of_files_have_their_own_base(other: Client) -> None:
    reply = other.get("/id/x/%C3%A9")
    assert (reply.status, reply.headers["location"]) == (303, "https://example.net/doc/x/%C3%A9")
    lines = other.get("/doc/x/%C3%A9.nq").body.decode().splitlines()
    assert '<https://example.org/id/x/é> <http://www.w3.org/2000/01/rdf-schema#label> "e" <http://example.org/graph> .' in lines
    assert any(line.startswith("<https://example.org/id/x/evil> <http://www.w3.org/2000/01/rdf-schema#label>") for line in lines)
    for path in ("/doc/x/a%20b.ttl", "/doc/x/a%20b.ttl.ttl"):
        assert b"ends like a format" in other.get(path).body
    assert {other.get(path).status for path in ("/id/actor/japan", "/def", "/shapes.ttl", "/mappings.sssom.tsv")} == {404}
    found = rdflib.Graph().parse(data=other.get("/dataset", "text/turtle").body, format="turtle")
    assert (rdflib.URIRef("https://example.net/dataset"), RDF.type, DCAT.Dataset) in found


@pytest.fixture(scope="module")
def withdrawn(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service of the bundle with a file of what was given up."""
    copy = tmp_path_factory.mktemp("bundle")
    for folder in ("ontology", "graph_data", "queries"):
        shutil.copytree(bundle / folder, copy / folder)
    (copy / "graph_data" / "withdrawn.ttl").write_text(
        f"<{ID}actor/old-japan>\n"
        "    <http://www.w3.org/2002/07/owl#deprecated> true ;\n"
        f"    <http://purl.org/dc/terms/isReplacedBy> <{ID}actor/japan> ;\n"
        '    <http://www.w3.org/2004/02/skos/core#note> "It was the same."@en ;\n.\n',
        encoding="utf-8",
    )
    process, port = serve("--bundle", str(copy))
    yield Client(port)
    stop(process)


def test_what_was_withdrawn_is_gone_with_the_reason(withdrawn: Client) -> None:
    for path in ("/id/actor/old-japan", "/doc/actor/old-japan", "/doc/actor/old-japan.ttl"):
        reply = withdrawn.get(path)
        document: Mapping[str, object] = reply.json()
        assert (reply.status, document["replaced_by"]) == (410, [ID + "actor/japan"])
        assert "It was the same." in str(document["detail"])
    assert b"old-japan" not in withdrawn.get("/sitemap.xml").body
    assert withdrawn.get("/doc/actor/japan.ttl").status == 200


def test_the_public_address_stands_wherever_an_address_is_given(other: Client) -> None:
    host = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    found = other.send("GET", "/doc/x/evil", host)
    assert links(found)["canonical"] == ["https://example.net/doc/x/evil"]
    for path in ("/doc/x/evil", "/robots.txt", "/llms.txt", "/sitemap.xml", "/.well-known/void"):
        reply = other.send("GET", path, host)
        text = reply.body.decode() + reply.headers.get("link", "")
        assert "https://example.net/" in text and "evil.example" not in text and "127.0.0.1" not in text


def test_a_graph_has_a_page_for_readers_and_triples_for_everybody_else(client: Client, dataset: Dataset) -> None:
    held = len(list(dataset.facts.quads_for_pattern(None, None, None, ox.NamedNode(GRAPH + "places"))))
    page = client.get("/graph/places", "text/html,application/xhtml+xml,*/*;q=0.8")
    assert page.headers["content-type"] == "text/html; charset=utf-8" and "accept" in page.headers["vary"].lower()
    assert f"It holds {held:,} triples" in page.body.decode()
    assert client.send("GET", "/graph/places", {"Accept": "text/html", "If-None-Match": page.headers["etag"]}).status == 304
    assert client.get("/graph/nothing", "text/html").status == 404
    for accept in ("", "*/*", "text/turtle, text/html;q=0.9"):
        assert client.get("/graph/places", accept).headers["content-type"].startswith("text/turtle")
