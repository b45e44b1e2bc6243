"""The guide: every document a page, whose links lead somewhere, and whose examples answer."""

import html
import re
from urllib.parse import urldefrag

import pytest

import suasion
import tables
from conftest import ROOT, Client
from suasion.documents import Surroundings, rendered

PAGES = re.compile(r'href="(/guide/[^"]+)"')
LINKS = re.compile(r'<a href="([^"]+)"')
CALL = re.compile(r"curl 'http://127\.0\.0\.1:8000(/[^']+)'")
DOCUMENTS = ("start", "provenance")


def get(client: Client, path: str) -> str:
    reply = client.get(path, accept="text/html")
    assert reply.status == 200, path
    return reply.body.decode("utf-8")


def shown(text: str) -> str:
    return str(
        rendered(
            text, Surroundings(lambda target: target if target.startswith("/") else "", lambda _: "<svg/>", "/editor#query=")
        ).body
    )


def test_each_document_of_the_repository_is_a_page_of_the_guide_once(client: Client) -> None:
    listed = PAGES.findall(get(client, "/guide").partition("<main")[2])
    assert len(listed) == len(set(listed)) == len(tables.documents(ROOT))
    for path in listed:
        page = get(client, path)
        assert "<h1>" in page and "language-mermaid" not in page
    for path in ("/guide/model", "/guide/ontology"):
        assert '<svg xmlns="http://www.w3.org/2000/svg"' in get(client, path)


def test_links_between_documents_lead_to_pages_and_to_anchors_that_exist(client: Client) -> None:
    pages = {path: get(client, path) for path in PAGES.findall(get(client, "/guide"))}
    followed = set()
    for path, page in pages.items():
        for link in LINKS.findall(page.partition("<article>")[2]):
            target, anchor = urldefrag(html.unescape(link))
            if target.startswith("/guide/") or not target:
                assert f'id="{anchor}"' in pages[target or path] or not anchor, f"{path} leads to {link}"
            elif target.startswith("/") and target not in followed:
                followed.add(target)
                assert client.get(target).status in (200, 303), f"{path} leads to {link}"
    assert len(followed) > 30


def test_a_document_that_is_none_is_told_with_the_list(client: Client) -> None:
    reply = client.get("/guide/nothing")
    assert reply.status == 404 and "/guide lists them" in str(reply.json()["detail"])


def test_a_page_of_the_guide_that_is_known_is_not_sent_again(client: Client) -> None:
    tag = client.get("/guide/sparql").headers["etag"]
    assert client.send("GET", "/guide/sparql", {"If-None-Match": tag}).status == 304


def test_raw_html_is_text_and_comments_are_left_out() -> None:
    page = shown("# T\n\n<!-- generated: x -->\n\n<script>alert(1)</script>\n\na <b onclick='x()'>b</b>\n")
    assert "generated" not in page and "<script" not in page and "<b" not in page
    assert "&lt;script&gt;" in page


def test_links_that_lead_nowhere_leave_their_words() -> None:
    assert shown("[here](there.zip) and [home](/)") == '<p>here and <a href="/">home</a></p>\n'


def test_tables_scroll_by_themselves_and_queries_can_be_tried() -> None:
    page = shown("## Ten\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n\n```sparql\nASK { ?s ?p 1 }\n```\n")
    assert 'aria-label="Table: Ten"' in page and "style=" not in page
    assert 'href="/editor#query=ASK%20%7B%20%3Fs%20%3Fp%201%20%7D%0A"' in page


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_calls_of_a_document_answer(client: Client, name: str) -> None:
    calls = CALL.findall((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"))
    assert len(calls) >= 3
    for path in calls:
        reply = client.send("GET", path)
        assert reply.status == 200 and reply.body, path


def test_the_program_of_getting_started_tells_the_claims(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "start.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(program.replace("suasion.open()", f"suasion.open('http://127.0.0.1:{client.port}')"), {"suasion": suasion})  # noqa: S102
    assert "claim:japan-granted-cambodia-for-health-2008" in capsys.readouterr().out


def test_examples_name_the_address_of_this_service(client: Client) -> None:
    page = client.get("/guide/start").body.decode()
    assert f"http://127.0.0.1:{client.port}/flows.csv" in page
    assert "127.0.0.1:8000" not in page
