"""A folder of one's own questions gets all that the questions of the article have, beside them or beside RDF files."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

import toys
from conftest import ROOT, Client, serve, stop
from suasion import renderings

SH = "http://www.w3.org/ns/shacl#"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service of the toys alone, whose queries may take half a second."""
    data, questions = toys.write(tmp_path_factory.mktemp("shop"))
    process, port = serve(str(data), "--queries", str(questions), "--deadline-seconds", "0.5")
    yield Client(port)
    stop(process)


def names(shop: Client, **given: str | int) -> list[object]:
    return [str(row["toy"]).removeprefix("toy:") for row in shop.rows("/toys/all", **given)]


def test_rows_have_the_short_names_of_the_file_and_the_default(shop: Client) -> None:
    document = shop.get("/toys/all").json()
    assert document["parameters"] == {"at_most": "100.5"}
    assert document["rows"][0] == {  # type: ignore[index]
        "toy": "toy:ball",
        "name": "Ball",
        "price": 2.5,
        "colours": ["toy:blue", "toy:red"],
        "made": "2001-05-03",
        "is_new": True,
        "said": None,
    }
    assert names(shop) == ["ball", "car", "doll"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"colour": "blue"}, ["ball"]),
        ({"colour": "toy:Green", "at_most": 900}, ["top"]),
        ({"colour": "https://example.org/toy/red"}, ["ball", "car", "doll"]),
        ({"during": "2001"}, ["ball"]),
        ({"during": "2001-05/2002-01"}, ["ball", "car"]),
        ({"during": "2002-01-01"}, ["car"]),
        ({"during": "2002/"}, ["car", "doll"]),
        ({"during": "../2001"}, ["ball"]),
        ({"during": "2002/..", "at_most": 900}, ["car", "doll", "top"]),
        ({"on": "2002-12-31"}, ["doll"]),
        ({"at_most": "2.4"}, ["car"]),
        ({"at_most": "-10"}, ["car"]),
        ({"fresh": "true"}, ["ball"]),
        ({"fresh": "0"}, ["car"]),
    ],
)
def test_each_type_of_parameter_filters(shop: Client, given: dict[str, str | int], expected: list[str]) -> None:
    assert names(shop, **given) == expected


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("colour", "pink", "one of toy:blue, toy:green, toy:red"),
        ("during", "2001/2000", "a period that ends after it begins"),
        ("during", "2001-13", "a year, month or day, or two of them with / between"),
        ("during", "/", "a year, month or day, or two of them with / between"),
        ("during", "2001/2002/2003", "a year, month or day, or two of them with / between"),
        ("on", "2002", "a day, as YYYY-MM-DD"),
        ("on", "2001-02-29", "a day, as YYYY-MM-DD"),
        ("at_most", "1e3", "a number, with a point before decimals"),
        ("at_most", "1,5", "a number, with a point before decimals"),
        ("fresh", "yes", "true or false"),
        ("sort", "toy", "one of name, price, is_new"),
        ("order", "up", "one of ascending, descending"),
        ("provenance", "all", "one of none, claims, passages"),
        ("limit", "0", "1 to 1000"),
    ],
)
def test_what_is_refused_is_named_with_what_is_accepted_and_a_call_that_works(
    shop: Client, name: str, value: str, accepted: str
) -> None:
    given = {"sort": "price", "order": value} if name == "order" else {name: value}
    reply = shop.get("/toys/all", **given)
    problem = reply.json()
    assert reply.status == 422
    assert (problem["parameter"], problem["accepted"], problem["question"]) == (name, accepted, "toys/all")
    assert shop.send("GET", str(problem["example"])).status == 200


@pytest.mark.parametrize(
    ("sort", "order", "expected"),
    [
        ("price", "ascending", ["car", "ball", "doll", "top"]),
        ("price", "descending", ["top", "ball", "doll", "car"]),
        ("name", "ascending", ["car", "doll", "top", "ball"]),
        ("is_new", "ascending", ["car", "ball", "doll", "top"]),
        ("is_new", "descending", ["ball", "car", "doll", "top"]),
    ],
)
def test_rows_are_sorted_stably_with_the_unbound_last(shop: Client, sort: str, order: str, expected: list[str]) -> None:
    given: dict[str, str | int] = {"sort": sort, "order": order, "at_most": 1000}
    assert names(shop, **given) == expected
    pages = [names(shop, **given, limit=1, offset=offset) for offset in range(4)]
    assert [name for page in pages for name in page] == expected


