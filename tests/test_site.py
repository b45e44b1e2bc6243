"""The site as its readers have it, in a real browser: every kind of page, by keyboard, on a phone, printed, without scripts."""

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urldefrag, urlsplit

import pyoxigraph as ox
import pytest
from playwright.sync_api import Browser, Page, expect

from browser import CHROMIUM, barriers, opened, wider_than_screen
from conftest import Client, serve, stop
from suasion import home
from suasion.loading import Dataset

pytestmark = pytest.mark.skipif(not CHROMIUM and not os.environ.get("CI"), reason="needs Chromium")

DEPTH = 3
ACCEPTED = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
KINDS = {
    r"/search\.html": "/search.html",
    r"/[\w/-]+\.html": "a question",
    r"/guide/[\w-]+": "a document",
    r"/queries/.+": "a query",
    r"/doc/(claim|actor|initiative|thing)/.+": r"a thing: \1",
    r"/doc/.+": "a thing",
    r"/.+\.(csv|ttl|json|jsonld|srj|rdf|nt|nq|trig|bib|ris|svg|gz|tsv)": r"a file: \1",
}
SCRIPT_BYTES = 300_000
READING_MILLISECONDS = 60_000
"""Swagger UI takes seconds to read the description, and many on a busy machine."""
MADE_BY_SCRIPTS = ("/docs", "/editor")
HELD_ELSEWHERE = ("/compare", "/article", "/pictures")
"""Large pages that axe reads in tests of their own (test_pictures); to read them twice takes a quarter of a minute."""
LINK = re.compile(r'<a\b[^>]*?\shref="([^"]+)"')
MAIN = re.compile(r"<main\b.*?</main>", re.DOTALL)
TAG = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL)
SUGGESTED = (
    ("jap", "Japan", "/doc/actor/japan"),
    ("JICA", "Japan International Cooperation Agency", "/doc/actor/jica"),
    ("日本", "Japan", "/doc/actor/japan"),
    ("asean", "ASEAN", "/doc/actor/asean"),
    ("中国", "China", "/doc/actor/china"),
    ("JPN", "Japan", "/doc/actor/japan"),
)
HOSTILE = (
    "<script>document.title = 'taken'</script>",
    '"><img src=x onerror="document.title=\'taken\'">',
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd script",
    "script " + "W" * 3000,
    "{{ 7 * 7 }} ${document.title = 'taken'} script",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service over a file whose names mean harm."""
    file = tmp_path_factory.mktemp("hostile") / "<b>hostile.ttl"
    lines = []
    for place, name in enumerate(HOSTILE):
        thing = f"<https://w3id.org/suasion/id/thing/t{place}>"
        told = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        lines += [
            f"{thing} a <https://example.org/Thing{place}> .",
            f"{thing} <http://www.w3.org/2000/01/rdf-schema#label> {told} .",
            f"{thing} <https://example.org/note> {told}^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#HTML> .",
            f"{thing} <https://example.org/next> <javascript:alert({place})> .",
        ]
    file.write_text("\n".join(lines), encoding="utf-8")
    process, port = serve(str(file))
    yield Client(port)
    stop(process)


def address(client: Client, path: str) -> str:
    return f"http://127.0.0.1:{client.port}{path}"


def kind(path: str) -> str:
    """Return what stands for all pages that one template makes: questions, documents of the guide, things by their theme."""
    name = urlsplit(path).path
    for form, shared in KINDS.items():
        if re.fullmatch(form, name):
            return re.fullmatch(form, name).expand(shared)  # type: ignore[union-attr]
    return name


def kinds(client: Client, depth: int = DEPTH) -> dict[str, str]:
    """Return the kinds of pages that are reached from the front page by so many clicks, each with the path of one."""
    found = {"/": "/"}
    seen, waiting = {"/"}, ["/"]
    for _ in range(depth):
        reached: dict[str, str] = {}
        for page in waiting:
            for link in LINK.findall(client.get(page, accept=ACCEPTED).body.decode("utf-8")):
                path = urldefrag(html.unescape(link)).url
                if path.startswith("/") and kind(path) not in seen:
                    seen.add(kind(path))
                    told = client.get(path, accept=ACCEPTED)
                    assert told.status in (200, 303), f"{page} links to {path}: {told.status}"
                    if told.status == 200 and told.headers["content-type"].startswith("text/html"):
                        reached[kind(path)] = path
        found |= reached
        waiting = list(reached.values())
    return found


def words(page: bytes) -> str:
    """Return the words of the main part of a page, as it is sent."""
    found = MAIN.search(page.decode("utf-8"))
    assert found
    return " ".join(html.unescape(TAG.sub(" ", found[0])).split())


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until what a selector names has the focus."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_every_kind_of_page_holds_what_all_have_to(client: Client, browser: Browser) -> None:
    found = kinds(client)
    assert {"/", "/search.html", "/queries", "/guide", "a document", "a question", "/compare", "/article", "a thing: claim"} <= {
        *found
    }
    faults: list[str] = []
    for path in found.values():
        reply = client.get(path, accept="text/html")
        policy = reply.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy, path
        if not path.startswith(MADE_BY_SCRIPTS):
            assert len(words(reply.body)) > 100, f"{path} says nothing without scripts"
        with opened(browser, address(client, path)) as seen:
            page = seen.page
            if path == "/docs":
                page.locator(".opblock-summary-control").first.dispatch_event("click", timeout=READING_MILLISECONDS)
                page.locator(".opblock-body .try-out__btn").wait_for(timeout=READING_MILLISECONDS)
            if not path.startswith(HELD_ELSEWHERE):
                faults += [f"{path}: {barrier}" for barrier in barriers(page)]
            scripts = "performance.getEntriesByType('resource').filter(one => one.initiatorType === 'script')"
            loaded = page.evaluate(f"{scripts}.reduce((sum, one) => sum + one.encodedBodySize, 0)")
            if loaded > SCRIPT_BYTES and not path.startswith(MADE_BY_SCRIPTS):
                faults.append(f"{path}: {loaded} bytes of scripts")
            page.set_viewport_size({"width": 360, "height": 800})
            if wider_than_screen(page):
                faults.append(f"{path}: has to be moved sideways on a phone")
    assert faults == []


def test_what_is_dark_is_as_easy_to_read(client: Client, browser: Browser) -> None:
    faults = []
    for path in ("/", "/search.html?text=mekong&limit=20", "/guide/model", "/docs"):
        with opened(browser, address(client, path), color_scheme="dark") as seen:
            if path == "/docs":
                seen.page.locator(".opblock").first.wait_for(timeout=READING_MILLISECONDS)
            faults += [f"{path}: {barrier}" for barrier in barriers(seen.page)]
    assert faults == []


def test_printed_pages_leave_out_what_is_for_the_screen(client: Client, browser: Browser) -> None:
    for path in ("/", "/guide/sparql"):
        with opened(browser, address(client, path)) as seen:
            seen.page.emulate_media(media="print")
            expect(seen.page.locator("header.site form")).to_be_hidden()
            expect(seen.page.locator("h1")).to_be_visible()
            assert len(seen.page.pdf()) > 20_000


def test_the_keyboard_alone_leads_from_the_front_page_to_the_words_of_a_claim(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, "/")) as seen:
        page = seen.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.reload()
        tab_to(page, "#site-search")
        page.keyboard.type("japan gave cambodia 1.39 billion yen")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?**")
        tab_to(page, ".hits a")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"japan-granted-cambodia-for-health-2008"))
        told = page.locator("main").inner_text()
        assert "1.39 billion yen" in told and "18504-18573" in told


def test_the_front_page_is_one_click_from_the_claim_that_japan_gave_cambodia_money(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, "/")) as seen:
        seen.page.get_by_role("link", name="Japan gave Cambodia 1.39 billion yen").first.click()
        expect(seen.page.locator("main")).to_contain_text("18504-18573")


def test_what_is_typed_suggests_things_that_enter_opens(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, "/guide")) as seen:
        page = seen.page
        for typed, name, path in SUGGESTED:
            field = page.get_by_role("combobox", name="Search")
            field.fill("")
            field.press_sequentially(typed)
            first = page.get_by_role("option").first
            expect(first).to_contain_text(name)
            expect(field).to_have_attribute("aria-expanded", "true")
            page.keyboard.press("ArrowDown")
            expect(first).to_have_attribute("aria-selected", "true")
            expect(field).to_have_attribute("aria-activedescendant", "suggestion-0")
            page.keyboard.press("Enter")
            page.wait_for_url(f"**{path}")


def test_suggestions_close_with_escape_and_turn_round_at_their_ends(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, "/guide")) as seen:
        page = seen.page
        field = page.get_by_role("combobox", name="Search")
        field.press_sequentially("fuk")
        expect(page.get_by_role("option").first).to_be_visible()
        assert barriers(page) == []
        page.keyboard.press("ArrowUp")
        expect(page.get_by_role("option").last).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowDown")
        assert field.get_attribute("aria-activedescendant") is None
        page.keyboard.press("Escape")
        expect(page.get_by_role("listbox")).to_be_hidden()
        assert field.input_value() == "fuk"
        field.press_sequentially("zzzq")
        expect(page.get_by_role("status").filter(has_text="No suggestions")).to_be_attached()


def test_search_works_without_scripts_and_tells_why_a_thing_was_found(client: Client, browser: Browser) -> None:
    with opened(browser, address(client, "/"), java_script_enabled=False) as seen:
        page = seen.page
        page.get_by_label("Search", exact=True).fill("JPN")
        page.get_by_role("button", name="Search").click()
        first = page.locator(".hits li").first
        expect(first).to_contain_text("Japan")
        expect(first).to_contain_text("found as “JPN”")
        assert client.get("/search.html", text="yen in grant aid").body.decode("utf-8").count("reported from a source") >= 2


def test_code_of_the_guide_is_copied_by_a_button(client: Client, browser: Browser) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    with opened(browser, address(client, "/guide/start"), permissions=permissions) as seen:
        page = seen.page
        block = page.locator(".code").first
        block.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_attached()
        assert page.evaluate("navigator.clipboard.readText()") == block.locator("code").text_content()


def test_hostile_names_are_text_on_every_kind_of_page(hostile: Client, browser: Browser) -> None:
    found = kinds(hostile)
    things = [f"/doc/thing/t{place}" for place in (0, 2, 3)]
    searched = f"/search.html?text={quote('script')}"
    assert {"/", "/dataset", "/queries"} <= {*found}
    shown = 0
    for path in dict.fromkeys([*found.values(), searched, *things]):
        with opened(browser, address(hostile, path)) as seen:
            page = seen.page
            page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
            assert page.title() != "taken", path
            assert page.locator("main img, main script:not([src]):not([type]), main a[href^='javascript']").count() == 0, path
            shown += "<script>document.title" in page.locator("main").inner_text()
            page.set_viewport_size({"width": 360, "height": 800})
            assert not wider_than_screen(page), path
    assert shown >= 2
    with opened(browser, address(hostile, "/")) as seen:
        seen.page.get_by_role("combobox", name="Search").press_sequentially("script")
        expect(seen.page.get_by_role("option").filter(has_text="<script>")).to_be_visible()
        assert seen.page.title() != "taken"


def test_the_front_page_counts_what_the_lists_hold(client: Client) -> None:
    page = client.get("/", accept="text/html").body.decode("utf-8")
    for name in home.LISTS:
        assert f'<a href="/{name}.html">{client.get(f"/{name}.json", limit=1).headers["suasion-total"]}</a>' in page, name
    total = client.get("/claims.json", limit=1).headers["suasion-total"]
    assert f'<a href="/claims.html">{total}</a>' in page
    counts = [int(count) for count in re.findall(r'modality=\w+">(\d+)</a>', page)]
    assert len(counts) == 6 and sum(counts) == int(total)
    sections = client.rows("/coverage")
    sentences, accounted = (sum(int(str(row[name])) for row in sections) for name in ("sentences", "accounted"))
    assert f"of {sentences} sentences accounted for" in page
    assert f'<a href="/article">{accounted}</a>' in page


def test_the_front_page_tells_every_claim_that_its_answers_rest_on(client: Client, dataset: Dataset, bundle: Path) -> None:
    found = dataset.facts.query((bundle / "queries" / "pages" / "told.rq").read_text(encoding="utf-8"))
    assert isinstance(found, ox.QuerySolutions)
    told = {solution["claim"].value.rpartition("/")[2]: solution for solution in found}
    flows = client.rows("/flows", donor="actor:japan", recipient="actor:cambodia")
    wanted = {str(name) for row in flows for name in row["claims"]}  # type: ignore[attr-defined]
    wanted |= {str(row["claim"]) for row in client.rows("/milestones") if str(row["thing"]).startswith("agreement:")}
    wanted |= {str(row["claim"]) for row in client.rows("/surveys")}
    assert len(wanted) > 15
    known = {str(row["claim"]): row for row in client.rows("/claims", limit=1000)}
    for name in wanted:
        row, solution = known[name], told[name.partition(":")[2]]
        assert solution["summary"].value == row["summary"], name
        assert sorted(int(marker) for marker in (solution["markers"] or ox.Literal("")).value.split()) == row["markers"], name


def test_the_front_page_of_files_tells_their_names_classes_and_questions(hostile: Client) -> None:
    page = html.unescape(hostile.get("/", accept="text/html").body.decode("utf-8"))
    for told in ("<b>hostile.ttl", "20 quads", "https://example.org/Thing0", "/search.html", "/mcp", "/dataset"):
        assert told in page, told
    assert "&lt;b&gt;hostile.ttl" in hostile.get("/", accept="text/html").body.decode("utf-8")


def test_each_count_of_the_comparison_at_a_glance_leads_to_its_claims(client: Client) -> None:
    glance = client.get("/").body.decode().partition('<table class="glance">')[2].partition("</table>")[0]
    compared = client.get("/compare").body.decode()
    rows = {str(row["instrument"]).replace(":", "-"): row for row in client.rows("/comparison", a="actor:china", b="actor:japan")}
    shown = [
        (fragment, int(count))
        for fragment, count in re.findall(r'<a href="/compare#([\w-]+)">(\d+)<span class="unseen">', glance)
    ]
    assert len(shown) > 10
    for fragment, count in shown:
        assert count in (rows[fragment]["count_a"], rows[fragment]["count_b"])
        line = compared.partition(f'id="{fragment}"')[2].partition("</tr>")[0]
        claims = {*rows[fragment]["claims_a"], *rows[fragment]["claims_b"]}  # type: ignore[misc]
        assert all(f'/doc/{claim.replace(":", "/")}"' in line for claim in claims)
    sums = [sum(count for other, count in shown if other == fragment) for fragment in dict.fromkeys(name for name, _ in shown)]
    assert sums == sorted(sums, reverse=True)
