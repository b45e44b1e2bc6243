"""What a query file declares against what it projects."""

from pathlib import Path

import pytest

from suasion import catalog
from suasion.catalog import Column, Parameter, Query
from suasion.errors import QueryFileError
from suasion.projection import refuse_mismatches

FOLDER = Path("queries/api")
SIZE = Parameter("size", "integer", "How large", "3")
TEXT = Parameter("text", "search", "Words of its name", "bear", most=10)
TOY = Parameter("toy", "iri", "Which", "toy:ball")


def toys(text: str, *parameters: Parameter) -> Query:
    return Query("toys/all", text, "Toys", "Which?", {"toy": Column("The toy"), "colour": Column("Its colour")}, parameters)


def refusal(query: Query) -> str:
    fine = Query("fine", "SELECT ?a WHERE { ?a ?b ?c }", "Fine", "Which?", {"a": Column("A")})
    with pytest.raises(QueryFileError) as caught:
        refuse_mismatches(FOLDER, (fine, query))
    return str(caught.value)


def test_the_real_queries_project_what_they_declare(bundle: Path) -> None:
    for folder, least in ((bundle / "queries" / "api", 10), (bundle / "queries" / "files", 1)):
        queries = catalog.load(folder)
        assert len(queries) > least
        refuse_mismatches(folder, queries)


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("SELECT ?toy ?colour WHERE { ?toy ?p ?colour }", ()),
        ("SELECT ?toy ?colour ?size WHERE { ?toy ?size ?colour }", (SIZE,)),
        ("SELECT ?toy ?colour ?size WHERE { ?toy ?size ?colour }", (TOY, SIZE)),
        ("SELECT ?toy ?colour ?size WHERE { ?toy ?size ?colour }", (TEXT, SIZE)),
        ("SELECT ?toy (COUNT(?c) AS ?colour) WHERE { ?toy ?p ?c } GROUP BY ?toy", ()),
    ],
)
def test_columns_then_parameters_pass(text: str, parameters: tuple[Parameter, ...]) -> None:
    refuse_mismatches(FOLDER, (toys(text, *parameters),))


@pytest.mark.parametrize(
    ("text", "parameters", "expected"),
    [
        ("SELECT ?toy WHERE { ?toy ?p ?colour }", (), "?toy ?colour"),
        ("SELECT ?colour ?toy WHERE { ?toy ?p ?colour }", (), "?toy ?colour"),
        ("SELECT ?toy ?colour ?p WHERE { ?toy ?p ?colour }", (), "?toy ?colour"),
        ("SELECT ?toy ?colour WHERE { ?toy ?size ?colour }", (SIZE,), "?toy ?colour ?size"),
        ("SELECT ?size ?toy ?colour WHERE { ?toy ?size ?colour }", (SIZE,), "?toy ?colour ?size"),
        ("SELECT ?toy ?colour WHERE { ?toy ?size ?colour }", (TOY, SIZE), "?toy ?colour ?size"),
    ],
)
def test_another_projection_is_refused_with_the_expected_one(text: str, parameters: tuple[Parameter, ...], expected: str) -> None:
    said = refusal(toys(text, *parameters))
    assert said.startswith(f"{FOLDER / 'toys' / 'all.rq'}: ")
    assert said.endswith(f": {expected}.")


@pytest.mark.parametrize(
    "text", ["ASK { ?toy ?p ?colour }", "CONSTRUCT WHERE { ?toy ?p ?colour }", "DESCRIBE ?toy WHERE { ?toy ?p ?c }"]
)
def test_a_query_of_another_form_is_refused(text: str) -> None:
    assert refusal(toys(text)) == f"{FOLDER / 'toys' / 'all.rq'}: a curated question is a SELECT."


def test_a_query_that_does_not_parse_is_named_with_its_line() -> None:
    said = refusal(toys("#+ summary\nSELECT ?toy ?colour WHERE {\n  ?toy ?p ) .\n}\n"))
    assert said.startswith(f"{FOLDER / 'toys' / 'all.rq'}, line 3, column ")
