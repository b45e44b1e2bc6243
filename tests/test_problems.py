"""Errors as their clients like them: problem documents for programs, pages in the frame of the site for people."""

import html
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from browser import barriers, opened, wider_than_screen
from conftest import Client, Reply, serve, stop
from suasion import problems
from suasion.errors import BadParameter, Gone, NotFound

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
PROGRAMS = (
    "",
    "*/*",
    "application/json",
    "application/problem+json, text/html;q=0.5",
    "text/turtle",
    "text/html, application/json",
)
REFUSED = (
    ("GET", "/nothing/here", 404),
    ("GET", "/doc/nothing", 404),
    ("GET", "/id/actor/nobody", 404),
    ("GET", "/queries/nothing", 404),
    ("GET", "/guide/nothing", 404),
    ("GET", "/static/nothing.css", 404),
    ("GET", "/claims.exe", 404),
    ("GET", "/receipts/e30", 422),
    ("GET", "/doc/actor/japan?colour=red", 400),
    ("GET", "/doc/actor/japan?page=0", 422),
    ("GET", "/compare?split=colour", 422),
    ("GET", "/sparql?query=SELEC", 400),
    ("GET", "/sparql?query=ASK{}&query=ASK{}", 400),
    ("GET", "/graph-store?graph=nothing", 400),
    ("DELETE", "/", 405),
    ("GET", "/mcp", 405),
    ("GET", "//evil.example/", 404),
    ("GET", "/" + "x" * 70_000, 414),
)
HOSTILE = (
    "/<script>alert(1)</script>",
    "/%3Cscript%3Ealert(1)%3C/script%3E",
    "/doc/%3Cimg%20src=x%20onerror=alert(1)%3E",
    "/doc/actor/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "/queries/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "/guide/%22onmouseover=%22alert(1)",
    "/%E2%80%AEright-to-left",
    "/javascript:alert(1)",
    "/%7B%7B7*7%7D%7D",
    "/doc/actor/japan?%3Cscript%3E=1",
    "/compare?actor=%3Cscript%3Ealert(1)%3C/script%3E",
    "/claims.%3Cscript%3E",
    "/%00%01",
    "/%ff%fe",
)


def refused(client: Client, path: str, accept: str, method: str = "GET") -> Reply:
    return client.send(method, path, {"Accept": accept} if accept else None)


def shown(reply: Reply) -> str:
    """Return what the main part of a page tells, without its marks."""
    main = re.search(r"<main\b.*</footer>", reply.body.decode("utf-8"), re.DOTALL)
    assert main
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main[0])).split())


@pytest.fixture(scope="module")
def of_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service over a file, without a bundle."""
    file = tmp_path_factory.mktemp("files") / "some.ttl"
    file.write_text("<https://example.org/a> <https://example.org/b> 1 .", encoding="utf-8")
    process, port = serve(str(file))
    yield Client(port)
    stop(process)


@pytest.mark.parametrize(("method", "path", "status"), REFUSED)
def test_people_get_a_page_with_the_words_of_the_problem_and_programs_the_problem(
    client: Client, method: str, path: str, status: int
) -> None:
    document = refused(client, path, "", method)
    problem = document.json()
    assert (document.status, document.headers["content-type"]) == (status, "application/problem+json")
    page = refused(client, path, BROWSER, method)
    assert (page.status, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    told = shown(page)
    assert str(problem["title"]) in told and " ".join(str(problem["detail"]).split()) in told
    assert f"HTTP {status}" in told and "/search.html" in page.body.decode()
    if example := problem.get("example"):
        assert f'href="{html.escape(str(example))}"' in page.body.decode()
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for reply in (document, page):
        assert "Accept" in reply.headers["vary"]
        assert reply.headers.get("allow") == document.headers.get("allow")
        assert ("allow" in reply.headers) == (status == 405)


@pytest.mark.parametrize("accept", PROGRAMS)
def test_who_does_not_like_pages_best_gets_the_problem_document(client: Client, accept: str) -> None:
    reply = refused(client, "/doc/nothing", accept)
    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")
    assert "Accept" in reply.headers["vary"]


def test_an_accept_header_that_cannot_be_read_gets_the_problem_document(client: Client) -> None:
    reply = refused(client, "/nothing", "text/html;;;q=b, <>")
    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")


def test_files_have_the_same_pages(of_files: Client) -> None:
    page = refused(of_files, "/doc/nothing", BROWSER)
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Search for “nothing”" in shown(page) and "/compare" not in page.body.decode()


@pytest.mark.parametrize("path", HOSTILE)
def test_nothing_of_a_hostile_path_becomes_markup(client: Client, path: str) -> None:
    reply = refused(client, path, BROWSER)
    page = reply.body.decode("utf-8")
    assert reply.status in (400, 404, 422) and reply.headers["content-type"] == "text/html; charset=utf-8"
    assert re.findall(r"<script[^>]*>", page) == ['<script type="module" src="/static/suggest.js">']
    assert not re.search(r"<img|<[^>]+\son\w+=|href=\"(?!/|#)", page.replace("&#34;", ""))
    assert "49" not in shown(reply)


def test_a_page_leads_nowhere_but_to_this_service() -> None:
    for example in ("//evil.example", "https://evil.example", "javascript:alert(1)", 7):
        assert problems.page(BadParameter("", {"example": example}), "/x")["example"] == ""
    assert problems.page(BadParameter("", {"example": "/claims"}), "/x")["example"] == "/claims"
    replaced = ["https://w3id.org/suasion/id/actor/japan", "https://evil.example/"]
    told = problems.page(Gone("", {"replaced_by": replaced}), "/doc/actor/nippon")
    assert told["instead"] == [(replaced[0], "/doc/actor/japan"), (replaced[1], "")]
    assert told["words"] == "nippon"
    assert problems.page(NotFound(""), "/doc/a&b")["search"] == "/search.html?text=a%26b&limit=20"


def test_the_page_of_an_error_is_as_easy_to_read_as_others(client: Client, browser: Browser) -> None:
    for options in ({}, {"color_scheme": "dark"}, {"width": 360}):
        missing = f"http://127.0.0.1:{client.port}/doc/actor/" + "no-such-actor" * 12
        with opened(browser, missing, expected="404", **options) as seen:
            expect(seen.page.get_by_role("alert")).to_contain_text("says nothing of")
            assert barriers(seen.page) == []
            assert not wider_than_screen(seen.page)


def test_search_is_one_click_from_what_is_not_there(client: Client, browser: Browser) -> None:
    with opened(browser, f"http://127.0.0.1:{client.port}/confucius-institutes", expected="404") as seen:
        seen.page.get_by_role("link", name="Search for").click()
        expect(seen.page.locator("main")).to_contain_text("Confucius Institutes")
