"""Questions evaluated on the real data: formats, datasets, bound terms, slices, and what cannot be answered."""

import json
from collections.abc import Iterable, Mapping

import pyoxigraph as ox
import pytest

from suasion import errors
from suasion.evaluation import ROWS_TYPE, evaluate
from suasion.exchange import GRAPH_TYPES, SOLUTION_TYPES, Answer, Question, Term
from suasion.loading import Dataset
from suasion.prefixes import DEF, GRAPH, ID, Prefixes

MOST = 10_000_000
CLAIMS = f"SELECT ?claim WHERE {{ ?claim a <https://schema.org/Claim> ; <{DEF}modality> ?m }} ORDER BY ?claim"
LABELS = "SELECT ?s ?l WHERE { ?s <http://www.w3.org/2004/02/skos/core#prefLabel> ?l } ORDER BY ?s ?l LIMIT 20"
JAPAN = f"<{ID}actor/japan>"
ONLY_HEDGED = f"""
SELECT DISTINCT ?s ?p ?o WHERE {{
  GRAPH <{GRAPH}claims> {{ ?claim <{DEF}modality> <{DEF}Hedged> }}
  GRAPH ?claim {{ ?s ?p ?o }}
  FILTER NOT EXISTS {{ ?s ?p ?o }}
}} ORDER BY ?s LIMIT 1
"""


def ask(dataset: Dataset, question: Question, most: int = MOST, prefixes: Mapping[str, str] | None = None) -> Answer:
    return evaluate(dataset, question, prefixes or {}, most)


def bindings(answer: Answer) -> list[dict[str, Term]]:
    assert answer.error == "", answer.detail
    found: list[dict[str, Term]] = json.loads(answer.body)["results"]["bindings"]
    return found


def values(answer: Answer) -> list[tuple[str, ...]]:
    return [tuple(term["value"] for term in row.values()) for row in bindings(answer)]


def boolean(answer: Answer) -> bool:
    assert answer.error == "", answer.detail
    return json.loads(answer.body)["boolean"] is True


def expected(dataset: Dataset, query: str) -> list[tuple[str, ...]]:
    solutions = dataset.facts.query(query)
    assert isinstance(solutions, ox.QuerySolutions)
    return [tuple(term.value for term in row if isinstance(term, ox.NamedNode | ox.Literal)) for row in solutions]


def iris(terms: Iterable[str]) -> tuple[str, ...]:
    return tuple(GRAPH + term for term in terms)


@pytest.mark.parametrize("media_type", SOLUTION_TYPES)
def test_rows_come_in_each_format(media_type: str, dataset: Dataset) -> None:
    answer = ask(dataset, Question(LABELS, solution_types=("text/html", media_type)))
    assert (answer.error, answer.media_type) == ("", media_type)
    if media_type == "text/csv":
        assert answer.body.startswith(b"s,l\r\n") and answer.body.count(b"\r\n") == 21
        return
    parsed = ox.parse_query_results(answer.body, format=ox.QueryResultsFormat.from_media_type(media_type))
    assert isinstance(parsed, ox.QuerySolutions)
    assert [tuple(t.value for t in row if isinstance(t, ox.NamedNode | ox.Literal)) for row in parsed] == expected(
        dataset, LABELS
    )


@pytest.mark.parametrize("media_type", GRAPH_TYPES)
def test_triples_come_in_each_format(media_type: str, dataset: Dataset, prefixes: Prefixes) -> None:
    query = f"CONSTRUCT {{ {JAPAN} ?p ?o }} WHERE {{ {JAPAN} ?p ?o }}"
    answer = ask(dataset, Question(query, graph_types=("text/html", media_type)), prefixes=prefixes.table)
    assert (answer.error, answer.media_type) == ("", media_type)
    parsed = {quad.triple for quad in ox.parse(answer.body, format=ox.RdfFormat.from_media_type(media_type))}
    direct = dataset.facts.query(query)
    assert isinstance(direct, ox.QueryTriples)
    assert parsed == set(direct)
    assert len(parsed) > 3


def test_turtle_uses_the_prefixes(dataset: Dataset, prefixes: Prefixes) -> None:
    answer = ask(dataset, Question(f"DESCRIBE {JAPAN}"), prefixes=prefixes.table)
    assert answer.media_type == "text/turtle"
    assert b"actor:japan" in answer.body


@pytest.mark.parametrize("media_type", ["application/sparql-results+json", "application/sparql-results+xml"])
def test_yes_and_no_come_in_json_and_xml(media_type: str, dataset: Dataset) -> None:
    yes = ask(dataset, Question(f"ASK {{ {JAPAN} ?p ?o }}", solution_types=(media_type,)))
    no = ask(dataset, Question(f"ASK {{ {JAPAN} ?p {JAPAN} }}", solution_types=(media_type,)))
    assert (b"true" in yes.body, b"false" in no.body) == (True, True)