def test_csv_neutralises_texts_and_leaves_numbers(shop: Client) -> None:
    body = shop.get("/toys/all.csv").body
    assert body.count(b"\r\n") == 5  # one of them inside a cell
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8"), newline="")))
    assert [row["price"] for row in rows] == ["2.5", "-10", "2.5"]
    assert [row["name"] for row in rows] == ["Ball", "'=1+1", 'a "doll", <b>big</b>\r\nand 日本']
    assert rows[0]["colours"].split(" | ") == ["https://example.org/toy/red", "https://example.org/toy/blue"] or rows[0][
        "colours"
    ].split(" | ") == ["https://example.org/toy/blue", "https://example.org/toy/red"]
    assert rows[2]["is_new"] == ""


def test_the_page_has_the_form_the_rows_and_nothing_that_runs(shop: Client) -> None:
    reply = shop.get("/toys/all", "text/html,application/xhtml+xml,*/*;q=0.8", colour="toy:red", on="")
    page = reply.body.decode("utf-8")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "unsafe-inline" not in reply.headers["content-security-policy"]
    assert not re.search(r"<script(?! type=\"module\" src=\"/static/)|<style|\sstyle=|\son\w+=", page)
    assert "&lt;b&gt;big&lt;/b&gt;" in page and "<b>" not in page
    assert "<option selected>toy:red</option>" in page and "<option>toy:green</option>" in page
    assert 'type="date"' in page and "Complete: 3 rows." in page
    assert page.count('<th scope="col">') == 5 and "No row here has: " in page and "<caption>" in page
    assert re.search(r'<div class="scrolls wide" role="region" aria-label="[^"]+" tabindex="0">\n<table>', page)
    assert 'href="https://example.org/toy/ball"' in page
    assert 'href="/toys/slow.html"' in page
    for name in re.findall(r'<(?:input|select) id="(\w+)"', page):
        assert f'<label for="{name}">' in page and f'id="{name}-help"' in page


def test_the_front_page_lists_them_beside_the_files(shop: Client) -> None:
    page = shop.get("/").body.decode("utf-8")
    assert "toys.ttl" in page
    for name in ("/toys/all", "/toys/slow"):
        assert f'<a href="{name}.html' in page


def test_the_page_shows_what_is_wrong_beside_the_form(shop: Client) -> None:
    reply = shop.get("/toys/all.html", on="2001-02-29")
    page = reply.body.decode("utf-8")
    assert reply.status == 422
    assert 'role="alert"' in page and "a day, as YYYY-MM-DD" in page
    assert 'value="2001-02-29"' in page


def test_the_question_is_in_the_list_in_openapi_and_in_shacl(shop: Client) -> None:
    listed = shop.get("/queries").json()["questions"]
    assert [question["name"] for question in listed] == ["search", "suggest", "toys/all", "toys/slow"]  # type: ignore[attr-defined]
    assert b"/toys/all" in shop.get("/queries", "text/html").body
    document = shop.get("/openapi.json").json()
    given = {p["name"]: p for p in document["paths"]["/toys/all"]["get"]["parameters"]}  # type: ignore[index]
    assert given["colour"]["schema"]["enum"] == ["toy:blue", "toy:green", "toy:red"]
    assert given["during"]["examples"] == {text: {"value": text} for text in ("2001", "2001-05/2002", "2002/")}
    assert given["fresh"]["schema"] == {"type": "boolean"} and given["at_most"]["schema"]["default"] == "100.5"
    for path in ("/queries.ttl", "/queries/toys/all.ttl"):
        store = ox.Store()
        store.load(shop.get(path).body, format=ox.RdfFormat.TURTLE)
        found = store.query(
            f"SELECT ?text ?words WHERE {{ ?q a <{SH}SPARQLSelectExecutable>, <{SH}SPARQLExecutable> ; <{SH}select> ?text ;"
            " <http://www.w3.org/2000/01/rdf-schema#comment> 'Which toys are there?'@en ;"
            f" <https://schema.org/keywords> 'prices' ; <{SH}prefixes>/<{SH}declare>/<{SH}prefix> 'toy' ;"
            " <http://purl.org/dc/terms/relation> <https://w3id.org/suasion/query/toys/slow> }"
        )
        assert isinstance(found, ox.QuerySolutions)
        assert [row["text"].value for row in found] == [toys.QUESTION]
    assert shop.get("/queries/toys/all.rq").body == shop.get("/queries/toys/all").body == toys.QUESTION.encode()


def test_a_question_out_of_time_says_so_in_the_same_places(shop: Client) -> None:
    for path in ("/toys/slow", "/toys/slow.csv", "/toys/slow.ttl"):
        reply = shop.get(path)
        assert reply.status == 504
        assert reply.json()["completeness"] == reply.headers["suasion-completeness"] == "timed out"
    told = shop.get("/toys/slow", limit=7, offset=14).json()
    assert (told["question"], told["offset"], told["limit"], told["total"]) == ("toys/slow", 14, 7, None)
    page = shop.get("/toys/slow.html")
    assert (page.status, page.headers["suasion-completeness"]) == (504, "timed out")
    assert 'role="alert"' in page.body.decode() and "No answer within 0.5 s" in page.body.decode()


