"""The SPARQL editor: what it completes from and begins with, and the page in a real browser, with its keyboard."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import CHROMIUM, barriers, opened, wider_than_screen
from conftest import Client, serve, stop
from suasion import catalog, editor
from suasion.prefixes import Prefixes

PANE = Path(editor.__file__).parent / "static" / editor.PANE
MODALITIES = """\
PREFIX : <https://w3id.org/suasion/def#>
SELECT ?modality (COUNT(*) AS ?claims) WHERE { ?claim :modality ?modality } GROUP BY ?modality ORDER BY DESC(?claims)
"""
PRODUCT = "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
HOSTILE = [
    "<script>document.title = 'taken'</script>",
    '"><img src=x onerror="document.title=\'taken\'">',
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd",
    "W" * 3000,
    "${document.title = 'taken'}",
]

in_browser = pytest.mark.skipif(
    not (CHROMIUM and PANE.is_file()) and not os.environ.get("CI"), reason="needs Chromium and the code for browsers"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service over a file whose labels mean harm."""
    folder = tmp_path_factory.mktemp("hostile")
    lines = [
        f"<https://example.org/t{place}> <http://www.w3.org/2000/01/rdf-schema#label> {quoted(label)} .\n"
        f"<https://example.org/t{place}> <https://example.org/next> <javascript:alert({place})> .\n"
        f"<https://example.org/t{place}> <https://example.org/size> {place} ."
        for place, label in enumerate(HOSTILE)
    ]
    file = folder / "hostile.ttl"
    file.write_text("\n".join(lines), encoding="utf-8")
    process, port = serve(str(file))
    yield Client(port)
    stop(process)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def address(client: Client, query: str = "", **settings: str) -> str:
    """Return the URL of the editor, with a query in its fragment."""
    return f"http://127.0.0.1:{client.port}/editor" + (
        f"#{urlencode({'query': query, **settings}, quote_via=quote)}" if query else ""
    )


def ready(page: Page) -> None:
    page.wait_for_selector("#ask[data-ready]")


def run(page: Page) -> None:
    ready(page)
    page.get_by_role("button", name="Run", exact=True).click()


def status(page: Page) -> str:
    expect(page.locator("#status")).not_to_contain_text("Asking")
    return page.locator("#status").inner_text()


def written(page: Page) -> str:
    lines: list[str] = page.locator(".cm-line").all_inner_texts()
    return "\n".join(line.strip("\n") for line in lines)


# ── What it completes from, and begins with ──────────────────────────────────


def test_names_are_those_of_the_data_with_their_meaning_and_number(client: Client) -> None:
    reply = client.get("/editor/names")
    told = reply.json()
    assert told["completeness"] == "complete"
    prefixes, properties, graphs = told["prefixes"], told["properties"], told["graphs"]
    assert isinstance(prefixes, dict) and isinstance(properties, list) and isinstance(graphs, dict)
    assert prefixes["actor"] == "https://w3id.org/suasion/id/actor/"
    (modality,) = [one for one in properties if one[0] == ":modality"]
    claims = client.get("/claims", limit=1).json()["total"]
    assert "claim" in modality[1] and modality[2:] == [claims, claims]
    assert graphs["graph:ontology"] > 1000
    again = client.send("GET", "/editor/names", {"If-None-Match": reply.headers["etag"]})
    assert again.status == 304 and again.body == b""


def test_names_of_files_have_the_prefixes_that_anyone_uses(files: Client) -> None:
    told = files.get("/editor/names").json()
    prefixes, properties = told["prefixes"], told["properties"]
    assert isinstance(prefixes, dict) and isinstance(properties, list)
    assert "skos" in prefixes and "actor" not in prefixes
    assert {one[0] for one in properties} == {"rdfs:label", "https://example.org/next", "https://example.org/size"}


def test_the_menu_holds_the_tutorial_and_each_question_that_sparql_can_ask(client: Client, bundle: Path) -> None:
    page = client.get("/editor").body.decode()
    headings = [
        line for line in (bundle / "docs" / "sparql.md").read_text(encoding="utf-8").splitlines() if line.startswith("## ")
    ]
    tutorial = sum(line[3].isdigit() for line in headings)
    assert page.count('<option value="tutorial/') == tutorial == 10
    asked = [query.name for query in catalog.collect(bundle, None, files=False) if in_menu(query)]
    assert [name for name in asked if f'<option value="questions/{name}"' not in page] == []
    assert 'value="questions/search"' not in page


def in_menu(query: catalog.Query) -> bool:
    return not any(p.type == "search" or (p.required and p.type != "iri") for p in query.parameters)


