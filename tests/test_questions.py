"""The competency questions: one query each, in the style of the house, and its answer as the article gives it."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pyoxigraph as ox
import pytest

from suasion import loading, prefixes

BUNDLE = Path(__file__).resolve().parent.parent
EXPECTED = BUNDLE / "tests" / "expected"
QUERIES = sorted((BUNDLE / "queries" / "questions").glob("*.rq"))
XSD = "http://www.w3.org/2001/XMLSchema#"

Cell = str | int | float
Row = dict[str, Cell]

each_query = pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def facts() -> ox.Store:
    """Return the store whose default graph holds what is reported as fact."""
    return loading.load(BUNDLE).facts


@pytest.fixture(scope="module")
def short() -> prefixes.Prefixes:
    """Return the prefix table of the bundle."""
    return prefixes.declared(BUNDLE)


def cell(term: object, short: prefixes.Prefixes) -> Cell:
    """Return a term as JSON has it: IRIs shortened, integers and decimals as numbers, other literals as text."""
    if isinstance(term, ox.NamedNode):
        return short.shorten(term.value)
    assert isinstance(term, ox.Literal)
    if term.datatype.value == XSD + "integer":
        return int(term.value)
    if term.datatype.value in {XSD + "decimal", XSD + "double"}:
        return float(Decimal(term.value))
    return term.value


def answer(store: ox.Store, text: str, short: prefixes.Prefixes) -> list[Row]:
    """Return the answer to a SELECT query, one object a row; what is unbound is left out."""
    solutions = store.query(text)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    return [{name: cell(term, short) for name, term in zip(names, row, strict=True) if term is not None} for row in solutions]


@each_query
def test_answer_is_the_expected_one(query: Path, facts: ox.Store, short: prefixes.Prefixes) -> None:
    expected = json.loads((EXPECTED / f"{query.stem}.json").read_text(encoding="utf-8"))
    assert answer(facts, query.read_text(encoding="utf-8"), short) == expected


def test_each_question_has_one_query_and_each_query_one_expected_file(facts: ox.Store) -> None:
    declared = facts.query(
        "PREFIX schema: <https://schema.org/>\nPREFIX skos: <http://www.w3.org/2004/02/skos/core#>\n"
        "SELECT ?number ?question WHERE { ?it a schema:Question ; skos:notation ?number ; skos:prefLabel ?question }"
        "ORDER BY ?number"
    )
    assert isinstance(declared, ox.QuerySolutions)
    headers = [f"# {row['number'].value} {row['question'].value}" for row in declared]
    assert len(headers) == 31
    assert [query.read_text(encoding="utf-8").splitlines()[0] for query in QUERIES] == headers
    assert [query.stem[:5].upper() for query in QUERIES] == [header.split()[1] for header in headers]
    assert [path.stem for path in sorted(EXPECTED.glob("cq-*.json"))] == [query.stem for query in QUERIES]


@each_query
def test_query_keeps_the_rules_of_style(query: Path, short: prefixes.Prefixes) -> None:
    text = query.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert text.endswith("\n") and "\t" not in text and all(line == line.rstrip() for line in lines)
    prefix_lines = [line for line in lines if line.startswith("PREFIX ")]
    declared = [line.split()[1].removesuffix(":") for line in prefix_lines]
    assert prefix_lines == [f"PREFIX {name}: <{short.table[name]}>" for name in sorted(declared)]
    body = "\n".join(line for line in lines if not line.startswith(("#", "PREFIX ")))
    bare = re.sub(r'"[^"]*"', '""', body)
    assert set(re.findall(r"(?<![\w-])([a-z][a-z-]*|):(?=[A-Za-z0-9])", bare)) == set(declared)
    assert re.search(r"^ORDER BY \S", body, re.MULTILINE)
    assert "SELECT *" not in body
    assert not re.search(r"\b(select|where|graph|optional|filter|values|bind|order by|group by|distinct|union)\b(?!-)", bare)
    assert all((len(line) - len(line.lstrip(" "))) % 2 == 0 for line in lines)