@pytest.mark.parametrize("extension", renderings.TYPES)
def test_every_format_has_the_same_headers_and_a_304(shop: Client, extension: str) -> None:
    path = f"/toys/all.{extension}?limit=1&offset=1"
    reply = shop.send("GET", path)
    assert reply.status == 200
    assert reply.headers["content-type"].partition(";")[0] == renderings.TYPES[extension]
    assert reply.headers["suasion-completeness"] == "truncated" and reply.headers["suasion-total"] == "3"
    assert shop.get(f"/receipts/{reply.headers['suasion-receipt']}").json()["verdict"] == "same"
    relations = dict(re.findall(r'<([^>]*)>; rel="(self|next|prev)"', reply.headers["link"]))
    for link, relation in relations.items():
        assert link.startswith(f"/toys/all.{extension}?"), relation
        assert shop.send("GET", link).status == 200
    assert sorted(relations.values()) == ["next", "prev", "self"]
    again = shop.send("GET", path, {"If-None-Match": reply.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    head = shop.send("HEAD", path)
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", reply.headers["etag"])
    assert shop.send("GET", path, {"Origin": "https://example.org"}).headers["access-control-allow-origin"] == "*"
    negotiated = shop.get("/toys/all", renderings.TYPES[extension], limit=1, offset=1)
    assert negotiated.headers["content-type"] == reply.headers["content-type"]


def test_files_have_no_source_to_cite_and_no_note_of_an_article(shop: Client) -> None:
    assert "Source:" not in str(shop.get("/toys/all").json()["citation"])
    assert (
        shop.get("/toys/all", at_most=-11).json()["note"]
        == "No row fits these filters. Leave one out, or look with /search?text=…"
    )
    assert len(json.loads(shop.get("/toys/all.csl.json").body)) == 1


# ── What keeps the service from starting ─────────────────────────────────────


def refusal(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Start a service that may not start; return its one line."""
    done = subprocess.run(
        [sys.executable, "-m", "suasion", "serve", "--port", "0", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "service"), **(environment or {})},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("toys/all.rq", "SELECT\n  ?toy\n", "SELECT\n", "SELECT has to project"),
        ("toys/all.rq", "  ?during_last\n  ?on", "  ?on", "SELECT has to project"),
        (
            "toys/all.rq",
            "SELECT DISTINCT ?value WHERE",
            "SELECT DISTINCT ?other WHERE",
            "values_from has to be a SELECT of ?value",
        ),
        ("toys/all.rq", "?toy toy:colour ?value }", "?toy toy:colour }", "values_from, line 1"),
        ("toys/all.rq", "GROUP BY ?toy", "GROUP ?toy", "all.rq, line"),
        ("toys/all.rq", '"toys/slow"', '"toys/fast"', "related names toys/fast, which is no question"),
        ("toys/all.rq", '"price", "is_new"]', '"prize"]', "sort names prize, which is no column"),
        ("toys/all.rq", 'claims = ["said"]', 'claims = ["sayings"]', "claims names sayings, which is no column"),
        ("toys/all.rq", 'type = "date" }', 'type = "day" }', "columns.made has the type 'day'; the types are iri, string,"),
        ("toys/all.rq", "[params.on]", "[params.limit]", "every question has a parameter limit"),
        ("toys/all.rq", "#+ keywords", "#+ colour", "colour is no key"),
        ("sparql.rq", "", "", "this path is taken"),
        ("mcp.rq", "", "", "this path is taken"),
        ("Toys.rq", "", "", "the name becomes a URL"),
        ("a{b}.rq", "", "", "the name becomes a URL"),
    ],
)
def test_a_question_that_breaks_a_rule_is_one_line(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    data, questions = toys.write(tmp_path)
    assert not old or toys.QUESTION.count(old) == 1
    (questions / name).write_text(toys.QUESTION.replace(old, new) if old else toys.QUESTION, encoding="utf-8")
    line = refusal(str(data), "--queries", str(questions))
    assert line.startswith("suasion: ") and said in line and str(questions) in line


def test_a_name_that_the_bundle_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claims.rq").write_text(toys.SLOW, encoding="utf-8")
    assert "is a question of this name" in refusal(environment={"SUASION_QUERIES": str(tmp_path)})


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "is no folder" in refusal("--queries", str(tmp_path / "none"))


def test_a_question_of_ones_own_stands_beside_those_of_the_article(tmp_path: Path) -> None:
    text = (ROOT / "queries" / "api" / "notes.rq").read_text(encoding="utf-8")
    (tmp_path / "my-notes.rq").write_text(text, encoding="utf-8")
    process, port = serve(environment={"SUASION_QUERIES": str(tmp_path)})
    try:
        client = Client(port)
        assert client.rows("/my-notes", marker=14) == client.rows("/notes", marker=14) != []
    finally:
        stop(process)