@pytest.mark.parametrize(
    ("question", "offered"),
    [
        (Question("ASK {}", solution_types=("text/html",)), SOLUTION_TYPES),
        (Question(LABELS, solution_types=()), SOLUTION_TYPES),
        (Question(f"DESCRIBE {JAPAN}", graph_types=("text/csv",)), GRAPH_TYPES),
    ],
    ids=["ask", "select", "describe"],
)
def test_another_format_is_refused_with_what_is_offered(
    question: Question, offered: Mapping[str, object], dataset: Dataset
) -> None:
    answer = ask(dataset, question)
    assert answer.error == "NotAcceptable"
    assert answer.extra == {"offered": list(offered)}
    assert all(media_type in answer.detail for media_type in offered)


def test_the_default_graph_is_the_facts_and_all_on_request(dataset: Dataset) -> None:
    (hedged,) = expected(dataset, ONLY_HEDGED)
    query = "ASK { " + " ".join(f"<{iri}>" for iri in hedged) + " }"
    assert not boolean(ask(dataset, Question(query)))
    assert boolean(ask(dataset, Question(query, union=True)))


def test_named_graphs_are_reached_from_the_facts(dataset: Dataset) -> None:
    (hedged,) = expected(dataset, ONLY_HEDGED)
    pattern = " ".join(f"<{iri}>" for iri in hedged)
    assert boolean(ask(dataset, Question(f"ASK {{ GRAPH ?g {{ {pattern} }} }}")))


def test_a_request_may_name_its_default_graph(dataset: Dataset) -> None:
    answer = ask(dataset, Question(CLAIMS, default_graphs=iris(["claims"])))
    assert values(answer) == expected(dataset, CLAIMS)
    assert values(ask(dataset, Question(CLAIMS, default_graphs=iris(["actors"])))) == []
    assert values(ask(dataset, Question(CLAIMS, default_graphs=iris(["no-such-graph"])))) == []


def test_several_default_graphs_are_merged(dataset: Dataset) -> None:
    query = f"ASK {{ {JAPAN} ?p ?o . ?claim a <https://schema.org/Claim> }}"
    assert not boolean(ask(dataset, Question(query, default_graphs=iris(["actors"]))))
    assert boolean(ask(dataset, Question(query, default_graphs=iris(["actors", "claims"]))))


def test_with_named_graphs_only_the_default_graph_is_empty(dataset: Dataset) -> None:
    named = iris(["actors", "places"])
    assert values(ask(dataset, Question("SELECT * WHERE { ?s ?p ?o }", named_graphs=named))) == []
    graphs = values(ask(dataset, Question("SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g", named_graphs=named)))
    assert graphs == [(graph,) for graph in named]


def test_with_default_graphs_only_there_are_no_named_ones(dataset: Dataset) -> None:
    question = Question("SELECT * WHERE { GRAPH ?g { ?s ?p ?o } }", default_graphs=iris(["actors"]))
    assert values(ask(dataset, question)) == []


@pytest.mark.parametrize(
    "term",
    [
        {"type": "uri", "value": ID + "actor/japan"},
        {"type": "literal", "value": 'x" . } ASK { "é'},
        {"type": "literal", "value": "Japon", "xml:lang": "fr"},
        {"type": "literal", "value": "2008", "datatype": "http://www.w3.org/2001/XMLSchema#integer"},
    ],
)
def test_a_term_is_bound_as_it_is(term: Term, dataset: Dataset) -> None:
    answer = ask(dataset, Question("SELECT ?x WHERE { FILTER(BOUND(?x) || true) VALUES ?one { 1 } }", {"x": term}))
    assert bindings(answer) == [{"x": term}]


def test_a_bound_term_narrows_the_answer(dataset: Dataset) -> None:
    query = f"SELECT ?m ?claim WHERE {{ ?claim <{DEF}modality> ?m }} ORDER BY ?claim"
    hedged: Term = {"type": "uri", "value": DEF + "Hedged"}
    every = values(ask(dataset, Question(query)))
    narrowed = values(ask(dataset, Question(query, {"m": hedged})))
    assert narrowed == [row for row in every if row[0] == DEF + "Hedged"]
    assert 0 < len(narrowed) < len(every)


def rows(answer: Answer) -> tuple[int, list[str]]:
    assert (answer.error, answer.media_type) == ("", ROWS_TYPE), answer.detail
    document = json.loads(answer.body)
    assert document["variables"] == ["claim"]
    return document["total"], [row["claim"]["value"] for row in document["rows"]]


