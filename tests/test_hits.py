"""Hits as a graph: joined by a query while it runs, and gone after it; and the index of the real data, name by name."""

import json
from pathlib import Path

import pyoxigraph as ox
import pytest

from suasion import catalog, hits
from suasion.errors import DataFileError
from suasion.evaluation import evaluate
from suasion.exchange import Question, Search
from suasion.loading import Dataset
from suasion.prefixes import ID
from suasion.textindex import Entry, Role, TextIndex
from suasion.words import tokens

WITHIN = ("names", "codes", "texts")
JOIN = """
PREFIX : <https://w3id.org/suasion/def#>
PREFIX graph: <https://w3id.org/suasion/graph/>
PREFIX search: <https://w3id.org/suasion/search#>
SELECT ?thing (COUNT(DISTINCT ?claim) AS ?claims) WHERE {
  GRAPH graph:hits { ?thing search:position ?position }
  ?claim :mentions ?thing .
} GROUP BY ?thing ?position ORDER BY ?position
"""
LEFT = "ASK { GRAPH <https://w3id.org/suasion/graph/hits> { ?s ?p ?o } }"


@pytest.fixture(scope="module")
def index(dataset: Dataset, bundle: Path) -> TextIndex:
    return hits.indexed(dataset.union, bundle / "queries" / "index" / "article.rq")


def asked(dataset: Dataset, index: TextIndex | None, text: str, query: str = JOIN, union: bool = False) -> dict[str, object]:
    answer = evaluate(
        dataset, Question(query, rows=(0, 1000), union=union, search=Search(text, 100, "", WITHIN)), {}, 10**8, None, index
    )
    assert not answer.error, answer.detail
    document = json.loads(answer.body)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("union", [False, True])
def test_a_query_joins_the_hits_with_the_data(dataset: Dataset, index: TextIndex, union: bool) -> None:
    rows = asked(dataset, index, "burma", union=union)["rows"]
    assert isinstance(rows, list)
    assert rows[0]["thing"]["value"] == ID + "actor/myanmar"
    assert int(rows[0]["claims"]["value"]) > 5


def test_the_hits_are_gone_after_the_query(dataset: Dataset, index: TextIndex) -> None:
    before = len(dataset.facts), len(dataset.union)
    for text in ("burma", "japan", "burma"):
        asked(dataset, index, text)
        asked(dataset, index, text, union=True)
    assert (len(dataset.facts), len(dataset.union)) == before
    assert not dataset.facts.query(LEFT)
    assert not dataset.union.query(LEFT)


@pytest.mark.parametrize("query", ["SELECT * WHERE {", "SELECT ?x WHERE { SERVICE <http://127.0.0.1:9/> { ?x ?y ?z } }"])
def test_they_are_gone_after_a_query_that_fails(dataset: Dataset, index: TextIndex, query: str) -> None:
    answer = evaluate(dataset, Question(query, search=Search("japan", 100, "", WITHIN)), {}, 10**8, None, index)
    assert answer.error == "BadQuery"
    assert not dataset.facts.query(LEFT)


def test_they_are_gone_after_an_answer_that_is_too_large(dataset: Dataset, index: TextIndex) -> None:
    question = Question("SELECT ?s ?p ?o WHERE { ?s ?p ?o }", rows=(0, 10**6), search=Search("japan", 100, "", WITHIN))
    assert evaluate(dataset, question, {}, 1000, None, index).error == "AnswerTooLarge"
    assert not dataset.facts.query(LEFT)


def test_without_an_index_or_a_search_the_graph_is_empty(dataset: Dataset, index: TextIndex) -> None:
    assert asked(dataset, None, "burma")["rows"] == []
    assert json.loads(evaluate(dataset, Question(JOIN, rows=(0, 10)), {}, 10**8, None, index).body)["total"] == 0


def test_an_answer_says_when_hits_are_cut_off(dataset: Dataset, index: TextIndex) -> None:
    for most, cut in ((3, True), (2000, False)):
        answer = evaluate(dataset, Question(JOIN, rows=(0, 10), search=Search("japan", most, "", WITHIN)), {}, 10**8, None, index)
        assert bool(answer.extra.get("cut")) == cut


def test_things_without_an_iri_are_found_too() -> None:
    store = ox.Store()
    store.load(b'PREFIX : <a:> _:x :label "Laos" ; :size 3 .', format=ox.RdfFormat.TURTLE)
    dataset = Dataset(store, store)
    (thing,) = {str(quad.subject) for quad in store}
    entry = Entry(thing, "", Role.LABEL, "Laos", "")
    query = "SELECT ?size WHERE { GRAPH <https://w3id.org/suasion/graph/hits> { ?x ?p ?n } ?x <a:size> ?size }"
    rows = asked(dataset, TextIndex([entry]), "laos", query)["rows"]
    assert isinstance(rows, list)
    assert {row["size"]["value"] for row in rows} == {"3"}


