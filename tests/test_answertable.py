"""Answers as tables for readers: one column a thing, by its name; figures grouped, claims folded, nothing left out unsaid."""

import re
from html import unescape

import pytest

from conftest import Client
from suasion.answertable import number
from suasion.terms import XSD


def heads(page: str) -> list[str]:
    return re.findall(r'<th scope="col"><abbr title="[^"]*">([^<]*)</abbr></th>', page)


def body(page: str) -> str:
    return page.partition("<tbody>")[2].partition("</tbody>")[0]


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("1300000000.0", "decimal", "1,300,000,000"),
        ("2008", "integer", "2008"),
        ("12345.50", "decimal", "12,345.5"),
        ("0.85", "decimal", "0.85"),
        ("-70000", "integer", "-70,000"),
        ("NaN", "double", "NaN"),
        ("2008", "string", "2008"),
    ],
)
def test_numbers_are_written_for_readers(text: str, kind: str, shown: str) -> None:
    assert number({"type": "literal", "value": text, "datatype": XSD + kind}) == shown


def test_a_thing_is_one_column_that_leads_to_its_page(client: Client) -> None:
    page = client.get("/flows.html", donor="actor:japan", recipient="actor:cambodia").body.decode()
    assert not [head for head in heads(page) if head == "name" or head.endswith(("name", "names"))]
    assert "1,390,000,000" in body(page)
    assert re.search(r'<a href="/doc/actor/cambodia">Cambodia</a>', body(page))
    assert ">actor:" not in body(page)


def test_the_words_of_a_claim_lead_to_it(client: Client) -> None:
    (row,) = client.rows("/claims", text="1.39 billion")[:1]
    page = client.get("/claims.html", text="1.39 billion").body.decode()
    assert "summary" not in heads(page)
    assert f">{row['summary']}</a>" in unescape(body(page))


def test_columns_without_a_value_are_named_below(client: Client) -> None:
    (row, *_) = rows = client.rows("/initiatives", actor="actor:cambodia", year=2008)
    page = client.get("/initiatives.html", actor="actor:cambodia", year=2008).body.decode()
    empty = {name for name in row if not any(one[name] for one in rows) and not name.endswith("_names")}
    told = re.search(r"No row here has: ([^.]*)\.", page)
    assert told and set(told[1].split(", ")) == {name.replace("_", " ") for name in empty}
    assert empty and not empty & {head.replace(" ", "_") for head in heads(page)}


def test_lists_of_claims_are_folded_under_their_number(client: Client) -> None:
    rows = client.rows("/comparison", a="actor:china", b="actor:japan")
    page = client.get("/comparison.html", a="actor:china", b="actor:japan").body.decode()
    longer = sum(len(row[name]) > 2 for row in rows for name in ("claims", "claims_a", "claims_b"))  # type: ignore[arg-type]
    assert longer > 3 and body(page).count("<details><summary>") == longer


def test_the_form_is_folded_beside_an_answer_and_open_without_one(client: Client) -> None:
    assert '<details class="ask">' in client.get("/flows.html", donor="actor:japan").body.decode()
    assert '<details class="ask" open>' in client.get("/flows.html", donor="no such").body.decode()