def test_a_question_filled_with_its_examples_has_the_rows_of_its_endpoint(
    client: Client, bundle: Path, prefixes: Prefixes
) -> None:
    """Its required parameters are bound in the text, at the head of groups."""
    queries = catalog.collect(bundle, None, files=False)
    required = {query.name: query for query in queries if any(p.required for p in query.parameters) and in_menu(query)}
    assert {"claim", "comparison", "entity"} <= set(required)
    for query in required.values():
        text = client.get(f"/editor/examples/questions/{query.name}").body.decode()
        assert text == editor.filled(query, prefixes)
        given = {p.name: p.example for p in query.parameters if p.required}
        reply = client.send("POST", "/sparql", {"Content-Type": "application/sparql-query"}, text.encode())
        assert reply.status == 200, reply.body
        rows = json.loads(reply.body)["results"]["bindings"]
        assert rows and len(rows) == client.get(f"/{query.name}", limit=1, **given).json()["total"], query.name


def test_the_page_takes_a_query_or_an_example_by_its_url(client: Client) -> None:
    page = client.get("/editor", query='ASK { ?s ?p "</textarea><script>" }').body.decode()
    assert "ASK { ?s ?p &#34;&lt;/textarea&gt;&lt;script&gt;&#34; }</textarea>" in page
    page = client.get("/editor", example="tutorial/1-all-agreements").body.decode()
    assert "a :Agreement ;" in page and '<option value="tutorial/1-all-agreements" selected>' in page
    assert client.get("/editor", example="tutorial/none").status == 404
    assert client.get("/editor/examples/none").status == 404


def test_the_page_is_kept_by_who_has_it(client: Client) -> None:
    for path in ("/editor", "/static/editor/main.js", "/static/suasion.css"):
        tag = client.get(path).headers["etag"]
        assert client.send("GET", path, {"If-None-Match": tag}).status == 304


def test_the_code_of_others_is_small_and_comes_with_its_licences(client: Client) -> None:
    if not PANE.is_file() and not os.environ.get("CI"):
        pytest.skip("needs the code for browsers")
    code = client.send("GET", f"/static/{editor.PANE}", {"Accept-Encoding": "gzip"})
    assert code.headers["content-type"].startswith("text/javascript")
    assert 50_000 < len(code.body) < 200_000
    assert "MIT License" in client.get("/static/vendor/licences.txt").body.decode()


# ── In a browser ─────────────────────────────────────────────────────────────


@in_browser
def test_names_complete_as_they_are_typed_with_their_prefixes_and_the_query_runs(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, "SELECT ?claim ?modality WHERE {\n\n}\nORDER BY ?claim ?modality")) as seen:
        page = seen.page
        ready(page)
        page.locator(".cm-line").nth(1).click()
        page.keyboard.type("?claim :moda", delay=20)
        choice = page.get_by_role("option", name=":modality")
        expect(choice).to_have_attribute("aria-selected", "true")
        expect(page.locator(".cm-completionInfo")).to_contain_text("in all graphs")
        page.wait_for_timeout(100)  # a list that has only just come takes no Enter
        page.keyboard.press("Enter")
        page.keyboard.type(" ?modality ; :speaksOf actor:koiz", delay=20)
        expect(page.get_by_role("option", name="actor:koizumi-junichiro")).to_be_visible()
        page.wait_for_timeout(100)
        page.keyboard.press("Tab")
        text = written(page)
        assert text.startswith("PREFIX : <https://w3id.org/suasion/def#>\nPREFIX actor: <https://w3id.org/suasion/id/actor/>\n")
        assert "?claim :modality ?modality ; :speaksOf actor:koizumi-junichiro" in text
        page.keyboard.press("Control+Enter")
        expect(page.locator("#status")).to_contain_text("Complete.")
        expect(page.locator("table.rows")).to_be_visible()


@in_browser
def test_a_fault_is_shown_where_it_is(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, "SELECT * WHERE {\n  ?s ?p }} ?o\n}"), expected="400 (Bad Request)") as seen:
        run(seen.page)
        expect(seen.page.locator("#status.fault")).to_contain_text("line 2, column")
        mark = seen.page.locator(".cm-fault")
        expect(mark).to_be_visible()
        assert seen.page.locator(".cm-line", has=mark).inner_text().startswith("  ?s ?p")


@in_browser
def test_what_is_not_complete_is_told_with_what_to_do(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, f"{PRODUCT} ORDER BY ?c", timeout="1"), expected="504") as seen:
        page = seen.page
        run(page)
        expect(page.locator("#status.fault")).to_contain_text("504")
        assert "Tick “Some rows" in status(page)
        ready(page)
        page.evaluate("query => { location.hash = new URLSearchParams({ query, partial: 'true' }) }", PRODUCT)
        expect(page.locator("#partial")).to_be_checked()
        run(page)
        expect(page.locator("#status")).to_contain_text("Truncated: there are more rows")
        expect(page.get_by_text("Rows 1 to 500 of")).to_be_visible()
        page.get_by_role("button", name="Rows after").click()
        expect(page.get_by_text("Rows 501 to 1000 of")).to_be_visible()