@pytest.mark.parametrize(("offset", "limit"), [(0, 5), (3, 1), (0, 0), (590, 100), (10**9, 5), (0, 10**9)])
def test_a_slice_has_its_rows_and_the_total_of_all(offset: int, limit: int, dataset: Dataset) -> None:
    every = [claim for (claim,) in expected(dataset, CLAIMS)]
    assert rows(ask(dataset, Question(CLAIMS, rows=(offset, limit)))) == (len(every), every[offset : offset + limit])


def test_pages_put_together_are_all_rows(dataset: Dataset) -> None:
    paged = [claim for at in range(0, 700, 70) for claim in rows(ask(dataset, Question(CLAIMS, rows=(at, 70))))[1]]
    assert paged == [claim for (claim,) in expected(dataset, CLAIMS)]


def test_a_slice_leaves_unbound_variables_out(dataset: Dataset) -> None:
    answer = ask(dataset, Question('SELECT ?a ?b ?c WHERE { VALUES (?a ?b ?c) { (1 UNDEF "x"@en) } }', rows=(0, 5)))
    integer = "http://www.w3.org/2001/XMLSchema#integer"
    assert json.loads(answer.body) == {
        "variables": ["a", "b", "c"],
        "total": 1,
        "rows": [
            {
                "a": {"type": "literal", "value": "1", "datatype": integer},
                "c": {"type": "literal", "value": "x", "xml:lang": "en"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ("SELECT ?s WHERE {\n  ?s ?p ) .\n}", 2),
        ("SELEKT ?s WHERE { ?s ?p ?o }", 1),
        ("", 1),
        ("INSERT DATA { <a:a> <a:b> <a:c> }", 1),
        ("DROP ALL", 1),
    ],
)
def test_a_query_that_does_not_parse_is_named_with_its_place(query: str, line: int, dataset: Dataset) -> None:
    before = len(dataset.facts)
    answer = ask(dataset, Question(query))
    assert answer.error == "BadQuery"
    assert answer.detail.startswith("The query does not parse: ")
    assert len(answer.detail) < 300
    assert answer.extra["line"] == line
    assert isinstance(answer.extra["column"], int)
    assert len(dataset.facts) == before


@pytest.mark.parametrize(
    "question",
    [
        Question("SELECT * WHERE { SERVICE <http://127.0.0.1:1/sparql> { ?s ?p ?o } }"),
        Question("SELECT ?s WHERE { ?s ?p ?o }", {"nowhere": {"type": "uri", "value": "https://example.org/a"}}),
        Question("SELECT ?s WHERE { ?s ?p ?o }", {"s": {"type": "uri", "value": "no iri"}}),
        Question("SELECT ?s WHERE { ?s ?p ?o }", default_graphs=("no iri",)),
        Question("SELECT ?s WHERE { ?s ?p ?o }", named_graphs=("",)),
    ],
    ids=["service", "not-projected", "bad-term", "bad-default-graph", "bad-named-graph"],
)
def test_a_query_that_cannot_be_run_is_an_answer(question: Question, dataset: Dataset) -> None:
    answer = ask(dataset, question)
    assert answer.error == "BadQuery"
    assert answer.detail.startswith("The query ")
    assert issubclass(getattr(errors, answer.error), errors.RequestError)


@pytest.mark.parametrize("media_type", SOLUTION_TYPES)
def test_a_large_answer_is_refused_with_the_remedy(media_type: str, dataset: Dataset) -> None:
    answer = ask(dataset, Question("SELECT * WHERE { ?s ?p ?o }", solution_types=(media_type,)), most=100_000)
    assert (answer.error, answer.body) == ("AnswerTooLarge", b"")
    assert answer.detail == "The answer is larger than 100,000 bytes: ask for less, or page with LIMIT and OFFSET."


@pytest.mark.parametrize(
    "question",
    [
        Question(LABELS),
        Question(f"DESCRIBE {JAPAN}"),
        Question(f"DESCRIBE {JAPAN}", graph_types=("application/n-triples",)),
        Question("SELECT * WHERE { ?s ?p ?o }", rows=(0, 200)),
    ],
    ids=["solutions", "turtle", "n-triples", "rows"],
)
def test_no_body_is_larger_than_the_limit(question: Question, dataset: Dataset) -> None:
    size = len(ask(dataset, question).body)
    assert size > 100
    assert len(ask(dataset, question, most=size).body) == size
    for most in (size - 1, size // 2, 1):
        answer = ask(dataset, question, most=most)
        assert (answer.error, answer.body) == ("AnswerTooLarge", b""), most
