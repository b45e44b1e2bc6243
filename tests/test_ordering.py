"""ORDER BY over values of many kinds has an order, where the engine alone panics."""

import json

import pytest

from conftest import Client
from suasion.ordering import by_kind_first

XSD = "http://www.w3.org/2001/XMLSchema#"
KINDS = {"bnode": 0, "uri": 1, "literal": 2}
Found = list[dict[str, str] | None]


def ordered(client: Client, values: str, condition: str) -> Found:
    query = f"PREFIX xsd: <{XSD}> SELECT ?o WHERE {{ VALUES ?o {{ {values} }} }} ORDER BY {condition}"
    reply = client.get("/sparql", query=query)
    assert reply.status == 200, reply.body
    return [row.get("o") for row in json.loads(reply.body)["results"]["bindings"]]


def of(found: Found, datatype: str) -> list[str]:
    return [term["value"] for term in found if term and term.get("datatype", "").removeprefix(XSD) == datatype]


@pytest.mark.parametrize(("condition", "step"), [("?o", 1), ("DESC(?o)", -1), ("(IF(true, ?o, 1))", 1)])
def test_values_that_form_circles_are_ordered(client: Client, condition: str, step: int) -> None:
    """10 comes before "5" as text, "5" before 9, and 9 before 10 by value."""
    numbers = " ".join(f"{n * 7 % 101} '{n}' '{n}'@en '{n * 11 % 89}'^^xsd:gYear '{n * 7 % 97}.5'^^xsd:float" for n in range(200))
    times = " ".join(
        f"'2009-01-01T{n % 24:02}:00:00+0{n % 8 + 1}:00'^^xsd:dateTime '2009-01-01T{n % 24:02}:00:00'^^xsd:dateTime"
        for n in range(99)
    )
    found = ordered(client, f"{numbers} {times} <urn:x> UNDEF", condition)[::step]
    assert found[0] is None and found[1] == {"type": "uri", "value": "urn:x"}
    assert len(found) == 1200
    integers = [int(value) for value in of(found, "integer")]
    assert len(integers) == 200 and integers == sorted(integers)
    assert of(found, "gYear") == sorted(of(found, "gYear"))
    zoned = [(int(value[11:13]) - int(value[20:22])) for value in of(found, "dateTime") if len(value) > 20]
    assert len(zoned) == 99 and zoned == sorted(zoned)


@pytest.mark.parametrize("form", ["SELECT ?o", "SELECT *", "SELECT DISTINCT ?o"])
@pytest.mark.parametrize("condition", ["?o", "DESC(?o)", "?p DESC(?o)", "COALESCE(?o, ?p)"])
def test_all_objects_of_the_article_can_be_ordered(client: Client, form: str, condition: str) -> None:
    query = f"{form} WHERE {{ ?s ?p ?o }} ORDER BY {condition} LIMIT 10000"
    whole, partial = client.get("/sparql", query=query), client.get("/sparql", query=query, partial="true")
    assert whole.status == partial.status == 200
    rows, first = (json.loads(reply.body)["results"]["bindings"] for reply in (whole, partial))
    assert first and first == rows[: len(first)]  # it may be cut
    found = [row["o"] for row in rows]
    assert len(found) > 1000
    if condition == "?o":
        kinds = [KINDS[term["type"]] for term in found]
        assert kinds == sorted(kinds)


def key(expression: str, direction: str = "ASC") -> str:
    """Return the conditions that stand before one."""
    query = f"ASK {{}} ORDER BY {direction} {expression}"
    return by_kind_first(query).removeprefix("ASK {} ORDER BY ").removesuffix(f"{direction} {expression}")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ASK {}", "ASK {}"),
        ("SELECT * {} ORDER BY ?a ?b OFFSET 1", f"SELECT * {{}} ORDER BY {key('?a')}?a {key('?b')}?b OFFSET 1"),
        ("SELECT * {} order by desc ( ?a )", f"SELECT * {{}} order by {key('( ?a )', 'DESC')}desc ( ?a )"),
        (
            "SELECT * {} ORDER BY <urn:f>(?a, (1)) LIMIT 1",
            f"SELECT * {{}} ORDER BY {key('<urn:f>(?a, (1))')}<urn:f>(?a, (1)) LIMIT 1",
        ),
        ("SELECT * {} ORDER BY 'ORDER BY ?x' # ORDER BY ?y", "SELECT * {} ORDER BY 'ORDER BY ?x' # ORDER BY ?y"),
        ("SELECT * { { SELECT * {} ORDER BY ?a } }", f"SELECT * {{ {{ SELECT * {{}} ORDER BY {key('?a')}?a }} }}"),
        ("SELECT * {} ORDER BY (?a", f"SELECT * {{}} ORDER BY {key('(?a')}(?a"),
        ("SELECT * {} ORDER BY DESC", "SELECT * {} ORDER BY DESC"),
        ("SELECT * {} ORDER BY", "SELECT * {} ORDER BY"),
    ],
)
def test_two_keys_stand_before_each_condition(query: str, expected: str) -> None:
    assert by_kind_first(query) == expected