def test_every_name_and_code_finds_its_thing_among_the_whole_matches(dataset: Dataset, bundle: Path, index: TextIndex) -> None:
    query = (bundle / "queries" / "index" / "article.rq").read_text(encoding="utf-8")
    missed = []
    for thing, _, role, text in dataset.union.query(query):  # type: ignore[union-attr]
        if role.value != "text":
            whole = [hit.thing for hit in index.find(text.value, 60).hits if hit.rank == 0]
            missed += [] if str(thing) in whole else [(thing.value, text.value)]
    assert missed == []


@pytest.mark.parametrize("text", ["students", "soft power", "Cambodia aid", "china's public diplomacy", "biodivers", "2008 expo"])
def test_the_claims_found_are_those_whose_summary_has_the_words(dataset: Dataset, index: TextIndex, text: str) -> None:
    *whole, begun = tokens(text)
    expected = set()
    for claim, summary in dataset.union.query("SELECT ?c ?s WHERE { ?c <https://w3id.org/suasion/def#summary> ?s }"):  # type: ignore[union-attr]
        words = tokens(summary.value)
        if set(whole) <= set(words) and any(word.startswith(begun) for word in words):
            expected.add(str(claim))
    assert expected
    assert {hit.thing for hit in index.find(text, 2000, "claim").hits} == expected


def test_the_kinds_that_a_question_takes_are_those_of_the_data(dataset: Dataset, bundle: Path) -> None:
    query = (bundle / "queries" / "index" / "article.rq").read_text(encoding="utf-8")
    kinds: set[str] = set()
    named: set[str] = set()
    for _, kind, role, _ in dataset.union.query(query):  # type: ignore[union-attr]
        kinds.add(kind.value)
        named |= {kind.value} if role.value != "text" else set()
    taken = {q.name: set(p.values) for q in catalog.load(bundle / "queries" / "api") for p in q.parameters if p.name == "kind"}
    assert taken["search"] == kinds
    assert taken["suggest"] == named


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT ?thing WHERE {", "line 1"),
        ("ASK {}", "a SELECT of ?thing ?kind ?role ?text"),
        ("SELECT ?thing ?text WHERE { ?thing ?p ?text }", "a SELECT of ?thing ?kind ?role ?text"),
        (
            'SELECT ?thing ?kind ?role ?text WHERE { ?thing <a:p> ?text BIND("title" AS ?role) }',
            '"title" is no ?role; there are label, name, code, text',
        ),
        ("SELECT ?thing ?kind ?role ?text WHERE { ?thing <a:p> ?text }", "None is no ?role"),
    ],
)
def test_a_query_for_the_index_that_is_none_is_refused(query: str, said: str, tmp_path: Path) -> None:
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("a:s"), ox.NamedNode("a:p"), ox.Literal("x")))
    path = tmp_path / "texts.rq"
    path.write_text(query, encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        hits.indexed(store, path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_query_for_the_index_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError) as caught:
        hits.indexed(ox.Store(), tmp_path / "none.rq")
    assert "none.rq" in str(caught.value)
    (tmp_path / "latin.rq").write_bytes("# é".encode("latin-1"))
    with pytest.raises(DataFileError):
        hits.indexed(ox.Store(), tmp_path / "latin.rq")


def test_the_files_query_reads_common_vocabularies_and_passes_over_what_is_no_text(bundle: Path) -> None:
    store = ox.Store()
    store.load(
        """
        PREFIX dcterms: <http://purl.org/dc/terms/>
        PREFIX foaf: <http://xmlns.com/foaf/0.1/>
        PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
        PREFIX schema: <http://schema.org/>
        PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
        <a:1> skos:prefLabel "Hanoi"@en, "Hà Nội"@vi, "河内"@zh ; skos:notation "VN-HN" .
        <a:2> rdfs:label "Vientiane" .
        <a:3> foaf:name "Ho Chi Minh" .
        <a:4> schema:name "Mekong River Commission" ; schema:description "It works on the river." .
        <a:5> dcterms:title "Report", <a:none> .
        <a:6> <a:other> "Unlabelled" .
        """.encode(),
        format=ox.RdfFormat.TURTLE,
    )
    index = hits.indexed(store, bundle / "queries" / "index" / "files.rq")
    found = {text: [hit.thing for hit in index.find(text, 10).hits] for text in ("ha noi", "河内", "vn-hn", "vient", "minh")}
    assert found == {"ha noi": ["<a:1>"], "河内": ["<a:1>"], "vn-hn": ["<a:1>"], "vient": ["<a:2>"], "minh": ["<a:3>"]}
    assert [hit.rank for hit in index.find("works", 10).hits] == [3]
    assert [hit.label for hit in index.find("河内", 10).hits] == ["Hanoi"]
    assert index.find("unlabelled", 10).hits == ()