@in_browser
def test_a_query_that_runs_is_stopped(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, f"{PRODUCT} ORDER BY ?c")) as seen:
        run(seen.page)
        seen.page.get_by_role("button", name="Stop").click()
        expect(seen.page.locator("#status")).to_contain_text("Stopped after")
        expect(seen.page.get_by_role("button", name="Stop")).to_be_hidden()


@in_browser
def test_a_link_opens_filled_in_and_runs_nothing_by_itself(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, MODALITIES), permissions=["clipboard-write", "clipboard-read"]) as seen:
        ready(seen.page)
        seen.page.get_by_label("All graphs as one").check()
        seen.page.get_by_role("button", name="Copy a link").click()
        expect(seen.page.locator("#status")).to_contain_text("The link is copied")
        link = seen.page.evaluate("navigator.clipboard.readText()")
    with opened(browser, link) as seen:
        asked: list[str] = []
        seen.page.on("request", lambda request: asked.append(request.url))
        ready(seen.page)
        assert written(seen.page).strip() == MODALITIES.strip()
        assert seen.page.get_by_label("All graphs as one").is_checked()
        assert [url for url in asked if "/sparql" in url] == []
        assert seen.page.locator("#result").is_hidden()


@in_browser
def test_examples_fill_in_and_run_and_rows_are_sorted(client: Client, browser: Browser) -> None:
    with opened(browser, address(client)) as seen:
        page = seen.page
        ready(page)
        for example, column in (
            ("1. All agreements", "?agreement"),
            ("3. Figures that are not exact", "?figure"),
            ("8. How surely the sections speak", "?section"),
        ):
            page.get_by_label("Begin with").select_option(example)
            page.get_by_role("button", name="Fill in").click()
            expect(page.locator("#status")).to_contain_text("filled in")
            run(page)
            expect(page.get_by_role("columnheader", name=column)).to_be_visible()
            assert "Complete." in status(page)
        by_number = page.get_by_role("button", name="?claims")
        by_number.click()
        numbers = [int(text.split()[0]) for text in page.locator("tbody td:nth-child(3)").all_inner_texts()]
        assert numbers == sorted(numbers) and len(set(numbers)) > 3
        page.keyboard.press("Enter")
        expect(page.locator("th[aria-sort=descending]")).to_contain_text("?claims")


@in_browser
def test_an_answer_is_drawn_and_links_to_pages_and_files(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, MODALITIES)) as seen:
        page = seen.page
        run(page)
        page.get_by_role("tab", name="Chart").click()
        expect(page.get_by_role("img", name="Bars: ?claims by ?modality")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download SVG").click()
        drawing = download.value.path().read_text(encoding="utf-8")
        assert drawing.startswith("<svg") and "var(--" not in drawing and ":Evaluated" in drawing
        href = page.get_by_role("link", name="CSV").get_attribute("href")
        assert href and client.get(href).body.startswith(b"modality,claims\r\n")
        page.evaluate(
            "query => { location.hash = new URLSearchParams({ query }) }",
            "PREFIX actor: <https://w3id.org/suasion/id/actor/>\nDESCRIBE actor:koizumi-junichiro",
        )
        expect(page.locator("#status")).to_contain_text("came with the link")
        run(page)
        expect(page.get_by_role("tabpanel").first).to_contain_text("foaf:Person")
        page.get_by_role("tab", name="Graph").click()
        expect(page.get_by_role("img", name="Graph of")).to_contain_text("actor:koizumi-junichiro")
        thing = page.locator("svg a", has_text="actor:koizumi-junichiro").get_attribute("href")
        assert thing and client.get(thing).status == 200


@in_browser
def test_days_are_drawn_in_time_and_points_on_a_map(client: Client, browser: Browser) -> None:
    query = """\
PREFIX geo: <http://www.opengis.net/ont/geosparql#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
SELECT ?name ?at ?day WHERE {
  VALUES (?name ?at ?day) {
    ("Phnom Penh" "POINT(104.9 11.6)"^^geo:wktLiteral "2008-03-01"^^xsd:date)
    ("Vientiane" "POINT(102.6 18)"^^geo:wktLiteral "1999"^^xsd:gYear)
    ("nowhere" UNDEF UNDEF)
  }
}
"""
    with opened(browser, address(client, query)) as seen:
        run(seen.page)
        seen.page.get_by_role("tab", name="Timeline").click()
        drawn = seen.page.get_by_role("img", name="Timeline: ?day of ?name")
        texts = drawn.locator("text").all_text_contents()
        assert texts.index("1999 Vientiane") < texts.index("2008-03-01 Phnom Penh")
        expect(seen.page.locator("#shown")).to_contain_text("1 row has no date in ?day: it is not drawn.")
        seen.page.get_by_role("tab", name="Map").click()
        points = seen.page.get_by_role("img", name="Map").locator("circle")
        places = [(float(str(p.get_attribute("cx"))), float(str(p.get_attribute("cy")))) for p in points.all()]
        assert len(places) == 2
        assert places[0][0] > places[1][0] and places[0][1] > places[1][1], "further east, and further south"


@in_browser
def test_the_code_beside_a_query_asks_it(client: Client, browser: Browser) -> None:
    code: dict[str, str] = {}
    with opened(browser, address(client, MODALITIES, partial="true")) as seen:
        ready(seen.page)
        for name in ("curl", "pandas"):
            seen.page.get_by_role("tab", name=name).click()
            code[name] = seen.page.locator("#snippet pre").inner_text()
    rows = client.get("/sparql", "text/csv", query=MODALITIES).body.decode()
    assert subprocess.run(["sh", "-c", code["curl"]], capture_output=True, check=True).stdout.decode() == rows
    shown = code["pandas"] + "\nprint(rows.to_csv(index=False))"
    run_alone = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert run_alone.stdout.split() == rows.split()


@in_browser
def test_the_keyboard_alone_is_enough(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, MODALITIES)) as seen:
        page = seen.page
        ready(page)
        page.locator(".cm-content").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "pane"
        page.keyboard.press("Control+z")
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "union"
        for _ in range(3):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#status")).to_contain_text("Complete.")
        page.get_by_role("tab", name="Table").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Chart")).to_be_focused()
        expect(page.get_by_role("img", name="Bars")).to_be_visible()


