"""The curated endpoints over HTTP: rows, filters, paging, completeness, formats, errors."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from conftest import ROOT, Client
from suasion import catalog

QUERIES = catalog.load(ROOT / "queries" / "api")
BY_NAME = {query.name: query for query in QUERIES}


def required(query: catalog.Query) -> dict[str, str | int]:
    return {p.name: p.example for p in query.parameters if p.required}


@pytest.mark.parametrize("query", QUERIES, ids=[q.name for q in QUERIES])
def test_each_answers_with_its_columns_and_says_whether_it_is_all(client: Client, query: catalog.Query) -> None:
    reply = client.send("GET", f"/{query.name}?{urlencode(required(query))}")
    assert reply.status == 200
    document = reply.json()
    rows = document["rows"]
    assert isinstance(rows, list)
    assert rows or (query.no_rows and document["note"] == query.no_rows)
    assert all(list(row) == list(query.columns) for row in rows)
    complete = document["total"] == len(rows)
    assert document["completeness"] == reply.headers["suasion-completeness"] == ("complete" if complete else "truncated")
    assert reply.headers["suasion-total"] == str(document["total"])
    assert (document["links"]["next"] is None) == complete  # type: ignore[index]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [(q, p) for q in QUERIES for p in q.parameters if not p.required],
    ids=[f"{q.name}-{p.name}" for q in QUERIES for p in q.parameters if not p.required],
)
def test_each_optional_parameter_narrows_the_answer(client: Client, query: catalog.Query, parameter: catalog.Parameter) -> None:
    everything = client.send("GET", f"/{query.name}?{urlencode(required(query))}").json()["total"]
    fewer = client.send("GET", f"/{query.name}?{urlencode({**required(query), parameter.name: parameter.example})}").json()[
        "total"
    ]
    assert isinstance(everything, int)
    assert isinstance(fewer, int)
    assert 0 <= fewer < everything


@pytest.mark.parametrize("query", QUERIES, ids=[q.name for q in QUERIES])
def test_pages_put_together_are_the_whole(client: Client, query: catalog.Query) -> None:
    whole, total = walk(client, query, 1000)
    pages, _ = walk(client, query, max(1, min(1000, total // 3)))
    assert pages == whole
    assert len(whole) == total


@pytest.mark.parametrize("query", [q for q in QUERIES if q.sort], ids=[q.name for q in QUERIES if q.sort])
def test_pages_that_are_sorted_have_each_row_once_and_in_order(client: Client, query: catalog.Query) -> None:
    whole, total = walk(client, query, 1000)
    for column in query.sort:
        pages, _ = walk(client, query, min(1000, total // 2 + 1), sort=column, order="descending")
        assert sorted(map(repr, pages)) == sorted(map(repr, whole)), column
        values = [row[column] for row in pages]
        bound = [value for value in values if value is not None]
        assert values[len(bound) :] == [None] * (len(values) - len(bound)), column
        keys = [value.casefold() if isinstance(value, str) else value for value in bound]
        if query.columns[column].type != "iri":  # whole IRIs are compared, short names are shown
            assert keys == sorted(keys, reverse=True), column
        assert [row for row in pages if row[column] == values[0]] == [row for row in whole if row[column] == values[0]]


@pytest.mark.parametrize("query", QUERIES, ids=[q.name for q in QUERIES])
def test_related_questions_keep_the_filters_that_they_know_and_answer(client: Client, query: catalog.Query) -> None:
    given = {p.name: p.example for p in query.parameters if p.required or p.name == "actor"}
    related = client.get(f"/{query.name}", **given).json()["related"]
    assert isinstance(related, list)
    assert len(related) == len(query.related) > 0
    for name, other in zip(query.related, related, strict=True):
        assert client.send("GET", other["link"]).status == 200, other
        takes = {p.name for p in next(q for q in QUERIES if q.name == name).parameters}
        assert ("actor=" in other["link"]) == ("actor" in given and "actor" in takes)


def walk(client: Client, query: catalog.Query, limit: int, **given: str) -> tuple[list[dict[str, Any]], int]:
    """Follow `next` from the first page to the last; return all rows and the total of the last page."""
    rows: list[dict[str, Any]] = []
    path = f"/{query.name}?{urlencode({**required(query), 'limit': limit, **given})}"
    while path:
        document = json.loads(client.send("GET", path).body)
        rows += document["rows"]
        path = document["links"]["next"]
    return rows, document["total"]


def test_csv_has_the_same_rows(client: Client) -> None:
    rows = client.rows("/identifiers", thing="actor:vietnam")
    reply = client.get("/identifiers.csv", thing="actor:vietnam")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(reply.body.decode("utf-8"))))
    assert [row["code"] for row in table] == [row["code"] for row in rows]
    assert table[0]["thing"] == "https://w3id.org/suasion/id/actor/vietnam"


def test_sparql_json_has_the_same_rows(client: Client) -> None:
    rows = client.rows("/notes", marker=14)
    found = json.loads(client.get("/notes", "application/sparql-results+json", marker=14).body)
    assert [b["summary"]["value"] for b in found["results"]["bindings"]] == [row["summary"] for row in rows]
    assert rows


def test_a_bare_slug_a_curie_and_an_iri_are_the_same_thing(client: Client) -> None:
    answers = [client.rows("/initiatives", actor=a) for a in ("japan", "actor:japan", "https://w3id.org/suasion/id/actor/japan")]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]


def test_the_year_filter_takes_open_and_long_periods(client: Client) -> None:
    during = {row["claim"] for row in client.rows("/timeline", year=2001)}
    periods = {str(row["period_name"]) for row in client.rows("/timeline", year=2001)}
    assert "since 1991" in periods
    assert "1999 to 2003" in periods
    assert "2002" not in periods
    assert during


def test_codes_are_taken_in_any_case(client: Client) -> None:
    assert client.rows("/claims", modality="hedged") == client.rows("/claims", modality="Hedged")


def test_text_is_a_value_and_never_syntax(client: Client) -> None:
    hostile = ['") } #', "' OR 'x'='x", "?s ?p ?o", "\\u0022", "<script>alert(1)</script>", "𝕏" * 200, "a" * 4000]
    for text in hostile:
        document = client.send("GET", "/search?" + urlencode({"text": text})).json()
        assert document["total"] == 0
        assert document["note"]
    found = client.rows("/search", text="' OR 1=1")  # a word and two numbers, which some names have
    assert {row["thing"] for row in found} == {f"section:{number}" for number in ("1.1", "1.2", "1.3", "2.1")}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/claims?foo=1", 400, "has no parameter 'foo'"),
        ("/claims?year=20x8", 422, "give a whole number"),
        ("/claims?modality=Certain", 422, "one of Evaluated"),
        ("/claims?section=4", 422, "one of 0, 1"),
        ("/claims?actor=atlantis", 422, "names nothing in the graph"),
        ("/claims?actor=two%20words", 422, "give an IRI"),
        ("/comparison?a=atlantis&b=japan", 422, "a='actor:atlantis' names nothing in the graph"),
        ("/memberships?at=some%20day", 422, "at='some day' is not accepted"),
        ("/memberships?at=2009-02-30", 422, "at='2009-02-30' is not accepted"),
        ("/claims?actor=actor:japan&actor=actor:china", 422, "given twice"),
        ("/claims?limit=0", 422, "out of range"),
        ("/claims?limit=1001", 422, "out of range"),
        ("/claims?offset=-1", 422, "out of range"),
        ("/claims?actor=%ff", 422, "UTF-8"),
        ("/entity", 422, "thing is missing"),
        ("/entity?thing=actor:atlantis", 404, "no such thing"),
        ("/claim?claim=claim:nothing", 404, "no such claim"),
        ("/claims.docx", 404, "no format .docx"),
        ("/nowhere", 404, "nothing at /nowhere"),
    ],
)
def test_bad_requests_get_one_clear_problem(client: Client, path: str, status: int, words: str) -> None:
    reply = client.send("GET", path)
    problem = reply.json()
    assert (reply.status, problem["status"]) == (status, status)
    assert reply.headers["content-type"] == "application/problem+json"
    assert words in str(problem["detail"])


def test_absence_is_said_to_be_absence(client: Client) -> None:
    document = client.get("/quantities", actor="actor:south-korea", instrument="instrument:foreign-aid", section="1.1").json()
    assert document["total"] == 0
    assert str(document["note"]).startswith("No row fits these filters. That need not mean that the article is silent.")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/claims?thing=actor:australia", "Australia"),
        ("/claims?thing=australia", "Australia"),
        ("/claims?actor=actor:brunei", "Brunei"),
        ("/initiatives?actor=india&year=2008", "India"),
    ],
)
def test_what_the_article_never_names_is_no_error_and_said_so(client: Client, path: str, name: str) -> None:
    document = client.send("GET", path).json()
    assert (document["total"], document["note"]) == (0, f"The article never names {name}.")


def test_a_format_by_accept_that_is_not_offered_is_406(client: Client) -> None:
    assert client.get("/claims", "image/png").status == 406


def test_a_claim_shows_content_passage_and_cautions(client: Client) -> None:
    rows = client.rows("/claim", claim="japan-granted-cambodia-for-health-2008")
    found = {(str(row["part"])[2:], row["property"], row["value"]) for row in rows}
    assert ("content", ":value", 1390000000) in found
    assert ("content", ":currency", "currency:JPY") in found
    assert ("about", ":citesNote", "note:20") in found
    assert any(part == "passage" and prop == ":characterRanges" for part, prop, _ in found)
    assert any(part == "quality" for part, _, _ in found)


def test_every_claim_leads_to_its_place(client: Client) -> None:
    rows = client.rows("/claims")
    assert len(rows) == client.get("/claims").json()["total"]
    assert all(row["ranges"] and row["section"] and row["summary"] and row["modality"] for row in rows)


def test_the_query_behind_an_answer_is_shown(client: Client, bundle: Path) -> None:
    for name in ("claims", "coverage/sentences"):
        reply = client.get(f"/queries/{name}")
        assert reply.body == (bundle / "queries" / "api" / f"{name}.rq").read_bytes()
    assert client.get("/queries/nothing").status == 404


def test_coverage_counts_every_sentence(client: Client) -> None:
    rows = client.rows("/coverage")
    assert sum(int(str(row["sentences"])) for row in rows) == 218
    assert [row["accounted"] for row in rows] == [row["sentences"] for row in rows]


def test_a_slug_that_names_several_things_is_not_guessed(client: Client) -> None:
    reply = client.get("/claims", thing="foreign-aid")
    assert reply.status == 422
    assert "instrument:foreign-aid" in str(reply.json()["detail"])
    assert "measure:foreign-aid" in str(reply.json()["detail"])
    shown = client.get("/claims", thing="confucius-institutes").json()["parameters"]
    assert shown == {"thing": "initiative:confucius-institutes"}


def test_a_modality_filters_the_columns_too(client: Client) -> None:
    """What is said of an initiative in evaluated claims only may not stand in a row of facts."""
    facts = {str(row["thing"]): row for row in client.rows("/initiatives", modality="ReportedAsFact")}
    for row in client.rows("/initiatives"):
        if fact := facts.get(str(row["thing"])):
            for column in ("sponsors", "partners", "beneficiaries", "instruments", "places", "periods", "statuses"):
                assert set(fact[column]) <= set(row[column])  # type: ignore[call-overload]
    planned = [row for row in client.rows("/agreements", modality="ReportedAsFact") if "planned" in row["statuses"]]  # type: ignore[operator]
    assert planned == []


def test_a_client_that_has_the_rows_gets_304(client: Client) -> None:
    tag = client.get("/claims", limit=5).headers["etag"]
    reply = client.send("GET", "/claims?limit=5", {"If-None-Match": tag})
    assert (reply.status, reply.body) == (304, b"")
    assert client.send("GET", "/claims?limit=6", {"If-None-Match": tag}).status == 200


def test_an_offset_past_the_end_says_so(client: Client) -> None:
    document = client.get("/coverage", offset=5000, limit=3).json()
    assert document["rows"] == []
    assert document["note"] == "There are 10 rows, none from 5000 on."
    assert "offset=7" in document["links"]["prev"]  # type: ignore[index]
