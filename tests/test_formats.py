"""The formats of an answer hold the same rows: RDF by two readers, CSV with its metadata, citations, provenance."""

import csv
import io
import json
import re
from collections.abc import Mapping
from urllib.parse import urlencode

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from conftest import ROOT, Client
from suasion import catalog, questions, receipts
from suasion.loading import Dataset
from suasion.prefixes import DEF, Prefixes
from suasion.settings import Settings as Limits

QUERIES = catalog.load(ROOT / "queries" / "api")
each_query = pytest.mark.parametrize("query", QUERIES, ids=[q.name for q in QUERIES])


def required(query: catalog.Query) -> dict[str, str | int]:
    return {p.name: p.example for p in query.parameters if p.required}


def by_rdflib(body: bytes, form: str) -> set[tuple[str, ...]]:
    return {tuple(term.n3() for term in triple) for triple in rdflib.Graph().parse(data=body, format=form)}


def by_oxigraph(body: bytes, form: ox.RdfFormat) -> set[str]:
    return {str(quad) for quad in ox.parse(body, format=form)}


# ── RDF ──────────────────────────────────────────────────────────────────────


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")  # rdflib's own reader of JSON-LD
@each_query
def test_turtle_and_json_ld_are_the_same_triples_to_two_readers(client: Client, query: catalog.Query) -> None:
    path = {form: f"/{query.name}.{form}?{urlencode({**required(query), 'limit': 40})}" for form in ("ttl", "jsonld", "srj")}
    turtle, linked = client.send("GET", path["ttl"]).body, client.send("GET", path["jsonld"]).body
    triples = by_oxigraph(turtle, ox.RdfFormat.TURTLE)
    assert triples == by_oxigraph(linked, ox.RdfFormat.JSON_LD)
    assert by_rdflib(turtle, "turtle") == by_rdflib(linked, "json-ld")
    bindings = client.send("GET", path["srj"]).json()["results"]["bindings"]  # type: ignore[index]
    single = [name for name, column in query.columns.items() if not column.is_list]
    found = sum(f"/{query.name}#{name}>" in triple for triple in triples for name in single)
    assert found == sum(name in binding for binding in bindings for name in single)
    assert found or query.no_rows


def test_the_terms_of_the_graph_are_kept_in_rdf(client: Client) -> None:
    rows = client.rows("/quantities", limit=40)
    triples = by_oxigraph(client.get("/quantities.ttl", limit=40).body, ox.RdfFormat.TURTLE)
    assert any(f"<{DEF}" in triple and "#modality>" in triple for triple in triples)
    assert any('"@en' in triple and "#summary>" in triple for triple in triples)
    numbers = [row["value"] for row in rows if row["value"] is not None]
    assert sum("#value>" in triple and "XMLSchema#" in triple for triple in triples) == len(numbers) > 10


def test_each_value_of_a_list_is_a_triple(client: Client) -> None:
    rows = client.rows("/initiatives")
    triples = by_oxigraph(client.get("/initiatives.ttl").body, ox.RdfFormat.TURTLE)
    lists = {number: row["sections"] for number, row in enumerate(rows, start=2)}
    assert max(len(values) for values in lists.values() if isinstance(values, list)) > 2
    for number, values in lists.items():
        assert isinstance(values, list)
        assert sum(f"#row={number}>" in triple and "#sections>" in triple for triple in triples) == len(values)


def test_the_context_is_published_as_it_stands_in_answers(client: Client) -> None:
    answer = client.get("/coverage/sentences.jsonld", limit=1).json()
    assert client.get("/queries/coverage/sentences/context.jsonld").json() == {"@context": answer["@context"]}


# ── CSV ──────────────────────────────────────────────────────────────────────


