"""Texts of parameters as RDF terms, terms as plain values; and the examples in all docstrings."""

import doctest
import importlib
import json
import pkgutil
from pathlib import Path

import pyoxigraph as ox
import pytest

import suasion
from suasion import catalog
from suasion.catalog import Column, Parameter, Query
from suasion.errors import BadParameter
from suasion.exchange import Search, Term
from suasion.loading import Dataset
from suasion.prefixes import DEF, ID, Prefixes
from suasion.terms import XSD, bound, plain, plain_row, searched

ACTOR = Parameter("actor", "iri", "Who", "actor:japan", themes=("actor",))
THING = Parameter("thing", "iri", "What", "actor:japan", themes=("actor", "place"))
ANY = Parameter("any", "iri", "Any IRI", "actor:japan")
CODE = Parameter("modality", "code", "How", "Hedged", values=("Hedged", "ReportedAsFact"))
YEAR = Parameter("year", "integer", "When", "2008")
TEXT = Parameter("words", "string", "What", "soft power")
WORDS = Parameter("text", "search", "What", "mekong", most=10, among="section", within=("names",))
CHOICE = Parameter("section", "string", "Where", "1.2", values=("1", "1.2"))


def uri(value: str) -> Term:
    return {"type": "uri", "value": value}


def literal(value: str, datatype: str = "") -> Term:
    return {"type": "literal", "value": value} | ({"datatype": XSD + datatype} if datatype else {})


@pytest.mark.parametrize(
    ("parameter", "text", "expected"),
    [
        (ACTOR, "japan", [uri(ID + "actor/japan")]),
        (ACTOR, "Japan", [uri(ID + "actor/Japan"), uri(ID + "actor/japan")]),
        (ACTOR, "actor:japan", [uri(ID + "actor/japan")]),
        (ACTOR, "place:tokyo", [uri(ID + "place/tokyo")]),
        (ACTOR, ID + "actor/japan", [uri(ID + "actor/japan")]),
        (THING, "japan", [uri(ID + "actor/japan"), uri(ID + "place/japan")]),
        (THING, "place:japan", [uri(ID + "place/japan")]),
        (ANY, "https://example.org/é?a=b%20c#d", [uri("https://example.org/é?a=b%20c#d")]),
        (CODE, "Hedged", [uri(DEF + "Hedged")]),
        (CODE, "hedged", [uri(DEF + "Hedged")]),
        (CODE, ":reportedasfact", [uri(DEF + "ReportedAsFact")]),
        (CODE, DEF + "Hedged", [uri(DEF + "Hedged")]),
        (YEAR, "2008", [literal("2008", "integer")]),
        (YEAR, "-007", [literal("-7", "integer")]),
        (YEAR, "+0", [literal("0", "integer")]),
        (TEXT, ' "quoted" \\ } . ?x ', [literal(' "quoted" \\ } . ?x ')]),
        (CHOICE, "1.2", [literal("1.2")]),
        (WORDS, '日本 "a b" OR *', [literal('日本 "a b" OR *')]),
        (WORDS, "日" * 200, [literal("日" * 200)]),
        (WORDS, "!", [literal("!")]),
    ],
)
def test_a_text_becomes_its_terms(parameter: Parameter, text: str, expected: list[Term], prefixes: Prefixes) -> None:
    assert list(bound(parameter, text, prefixes)) == expected


@pytest.mark.parametrize(
    ("parameter", "text", "accepted"),
    [
        *(
            (ANY, text, "an IRI, or a short name")
            for text in ("", "japan", "nosuch:japan", "urn:x", "http://a b", "http://a<b", "//a")
        ),
        *(
            (ACTOR, text, "an IRI, or a short name")
            for text in ("", "japan.", "-", "a b", "japan\n", "actor:a b", "jap/an", "{}")
        ),
        *((CODE, text, "one of Hedged, ReportedAsFact") for text in ("", "Sure", "Hedged ", "other:Hedged")),
        *((YEAR, text, "a whole number") for text in ("", "MMVIII", "2008.0", "2 008", "٢٠٠٨", "2008\n", "9" * 19, "--1")),
        *((TEXT, text, "some text") for text in ("", " ", "\n\t")),
        (CHOICE, "1.3", "one of 1, 1.2"),
        (WORDS, " ", "some text"),
    ],
)
def test_another_text_is_refused_with_what_is_accepted(
    parameter: Parameter, text: str, accepted: str, prefixes: Prefixes
) -> None:
    with pytest.raises(BadParameter) as caught:
        bound(parameter, text, prefixes)
    assert str(caught.value) == f"{parameter.name}={text!r} is not accepted: give {accepted}, such as {parameter.example}."
    assert caught.value.extra == {"parameter": parameter.name, "accepted": accepted}
    assert caught.value.status == 422


