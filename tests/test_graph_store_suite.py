"""The W3C tests of the Graph Store HTTP Protocol, against a real service that may be written to.

They are one story: each test goes on from what those before it left. The names are those of the W3C, the words and the data are
ours. Where the W3C's manifest names another graph than the test is about (/person/1 for /person/1.ttl), the one that it is about
is taken; where its payload does not mismatch, one that does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pytest
from rdflib import Graph
from rdflib.compare import isomorphic

from conftest import Reply
from writers import Writer, dataset_file, writer

STORE = "/graph-store"
ONE, TWO, FOUR = (f"{STORE}/person/{number}.ttl" for number in (1, 2, 4))
NEW = "the path in Location"
HEAD = "PREFIX foaf: <http://xmlns.com/foaf/0.1/> PREFIX v: <http://www.w3.org/2006/vcard/ns#> "
SOMEBODY = "[] a foaf:Person ; foaf:businessCard [ a v:VCard ; v:given-name 'Alice' ] ."
TURTLE = "text/turtle; charset=utf-8"
BOUNDARY = "a6fe4cd6"
RDF_XML = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'


def card(name: str, more: str = "") -> str:
    return f"<1> a foaf:Person ; {more} foaf:businessCard [ a v:VCard ; v:fn '{name}' ] ."


def form(*documents: str) -> str:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}.ttl"; filename="{n}.ttl"\r\nContent-Type: {TURTLE}\r\n\r\n'
        f"{HEAD}{document}\r\n"
        for n, document in enumerate(documents)
    ]
    return "".join(parts) + f"--{BOUNDARY}--\r\n"


@dataclass(frozen=True, slots=True)
class Step:
    """A request to a path, the status that the W3C expects, and the graph that has to come back."""

    name: str
    method: str
    path: str
    status: int
    body: str = ""
    media_type: str = ""
    graph: str = ""


def put(name: str, path: str, status: int, turtle: str) -> Step:
    return Step(name, "PUT", path, status, HEAD + turtle, TURTLE)


def got(name: str, path: str, turtle: str) -> Step:
    return Step(f"get_of_{name}", "GET", path, 200, graph=HEAD + turtle)


JANE = card("Jane Doe")
NAMED = card("Jane Doe", "foaf:name 'Jane Doe' ;")
WHOLE = card("Jane Doe", "foaf:name 'Jane Doe' ; foaf:familyName 'Doe' ; foaf:givenName 'Jane' ;")
STORY = (
    put("put__initial_state", ONE, 201, card("John Doe")),
    got("put__initial_state", f"{STORE}?graph={ONE}", card("John Doe")),
    put("put__graph_already_in_store", ONE, 204, JANE),
    got("put__graph_already_in_store", ONE, JANE),
    put("put__default_graph", f"{STORE}?default", 201, SOMEBODY),
    got("put__default_graph", f"{STORE}?default", SOMEBODY),
    Step("put__mismatched_payload", "PUT", ONE, 400, RDF_XML, TURTLE),
    put("(a graph to delete)", TWO, 201, card("Kate")),
    Step("delete__existing_graph", "DELETE", TWO, 200),
    Step("get_of_delete__existing_graph", "GET", TWO, 404),
    Step("delete__nonexistent_graph", "DELETE", TWO, 404),
    Step("post__existing_graph", "POST", ONE, 200, HEAD + "<1> foaf:name 'Jane Doe' .", TURTLE),
    got("post__existing_graph", ONE, NAMED),
    Step(
        "post__multipart_formdata",
        "POST",
        ONE,
        200,
        form("<1> foaf:familyName 'Doe' .", "<1> foaf:givenName 'Jane' ."),
        f"multipart/form-data; boundary={BOUNDARY}",
    ),
    got("post__multipart_formdata", ONE, WHOLE),
    Step("post__create__new_graph", "POST", STORE, 201, HEAD + SOMEBODY, TURTLE),
    got("post__create__new_graph", NEW, SOMEBODY),
    Step("(a body that says nothing)", "POST", NEW, 204, "", TURTLE),
    got("post__after_noop", NEW, SOMEBODY),
    Step("head_on_an_existing_graph", "HEAD", ONE, 200),
    Step("head_on_a_nonexisting_graph", "HEAD", FOUR, 404),
)


def origin(store: Writer) -> str:
    return f"http://127.0.0.1:{store.client.port}"


def sent(store: Writer, step: Step, new: str) -> Reply:
    path = new if step.path == NEW else step.path.replace(f"graph={ONE}", "graph=" + quote(origin(store) + ONE, safe=""))
    headers = {"Accept": "text/turtle"} | ({"Content-Type": step.media_type} if step.media_type else {})
    return store.send(step.method, path, headers, step.body)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    """A service of an empty dataset, which may be written to."""
    folder = tmp_path_factory.mktemp("written")
    with writer(folder, dataset_file(folder, triples=0)) as running:
        yield running


@pytest.fixture(scope="module")
def replies(store: Writer) -> dict[str, Reply]:
    """What the service answered to each step, in their order."""
    found: dict[str, Reply] = {}
    new = ""
    for step in STORY:
        found[step.name] = reply = sent(store, step, new)
        if step.path == STORE and step.method == "POST":
            location = urlsplit(reply.headers.get("location", ""))
            new = location.path
    return found


@pytest.mark.parametrize("step", STORY, ids=lambda step: step.name)
def test_the_w3c_tests_of_graph_stores_pass(store: Writer, replies: dict[str, Reply], step: Step) -> None:
    reply = replies[step.name]
    assert reply.status == step.status, reply.body
    if step.graph:
        assert reply.headers["content-type"].partition(";")[0] == "text/turtle"
        wanted = Graph().parse(data=step.graph, format="turtle", publicID=origin(store) + ONE)
        assert isomorphic(Graph().parse(data=reply.body, format="turtle"), wanted)
    if step.method == "HEAD":
        assert reply.body == b""


def test_a_new_graph_is_told_by_location(store: Writer, replies: dict[str, Reply]) -> None:
    location = replies["post__create__new_graph"].headers["location"]
    assert location.startswith(origin(store) + STORE + "/")
    assert store.client.send("GET", f"{STORE}?graph={quote(location, safe='')}").status == 200


def test_nothing_is_written_without_a_token(store: Writer) -> None:
    for step in STORY:
        if step.method in ("PUT", "POST", "DELETE") and step.path != NEW:
            headers = {"Content-Type": step.media_type} if step.media_type else {}
            assert store.client.send(step.method, step.path, headers, step.body.encode()).status == 401