@each_query
def test_the_metadata_of_the_csv_name_its_columns_and_its_rows(client: Client, query: catalog.Query) -> None:
    given = {**required(query), "limit": 3}
    reply = client.get(f"/{query.name}.csv", "", **given)
    (link,) = re.findall(r'<([^>]*)>; rel="describedby"; type="application/csvm\+json"', reply.headers["link"])
    metadata = client.send("GET", link).json()
    columns = metadata["tableSchema"]["columns"]  # type: ignore[index]
    table = list(csv.reader(io.StringIO(reply.body.decode("utf-8"), newline="")))
    assert [column["name"] for column in columns] == table[0] == list(query.columns)
    (note,) = json.loads(client.send("GET", link).body)["notes"]
    assert note["completeness"] == reply.headers["suasion-completeness"]
    assert note["total"] == int(reply.headers["suasion-total"])
    following = re.findall(r'<([^>]*)>; rel="next"', reply.headers["link"])
    assert [note["next"]] * bool(note["next"]) == [f"http://127.0.0.1:{client.port}{path}" for path in following]
    assert {column["name"] for column in columns if "separator" in column} == {
        name for name, column in query.columns.items() if column.is_list
    }
    subjects = set(re.findall(r"^<([^>]*#row=\d+)>$", client.get(f"/{query.name}.ttl", "", **given).body.decode(), re.MULTILINE))
    about = str(metadata["tableSchema"]["aboutUrl"])  # type: ignore[index]
    assert subjects == {about.replace("{_sourceRow}", str(number)) for number in range(2, len(table) + 1)}


# ── Paging ───────────────────────────────────────────────────────────────────


