"""Search and suggestions over HTTP: what the data lead one to expect, in the real service."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from urllib.parse import quote, urlencode

import pytest

from conftest import Client, serve, stop
from suasion import __main__ as command_line
from suasion import renderings


@pytest.mark.parametrize(
    ("text", "first", "match"),
    [
        ("burma", "actor:myanmar", "Burma"),
        ("Myanmar", "actor:myanmar", "Myanmar"),
        ("AJCEP", "agreement:ajcep", "AJCEP"),
        ("cafta", "agreement:china-asean-fta", "CAFTA"),
        ("apt", "actor:asean-plus-three", "APT"),
        ("asean+3", "actor:asean-plus-three", "ASEAN + 3"),
        ("alliance francaise", "actor:alliance-francaise", "Alliance Française"),
        ("WEIXIAO WAIJIAO", "policy:smile-diplomacy", "weixiao waijiao"),
        ("Toyko", "actor:japan", "Toyko"),
        ("us", "actor:united-states", "U.S."),
        ("chn", "actor:china", "CHN"),
        ("JPN-2006", "actor:abe-shinzo", "JPN-2006"),
        ("Q7768", "actor:asean", "Q7768"),
        ("0000 0004 0644 4753", "actor:asean", "0000 0004 0644 4753"),
        ("Ｊａｐａｎ", "actor:japan", "Japan"),
        ("mekong basin", "place:mekong-basin", "Mekong Basin"),
        ("Mawlamyine", "place:maulamyaing", "Mawlamyine"),
        ("moulmein", "place:maulamyaing", "Moulmein"),
        ("heart to heart", "policy:heart-to-heart-diplomacy", "heart-to-heart diplomacy"),
        ("junichiro koizumi", "actor:koizumi-junichiro", "Koizumi Junichiro"),
    ],
)
def test_a_name_in_any_spelling_or_a_code_finds_its_thing_first(client: Client, text: str, first: str, match: str) -> None:
    row = client.rows("/search", text=text)[0]
    assert (row["thing"], row["match"], row["matched"]) == (first, match, "all")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Koizmi", "actor:koizumi-junichiro"),
        ("philippinse", "actor:philippines"),
        ("confucious institute", "initiative:confucius-institutes"),
    ],
)
def test_a_slip_finds_what_is_meant_and_the_answer_says_so(client: Client, text: str, first: str) -> None:
    row = client.rows("/search", text=text)[0]
    assert (row["thing"], row["matched"]) == (first, "similar")


def test_some_of_the_words_are_better_than_nothing_and_the_answer_says_so(client: Client) -> None:
    document = client.get("/search", text="volunteers on Mars").json()
    rows: list[dict[str, object]] = document["rows"]  # type: ignore[assignment]
    assert {row["matched"] for row in rows} == {"some"}
    assert str(document["note"]).startswith("Nothing has all the words")
    assert str(client.get("/search", text="Koizmi").json()["note"]).startswith("Nothing has all the words as they are spelled")
    assert "instrument:volunteers-and-teachers" in {row["thing"] for row in rows}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("called on China to invest more", "claim:asean-leaders-called-on-china-to-invest-more"),
        ("third largest trade partner", "claim:asean-third-largest-trade-partner-of-japan-2007"),
    ],
)
def test_what_has_most_of_the_words_and_the_rarest_comes_first(client: Client, text: str, first: str) -> None:
    assert client.rows("/search", text=text)[0]["thing"] == first


def test_a_short_word_that_occurs_nowhere_is_not_read_as_one_of_another_beginning(client: Client) -> None:
    """Wave is one letter from have, and means nothing like it."""
    assert {row["matched"] for row in client.rows("/search", text="Korean Wave")} == {"some"}


def test_the_answer_says_what_the_article_names(client: Client) -> None:
    told = {
        str(row["thing"]): row["in_text"]
        for text in ("australia", "brunei", "vietnam")
        for row in client.rows("/search", text=text)
    }
    assert (told["actor:australia"], told["actor:brunei"], told["actor:vietnam"]) == (False, False, True)
    assert {told[thing] for thing in told if thing.startswith("claim:")} == {None}


def test_names_come_before_claims_and_the_better_before_the_worse(client: Client) -> None:
    for text in ("japan", "asean", "tourists"):
        rows = client.rows("/search", text=text)
        ranks = [int(str(row["rank"])) for row in rows]
        scores = [float(str(row["score"])) for row in rows]
        assert ranks == sorted(ranks)
        assert scores == sorted(scores, reverse=True)
        assert {row["kind"] for row in rows if row["rank"] == 3} == {"claim"}


def test_words_inside_a_summary_find_the_claim(client: Client) -> None:
    rows = client.rows("/search", text="in force late 2008")
    assert rows[0]["thing"] == "claim:ajcep-in-force-late-2008"


def test_the_answer_is_the_same_each_time(client: Client) -> None:
    first = client.get("/search", text="china", limit=500).json()["rows"]
    again = client.get("/search", text="CHINA", limit=500).json()["rows"]
    assert first == again
    assert client.get("/search", text="japan").json()["rows"] != first


def test_a_kind_is_a_filter_and_not_a_part_of_the_best(client: Client) -> None:
    for path in ("/search", "/suggest"):
        rows = client.rows(path, text="a", kind="agreement")
        assert len(rows) >= 5
        assert {row["kind"] for row in rows} == {"agreement"}


def test_suggestions_are_at_most_ten_names_and_say_when_there_are_more(client: Client) -> None:
    for typed in ("c", "ch", "chi", "chin", "china"):
        document = client.get("/suggest", text=typed).json()
        assert document["total"] == 10
        assert document["completeness"] == "truncated"
        assert "best first" in str(document["note"])
        assert "claim" not in {row["kind"] for row in document["rows"]}  # type: ignore[attr-defined]
    assert client.rows("/suggest", text="china")[0]["thing"] == "actor:china"
    document = client.get("/suggest", text="koiz").json()
    assert (document["completeness"], document["note"]) == ("complete", None)


def test_each_format_says_that_a_search_is_cut(client: Client) -> None:
    for ending in renderings.TYPES:
        reply = client.get(f"/suggest.{ending}", text="china")
        assert reply.headers["suasion-completeness"] == "truncated", ending
    page = client.get("/suggest.html", text="china").body.decode()
    assert "Truncated: rows 1 to 10 of 10." in page and "best first" in page


def test_what_was_found_can_be_asked_again_by_its_receipt(client: Client) -> None:
    receipt = client.get("/search", text="mekong", kind="place").headers["suasion-receipt"]
    assert client.get(f"/receipts/{receipt}").json()["verdict"] == "same"


def test_a_text_too_long_for_headers_is_repeated_in_the_document_only(client: Client) -> None:
    long, short = (client.get("/search", text="a" * length) for length in (30_000, 300))
    assert {"link", "suasion-receipt"} <= short.headers.keys()
    assert {"link", "suasion-receipt"} & long.headers.keys() == set()
    assert long.headers["suasion-total"] == "0"
    document = long.json()
    assert document["links"]["self"] and document["receipt"]["id"]  # type: ignore[index]


def test_a_thing_is_suggested_by_each_beginning_of_its_name_soon(client: Client) -> None:
    for name, thing, letters in (
        ("Confucius Institutes", "initiative:confucius-institutes", 4),
        ("Fukuda Doctrine", "policy:fukuda-doctrine", 3),
    ):
        for end in range(letters, len(name) + 1):
            assert thing in [row["thing"] for row in client.rows("/suggest", text=name[:end])], name[:end]


@pytest.mark.parametrize("text", ['"', "''", "!!!", "(((", "\u3000", "*", "\x00", "。"])
def test_a_text_without_words_finds_nothing(client: Client, text: str) -> None:
    reply = client.get("/search", text=text)
    assert reply.status == (422 if not text.strip() else 200)
    assert reply.status == 422 or reply.json()["total"] == 0


@pytest.mark.parametrize(
    "text",
    [
        '" OR names:*',
        "NEAR(a b)",
        "{names}: japan",
        "^japan -china",
        "x\x00y",
        "'; DROP TABLE form; --",
        "日本" * 50,
        "a" * 60_000,
        "?s ?p ?o } # <>",
        "🇯🇵 \u202e \ufffd",
    ],
)
def test_no_text_is_an_error(client: Client, text: str) -> None:
    for path in ("/search", "/suggest"):
        for kind in ({}, {"kind": "actor"}):
            reply = client.send("GET", f"{path}?{urlencode({'text': text, **kind})}")
            assert reply.status in (200, 414, 431), (reply.status, reply.body[:200])


def test_more_words_than_anyone_types_are_refused(client: Client) -> None:
    for text in ("japan " * 51, "日" * 201):
        reply = client.get("/search", text=text)
        assert reply.status == 422
        assert "at most 50 words" in str(reply.json()["detail"])
    assert client.get("/search", text="japan " * 50).status == 200


def test_bytes_that_are_no_utf_8_are_refused(client: Client) -> None:
    for raw in ("%ed%a0%80", "%ff", "%c0%af"):
        assert client.send("GET", f"/search?text={raw}").status == 422


def test_the_public_never_sees_the_hits(client: Client) -> None:
    client.rows("/search", text="japan")
    for query in (
        "ASK { GRAPH <https://w3id.org/suasion/graph/hits> { ?s ?p ?o } }",
        "ASK { GRAPH ?g { ?s <https://w3id.org/suasion/search#position> ?o } }",
    ):
        reply = client.send("GET", f"/sparql?query={quote(query)}")
        assert json.loads(reply.body)["boolean"] is False


@pytest.mark.alone
def test_suggestions_are_quick(client: Client) -> None:
    """A loose bound for a busy machine; the figures measured stand in docs/http.md."""
    taken = []
    for typed in ("ca", "vi", "tra", "pol", "ja", "kor", "cul", "inst", "mil", "eco", "fo", "ag"):
        started = time.monotonic()
        assert client.rows("/suggest", text=typed)
        taken.append(time.monotonic() - started)
    assert median(taken) < 0.25


LABELS = """
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
<https://example.org/tokyo> skos:prefLabel "Tokyo"@en, "東京"@ja, "โตเกียว"@th ; skos:altLabel "Edo"@en ; skos:notation "JP-13" .
<https://example.org/kyoto> skos:prefLabel "Kyoto"@en, "京都"@ja .
<https://example.org/soft-power> rdfs:label "软实力"@zh, "소프트 파워"@ko .
[] rdfs:label "Sao Paulo" .
"""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path = tmp_path_factory.mktemp("files") / "labels.ttl"
    path.write_text(LABELS, encoding="utf-8")
    process, port = serve(str(path))
    yield Client(port)
    stop(process)


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("東京", "tokyo"),
        ("東", "tokyo"),
        ("京都", "kyoto"),
        ("เกียว", "tokyo"),
        ("实力", "soft-power"),
        ("파워", "soft-power"),
        ("jp-13", "tokyo"),
        ("edo", "tokyo"),
        ("Tokio", "tokyo"),
    ],
)
def test_files_of_anyone_are_searched_in_any_script(foreign: Client, text: str, thing: str) -> None:
    rows = foreign.rows("/search", text=text)
    assert [row["thing"] for row in rows][:1] == [f"https://example.org/{thing}"]
    assert foreign.rows("/suggest", text=text)[0]["thing"] == rows[0]["thing"]


def test_files_of_anyone_may_have_things_without_an_iri(foreign: Client) -> None:
    (row,) = foreign.rows("/search", text="são paulo")
    assert row["label"] == "Sao Paulo"


def test_the_search_of_files_is_described_like_any_question(foreign: Client) -> None:
    assert "GRAPH graph:hits" in foreign.get("/queries/search").body.decode()
    paths = foreign.get("/openapi.json").json()["paths"]
    assert {"/search", "/suggest"} <= set(paths)  # type: ignore[call-overload]
    assert b"/search.html?text=" in foreign.get("/").body


def test_many_texts_are_indexed_while_all_else_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "many.nt"
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    path.write_text("".join(f'<https://example.org/{n}> {label} "Thing {n:x} of many" .\n' for n in range(60_000)))
    process, port = serve(str(path))
    many = Client(port)
    try:
        early = many.get("/search", text="thing ea5f")
        assert (early.status, early.json()["type"]) == (503, "https://w3id.org/suasion/problem/NotIndexed")
        assert early.headers["retry-after"]
        assert "search again in some seconds" in str(early.json()["detail"])
        assert many.get("/readyz").status == 200
        assert b"59999" in many.get("/sparql", query=f"SELECT ?s {{ ?s {label} 'Thing ea5f of many' }}").body
        until = time.monotonic() + 60
        while many.get("/search", text="thing ea5f").status != 200:
            assert time.monotonic() < until
            time.sleep(0.5)
        assert many.rows("/search", text="thing ea5f")[0]["thing"] == "https://example.org/59999"
        assert {many.get("/suggest", text=f"thing {n:x}").status for n in range(20)} == {200}  # by each worker
    finally:
        stop(process)


def test_the_index_query_of_a_bundle_is_checked(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("ontology", "graph_data", "queries"):
        shutil.copytree(bundle / folder, tmp_path / folder)
    path = tmp_path / "queries" / "index" / "article.rq"
    path.write_text(path.read_text(encoding="utf-8").replace('"label"', '"title"'), encoding="utf-8")
    assert command_line.main(["check", str(tmp_path)]) == 2
    assert '"title" is no ?role' in capsys.readouterr().err