@in_browser
def test_labels_that_mean_harm_are_texts(files: Client, browser: Browser) -> None:
    query = "SELECT ?s ?p ?o ?o2 WHERE { ?s ?p ?o OPTIONAL { ?s <https://example.org/size> ?o2 } }"
    with opened(browser, address(files, query), width=360) as seen:
        page = seen.page
        run(page)
        body = page.locator("table.rows")
        for label in HOSTILE:
            expect(body.get_by_text(label, exact=True)).to_be_visible()
        assert page.locator("table.rows a[href^=javascript]").count() == 0
        expect(body.get_by_text("<javascript:alert(1)>")).to_be_visible()
        assert not wider_than_screen(page)
        for view in ("Chart", "Graph", "Raw"):
            page.get_by_role("tab", name=view).click()
        assert page.title() == "SPARQL editor – Suasion"
        assert page.locator("svg a[href^=javascript]").count() == 0


@in_browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_nobody_is_kept_out(client: Client, browser: Browser, width: int, scheme: str) -> None:
    with opened(browser, address(client, MODALITIES), width=width, color_scheme=scheme) as seen:
        run(seen.page)
        expect(seen.page.locator("table.rows")).to_be_visible()
        seen.page.get_by_role("tab", name="Chart").click()
        assert barriers(seen.page) == []
        seen.page.get_by_role("tab", name="Table").click()
        assert not wider_than_screen(seen.page)
        if scheme == "light":
            seen.page.emulate_media(media="print")
            assert seen.page.get_by_role("button", name="Run", exact=True).is_hidden()


@in_browser
def test_without_the_code_of_others_it_is_a_plain_field_that_says_so(client: Client, browser: Browser) -> None:
    missing = "**/static/vendor/**"
    with opened(browser, address(client, MODALITIES), missing=missing, expected="ERR_FAILED") as seen:
        ready(seen.page)
        expect(seen.page.get_by_label("Query", exact=True)).to_have_value(MODALITIES)
        seen.page.get_by_label("Query", exact=True).press("Control+Enter")
        expect(seen.page.locator("table.rows")).to_be_visible()


@in_browser
def test_without_scripts_it_is_a_form(client: Client, browser: Browser) -> None:
    # The answer is no page: the browser looks for its icon at the usual place, where there is none.
    with opened(browser, address(client), expected="404 (Not Found)", java_script_enabled=False) as seen:
        page = seen.page
        page.get_by_label("Begin with").select_option("2. Japan's aid, with amounts where there are any")
        page.get_by_role("button", name="Fill in").click()
        expect(page.get_by_label("Query", exact=True)).to_contain_text(":donor actor:japan")
        page.get_by_label("All graphs as one").check()
        with page.expect_response("**/sparql") as answer:
            page.get_by_role("button", name="Run", exact=True).click()
        assert answer.value.status == 200
        assert answer.value.headers["content-type"].startswith("application/sparql-results+json")