@given(data=some.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_of_any_size_put_together_are_the_whole(client: Client, data: some.DataObject) -> None:
    query = data.draw(some.sampled_from(QUERIES))
    chosen = data.draw(some.sets(some.sampled_from(query.parameters), max_size=2)) if query.parameters else set()
    texts = {**required(query), **{p.name: data.draw(some.sampled_from(p.examples)) for p in chosen}}
    whole: list[object] = []
    path: str | None = f"/{query.name}?{urlencode(texts)}"
    total = 0
    while path:
        document = json.loads(client.send("GET", path).body)
        whole += document["rows"]
        path, total = document["links"]["next"], document["total"]
    assert len(whole) == total
    most = Limits().page_rows
    size = data.draw(some.integers(max(1, min(total, most) // 6), min(total + 1, most)))
    pages: list[object] = []
    path = f"/{query.name}?{urlencode({**texts, 'limit': size})}"
    while path:
        reply = client.send("GET", path)
        document = reply.json()
        rows = document["rows"]
        assert isinstance(rows, list) and len(rows) <= size
        assert (document["completeness"] == "complete") == (len(rows) == total)
        assert reply.headers["suasion-completeness"] == document["completeness"]
        pages += rows
        path = document["links"]["next"]  # type: ignore[index]
    assert pages == whole


# ── Errors ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "parameter"),
    [(q, p) for q in QUERIES for p in questions.parameters(q).values()],
    ids=[f"{q.name}-{p}" for q in QUERIES for p in questions.parameters(q)],
)
def test_each_refused_parameter_comes_with_a_call_that_works(
    client: Client, query: catalog.Query, parameter: catalog.Parameter
) -> None:
    refused = client.get(f"/{query.name}", "", **{**required(query), parameter.name: ""})
    problem = refused.json()
    assert (refused.status, problem["parameter"], problem["question"]) == (422, parameter.name, query.name)
    assert problem["accepted"]
    for example in (str(problem["example"]), *client_calls(query, parameter)):
        reply = client.send("GET", example)
        assert reply.status == 200, example
        assert reply.json()["completeness"] in ("complete", "truncated")


def client_calls(query: catalog.Query, parameter: catalog.Parameter) -> list[str]:
    beside = {"sort": query.sort[0]} if parameter.name == "order" else {}
    return [f"/{query.name}?{urlencode({**required(query), **beside, parameter.name: text})}" for text in parameter.examples]


@pytest.mark.parametrize("path", ["/claims?foo=1", "/claims?actor=%ff", "/claims.docx", "/entity", "/claims?limit=1&limit=2"])
def test_other_refusals_come_with_a_call_that_works_too(client: Client, path: str) -> None:
    example = client.send("GET", path).json()["example"]
    assert client.send("GET", str(example)).status == 200


def test_provenance_is_refused_where_a_format_has_no_place_for_it(client: Client) -> None:
    reply = client.get("/claims.csv", provenance="passages")
    assert (reply.status, reply.json()["parameter"]) == (422, "provenance")
    assert client.send("GET", str(reply.json()["example"])).status == 200


# ── Provenance ───────────────────────────────────────────────────────────────


def test_rows_name_the_claims_they_rest_on(client: Client) -> None:
    document = client.get("/timeline", limit=50).json()
    assert document["provenance"] == {"level": "claims", "rows": [[row["claim"]] for row in document["rows"]]}  # type: ignore[attr-defined]
    assert client.get("/timeline", provenance="none", limit=1).json()["provenance"] == {"level": "none"}
    assert client.get("/actors", limit=2).json()["provenance"]["rows"] is not None  # type: ignore[index]


def test_passages_tell_what_stands_behind_each_claim(client: Client, dataset: Dataset, prefixes: Prefixes) -> None:
    told = client.get("/initiatives", provenance="passages").json()["provenance"]
    document = client.get("/claims", provenance="passages", marker=20).json()
    told = document["provenance"]
    assert isinstance(told, Mapping)
    rows = {row["claim"]: row for row in document["rows"]}  # type: ignore[attr-defined]
    assert set(told["claims"]) == set(rows) != set()
    for name, claim in told["claims"].items():
        row = rows[name]
        assert 20 in claim["markers"]
        assert all(claim[key] == row[key] for key in ("summary", "kind", "modality", "section", "ranges", "hedges"))
        node = ox.NamedNode(str(prefixes.expand(name)))
        voices = dataset.union.quads_for_pattern(node, ox.NamedNode("http://www.w3.org/ns/prov#wasAttributedTo"), None)
        assert {prefixes.expand(voice) for voice in claim["voices"]} == {q.object.value for q in voices} != set()  # type: ignore[union-attr]


# ── Citations and receipts ───────────────────────────────────────────────────


def test_each_citation_names_answer_version_access_and_article(client: Client) -> None:
    document = client.get("/initiatives", actor="cambodia", year=2008).json()
    digest = document["dataset"]["sha256"]  # type: ignore[index]
    links = document["links"]
    assert isinstance(links, dict)
    texts = [str(document["citation"]), *(client.send("GET", links[name]).body.decode("utf-8") for name in ("bib", "ris", "csl"))]
    for text in texts:
        assert digest in text
        assert "Soft Power Politics in the Asia Pacific" in text and "Hsiao" in text and "2009" in text
        assert re.search(r"initiatives\?actor=actor(%3A|:)cambodia&year=2008", text)
        assert re.search(r"20\d\d.\d\d.\d\d|date-parts", text)
    entries = json.loads(texts[3])
    assert [entry["type"] for entry in entries] == ["dataset", "article-journal"]
    assert entries[1]["author"][0] == {"family": "Hsiao", "given": "H. H. Michael"}
    assert re.findall(r"^@(\w+)\{", texts[1], re.MULTILINE) == ["misc", "article"]
    assert texts[1].count("{") == texts[1].count("}")
    assert re.findall(r"^TY  - (\w+)\r$", texts[2], re.MULTILINE) == ["DATA", "JOUR"]
    assert texts[2].count("ER  - \r\n") == 2


def test_a_receipt_is_the_same_in_all_formats_and_is_found_the_same(client: Client) -> None:
    first = client.get("/claims", modality="hedged", limit=5)
    receipt = first.json()["receipt"]
    assert isinstance(receipt, dict) and receipt["id"] == first.headers["suasion-receipt"]
    verdict = client.get(f"/receipts/{receipt['id']}").json()
    assert (verdict["verdict"], verdict["changed"], verdict["then"]) == ("same", [], receipt)
    now = client.get(f"/receipts/{client.get('/claims.ttl', modality='hedged', limit=5).headers['suasion-receipt']}").json()[
        "now"
    ]
    assert isinstance(now, dict) and now["result_sha256"] == receipt["result_sha256"]
    for damaged in (str(receipt["id"])[:-3], "x" + str(receipt["id"])[1:], "nothing"):
        assert client.get(f"/receipts/{damaged}").status == 422


def test_a_receipt_says_what_changed(client: Client) -> None:

    true = receipts.read(client.get("/coverage", limit=2).headers["suasion-receipt"])
    cases = [
        (receipts.Receipt(true.question, true.given, "0" * 64, true.dataset_sha256, true.result_sha256, true.time), ["query"]),
        (receipts.Receipt(true.question, true.given, true.query_sha256, "0" * 64, "0" * 64, true.time), ["dataset", "result"]),
        (receipts.Receipt("gone", true.given, "", "", "", true.time), ["query"]),
        (receipts.Receipt("claims", {"actor": "actor:none"}, "", "", "", true.time), ["query", "dataset", "result"]),
    ]
    for receipt, changed in cases:
        verdict = client.get(f"/receipts/{receipt.id}").json()
        assert (verdict["verdict"], verdict["changed"]) == ("changed", changed)