def test_the_text_of_a_search_is_not_bound_but_looked_up() -> None:
    query = Query("toys", "", "Toys", "Which?", {"toy": Column("The toy")}, (WORDS, CHOICE))
    terms = {"text": literal("bear"), "section": literal("1.2")}
    assert searched(query, terms) == ({"section": literal("1.2")}, Search("bear", 10, "1.2", ("names",)))
    assert searched(query, {"text": literal("bear")}) == ({}, Search("bear", 10, "", ("names",)))
    assert searched(query, {"section": literal("1.2")}) == ({"section": literal("1.2")}, None)


@pytest.mark.parametrize("text", ["a " * 51, "日" * 201, '"' + "ab" * 20 + " c" * 200 + '"'])
def test_more_words_than_a_search_takes_are_refused(text: str, prefixes: Prefixes) -> None:
    assert bound(WORDS, text[:99], prefixes)
    with pytest.raises(BadParameter) as caught:
        bound(WORDS, text, prefixes)
    assert "give at most 50 words, or 200 characters of a script without spaces" in str(caught.value)


def test_a_long_text_is_not_repeated_whole(prefixes: Prefixes) -> None:
    with pytest.raises(BadParameter) as caught:
        bound(YEAR, "x" * 10_000, prefixes)
    assert len(str(caught.value)) < 200


def test_each_example_of_the_real_queries_is_accepted_and_known(bundle: Path, dataset: Dataset, prefixes: Prefixes) -> None:
    parameters = [parameter for query in catalog.load(bundle / "queries" / "api") for parameter in query.parameters]
    assert {parameter.type for parameter in parameters} >= {"iri", "code", "string", "integer"}
    for parameter in parameters:
        terms = bound(parameter, parameter.example, prefixes)
        nodes = [ox.NamedNode(term["value"]) for term in terms if term["type"] == "uri"]
        pattern = dataset.union.quads_for_pattern
        known = [node for node in nodes if any(pattern(node, None, None, None)) or any(pattern(None, node, None, None))]
        assert known or not nodes, f"{parameter.name}={parameter.example}"


def test_each_theme_of_the_real_queries_is_a_prefix(bundle: Path, prefixes: Prefixes) -> None:
    parameters = [parameter for query in catalog.load(bundle / "queries" / "api") for parameter in query.parameters]
    assert {theme for parameter in parameters for theme in parameter.themes} <= prefixes.table.keys()


def test_a_code_is_accepted_as_answers_show_it(prefixes: Prefixes) -> None:
    shown = prefixes.shorten(DEF + "Hedged")
    assert bound(CODE, shown, prefixes) == (uri(DEF + "Hedged"),)


@pytest.mark.parametrize(
    ("term", "value"),
    [
        (uri("https://example.org/a"), "https://example.org/a"),
        (literal("text"), "text"),
        ({"type": "literal", "value": "texte", "xml:lang": "fr"}, "texte"),
        (literal("2008-12", "gYearMonth"), "2008-12"),
        (literal("2008", "gYear"), 2008),
        (literal("-12", "int"), -12),
        (literal("970000000", "nonNegativeInteger"), 970_000_000),
        (literal("62.5", "decimal"), 62.5),
        (literal("1e3", "double"), 1000.0),
        (literal("true", "boolean"), True),
        (literal("1", "boolean"), True),
        (literal("false", "boolean"), False),
        (literal("many", "integer"), "many"),
        (literal("2008Z", "gYear"), "2008Z"),
        (literal("some", "decimal"), "some"),
    ],
)
def test_a_term_becomes_its_plain_value(term: Term, value: object) -> None:
    assert plain(term) == value
    assert type(plain(term)) is type(value)


@pytest.mark.parametrize("text", ["NaN", "INF"])
def test_every_number_can_be_written_as_json(text: str) -> None:
    json.dumps(plain(literal(text, "double")), allow_nan=False)


def test_a_row_has_each_column_in_order(prefixes: Prefixes) -> None:
    columns = dict.fromkeys(("thing", "count", "none"), Column("Meaning"))
    query = Query("toys", "", "", "", {**columns, **dict.fromkeys(("kinds", "nothing"), Column("Meaning", "", True))})
    row = {
        "actor": uri(ID + "actor/japan"),
        "kinds": literal(f"aid | {ID}actor/japan | loan"),
        "count": literal("3", "integer"),
        "thing": uri(ID + "actor/japan"),
    }
    expected = {"thing": "actor:japan", "count": 3, "none": None, "kinds": ["actor:japan", "aid", "loan"], "nothing": []}
    assert plain_row(row, query, prefixes) == expected
    assert list(plain_row(row, query, prefixes)) == list(query.columns)


def test_the_examples_of_all_docstrings_hold() -> None:
    attempted = 0
    for module in pkgutil.iter_modules(suasion.__path__):
        results = doctest.testmod(importlib.import_module(f"suasion.{module.name}"))
        assert results.failed == 0, module.name
        attempted += results.attempted
    assert attempted >= 4
