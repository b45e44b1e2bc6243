"""Pages of things and claims: a reader finds who says what, how surely and where, nothing is cut silently; nanopublications."""

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import rdflib
from playwright.sync_api import Browser, Page
from rdflib.namespace import DCTERMS, PROV, RDF

import browser as browsers
from conftest import Client, serve, stop
from suasion import evidence, home, neighbourhoods, portraits, statements, timelines
from suasion.catalog import Query
from suasion.checking import check
from suasion.connections import Link, Relation
from suasion.depictions import Depictions
from suasion.places import Places
from suasion.portraits import SHOWN
from suasion.prefixes import BASE, ID, Prefixes
from suasion.sights import Sights
from suasion.statements import Claim, modality, thing_link

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")

HEALTH = "/doc/claim/japan-granted-cambodia-for-health-2008"
NP = rdflib.Namespace("http://www.nanopub.org/nschema#")
HOSTILE = "<script>alert(1)</script>\"'&\u202e" + "x" * 400
SAMPLE = 12
FIRST_BYTE_SECONDS = 0.3


@pytest.fixture(scope="module")
def claims(client: Client) -> list[dict[str, Any]]:
    return client.rows("/claims", limit=1000)


def page(client: Client, path: str) -> str:
    reply = client.get(path, accept="text/html")
    assert reply.status == 200, reply.body[:300]
    return reply.body.decode()


def words(text: str) -> str:
    """Return what a page shows, without its marks."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&").split())


def themes(client: Client) -> dict[str, str]:
    """Return the path of one thing of each theme."""
    found: dict[str, str] = {}
    for path in re.findall(r"<loc>http://127.0.0.1:\d+(/doc/[^<]+)</loc>", client.get("/sitemap.xml").body.decode()):
        found.setdefault(path.split("/")[2], path)
    return found


# ── Things ───────────────────────────────────────────────────────────────────


def test_each_theme_has_a_page_that_leads_only_to_what_is_there(client: Client) -> None:
    paths = themes(client)
    assert {"actor", "agreement", "claim", "concept", "event", "initiative", "instrument", "passage", "place"} <= paths.keys()
    kinds: dict[str, str] = {}
    for path in paths.values():
        text = page(client, path)
        assert not re.search(r"<script(?! type=\"(?:application/ld\+json\"|module\" src=\"/static/))|\sstyle=|\son\w+=", text)
        anchors = set(re.findall(r'\sid="([^"]*)"', text))
        assert set(re.findall(r'href="#([^"]*)"', text)) <= anchors, path
        for link in re.findall(r'href="(/[^"#]*)', text.partition("<main")[2].partition('id="more"')[0]):
            kinds[link.partition("?")[0].split("/")[1]] = link.replace("&amp;", "&")
    assert {"doc", "def", "queries", "codes.html", "nanopub", "timeline.csv"} <= kinds.keys()
    answers = {link: client.get(link).status for link in kinds.values()}
    assert {link for link, status in answers.items() if status not in (200, 303)} == set()


def test_a_page_tells_names_kinds_codes_and_what_is_the_same_elsewhere(client: Client) -> None:
    text = page(client, "/doc/actor/japan")
    shown = words(text)
    for told in ("actor · state", "Tokyo en, printed 18 times", "cow-ccode 740 1952-04-28 to now", "iso3166-1-alpha3 JPN"):
        assert told in shown
    assert "http://www.wikidata.org/entity/Q17" in text


def test_claims_stand_by_modality_and_long_lists_say_that_they_are_cut(client: Client) -> None:
    text = page(client, "/doc/actor/japan")
    for code in ("ReportedAsFact", "Evaluated", "Hedged", "Projected"):
        total = client.get("/claims", thing="actor:japan", modality=code).json()["total"]
        assert isinstance(total, int) and total
        section = text.partition(f'id="claims-{code}"')[2].partition("<h")[0]
        assert section.count("<li>") == min(total, SHOWN)
        assert f'<small class="count">{total}</small>' in section
        link = f'<a href="/claims.html?thing=actor%3Ajapan&amp;modality={code}">all {total}</a>'
        assert (link in section) == (total > SHOWN)


@pytest.mark.parametrize(
    ("path", "question", "given"),
    [
        ("/doc/actor/japan", "initiatives", {"actor": "actor:japan"}),
        ("/doc/actor/japan", "timeline", {"actor": "actor:japan"}),
        ("/doc/actor/cambodia", "flows", {"recipient": "actor:cambodia"}),
        ("/doc/actor/cambodia", "memberships", {"actor": "actor:cambodia"}),
        ("/doc/instrument/foreign-aid", "timeline", {"instrument": "instrument:foreign-aid"}),
        ("/doc/initiative/confucius-institutes", "milestones", {"of": "initiative:confucius-institutes"}),
    ],
)
def test_a_section_has_the_rows_of_its_question(client: Client, path: str, question: str, given: dict[str, str]) -> None:
    total = client.get(f"/{question}", **given).json()["total"]
    assert isinstance(total, int) and total
    section = page(client, path).partition(f'<h2 id="{question}-{next(iter(given))}">')[2].partition("<h2")[0]
    assert section.partition("<tbody>")[2].count("<tr>") == min(total, SHOWN)
    assert (f">all {total}</a>" if total > SHOWN else f"Complete: {total};") in section
    assert f'href="/queries/{question}"' in section and f'href="/{question}.csv?' in section


def test_more_questions_are_asked_of_the_thing_itself(client: Client) -> None:
    text = page(client, "/doc/instrument/foreign-aid").partition('id="more"')[2].partition("</ul>")[0]
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', text)]
    assert len(links) > 10 and all("=instrument%3Aforeign-aid" in link for link in links)
    assert [client.get(link).status for link in links] == [200] * len(links)


# ── Claims ───────────────────────────────────────────────────────────────────


def test_the_page_of_a_claim_tells_who_says_it_for_what_and_where(client: Client) -> None:
    shown = words(page(client, HEALTH))
    for told in (
        "Japan gave Cambodia 1.39 billion yen in grant aid in 2008 for health and hospital facilities",
        "Reported from a source · factual · open list",
        "Who says so authors of the article",
        "Whom the text credits nobody by name",
        "Note note 20",
        "section 2.1 , paragraph 2 , sentence 145 , printed page 6 characters 18408-18431 and 18504-18573 of the source",
        "15 words, fingerprint d99b61456747a0bb",
        "Read with care The sentence has no subject; Japan is supplied",
        "Related claims Is an example of",
        "Other claims of the same sentence",
        "has receiver Cambodia",
    ):
        assert told in shown, told


def test_each_modality_is_told_in_a_form_and_words_with_hedges_and_whom_the_text_credits(
    client: Client, claims: list[dict[str, Any]]
) -> None:
    for one in statements.MODALITIES:
        row = next(row for row in claims if row["modality"] == f":{one.code}")
        shown = words(page(client, thing_link(row["claim"])))
        assert f"{one.form} {one.words.capitalize()}" in shown
        for told in (*row["asserter_names"], *row["credited_names"], *(f"“{hedge}”" for hedge in row["hedges"])):
            assert told in shown


def test_what_stands_against_a_claim_is_told_on_both_pages(client: Client, claims: list[dict[str, Any]]) -> None:
    known = {row["claim"]: row for row in claims}
    pairs = [
        (row["claim"], other.removeprefix("disagreesWith "))
        for row in claims
        for other in row["relations"]
        if other.startswith("disagreesWith ")
    ]
    assert pairs
    for one, other in pairs[:3]:
        for this, that in ((one, other), (other, one)):
            text = page(client, thing_link(this)).partition('id="against"')[2].partition("<h2")[0]
            assert f'href="{thing_link(that)}"' in text and known[that]["modality"].removeprefix(":")[:4].lower() in text.lower()


def test_the_passage_is_marked_in_its_paragraph() -> None:
    row = {"section": "1", "paragraph": "paragraph:1p1", "passage": "passage:s1", "sentence": "passage:s1"}
    second = row | {"passage": "passage:s2", "sentence": "passage:s2"}
    part = second | {"passage": "passage:s2-part"}
    elsewhere = row | {"paragraph": None, "passage": "passage:s3", "sentence": "passage:s3"}
    copy = {
        "passage:s1": "A toy came",
        "passage:s2": "the bear and the doll danced",
        "passage:s2-part": "the bear … danced",
        "passage:s3": "Title",
    }

    def shown(place: Mapping[str, Any], having: Mapping[str, str]) -> str:
        runs = evidence._paragraph(place, [row, second, part, elsewhere], having)
        return "".join(f"[{run.text}]" if run.marked else run.text for run in runs)

    assert shown(part, copy) == "A toy came · [the bear] and the doll [danced]"
    assert shown(row, copy) == "[A toy came] · the bear and the doll danced"
    assert shown(elsewhere, copy) == "[Title]"
    assert shown(part, copy | {"passage:s2-part": "other words"}) == "A toy came · [the bear and the doll danced]"
    assert shown(part, {}) == ""


def test_a_copy_of_the_article_is_shown_to_its_reader_only(article: Path | None, client: Client) -> None:
    if article is None:
        pytest.skip("needs the article")
    source = (article / "article.txt").read_text(encoding="utf-8")
    process, port = serve("--article", str(article / "article.txt"))
    try:
        reply = Client(port).get(HEALTH, accept="text/html")
    finally:
        stop(process)
    assert reply.headers["cache-control"] == "private, no-cache"
    marked = re.findall(r"<mark>(.*?)</mark>", reply.body.decode())
    assert [text.replace("&#39;", "'") for text in marked] == [
        " ".join(source[start:end].split()) for start, end in ((18408, 18431), (18504, 18573))
    ]
    without = client.get(HEALTH, accept="text/html")
    assert "<mark>" not in without.body.decode() and without.headers["cache-control"] == "no-cache"
    assert without.headers["etag"] != reply.headers["etag"]


# ── Citations and nanopublications ───────────────────────────────────────────


def test_a_claim_is_cited_by_what_it_says(client: Client) -> None:
    bibtex, ris = (client.get(f"{HEALTH}.{ending}") for ending in ("bib", "ris"))
    assert "@misc{suasion-claim-japan-granted-cambodia-for-health-2008-" in bibtex.body.decode()
    assert f"/doc/claim/{HEALTH.rpartition('/')[2]}" in bibtex.body.decode() and "Receipt" not in bibtex.body.decode()
    assert "TI  - Japan gave Cambodia 1.39 billion yen" in ris.body.decode()
    csl = client.get(f"{HEALTH}.csl.json")
    items = json.loads(csl.body)
    assert [item["type"] for item in items] == ["dataset", "article-journal"] and "note" not in items[0]
    assert client.send("GET", f"{HEALTH}.csl.json", {"If-None-Match": csl.headers["etag"]}).status == 304
    assert client.get("/doc/claim/no-such.bib").status == 404
    for path in (f"{HEALTH}.bib", f"{HEALTH}.ris", f"{HEALTH}.csl.json"):
        assert f'href="{path}"' in page(client, HEALTH)


def test_a_nanopublication_keeps_the_rules_of_its_guidelines(client: Client, claims: list[dict[str, Any]]) -> None:
    """Nanopublication Guidelines, section 3: the four graphs and what has to be in each."""
    names = [row["claim"].partition(":")[2] for row in claims[:: len(claims) // SAMPLE]]
    for name in ("japan-granted-cambodia-for-health-2008", *names):
        reply = client.get(f"/nanopub/{name}.trig")
        assert reply.status == 200 and reply.headers["content-type"].startswith("application/trig")
        quads = rdflib.Dataset(default_union=True)
        quads.parse(data=reply.body, format="trig")
        found = list(quads.quads())
        (publication, head), *others = [(s, g) for s, p, o, g in found if (p, o) == (RDF.type, NP.Nanopublication)]
        assert not others and str(publication) == f"{BASE}nanopub/{name}"
        graphs = {}
        for part in ("hasAssertion", "hasProvenance", "hasPublicationInfo"):
            ((graph, stands),) = [(o, g) for s, p, o, g in found if (s, p) == (publication, NP[part])]
            assert stands == head
            graphs[part] = graph
        assertion = graphs["hasAssertion"]
        assert str(assertion) == f"{ID}claim/{name}"
        assert len({publication, head, *graphs.values()}) == 5
        assert {g for *_, g in found} == {head, *graphs.values()}
        told = {g: [(s, p, o) for s, p, o, where in found if where == g] for g in graphs.values()}
        assert all(told.values())
        provenance, publishing = told[graphs["hasProvenance"]], told[graphs["hasPublicationInfo"]]
        assert {(s, p) for s, p, _ in provenance} >= {(assertion, PROV.wasAttributedTo), (assertion, PROV.wasDerivedFrom)}
        assert {(s, p) for s, p, _ in publishing} >= {(publication, DCTERMS.creator), (publication, DCTERMS.license)}
        graph = rdflib.Graph()
        graph.parse(data=client.get("/graph-store", graph=str(assertion)).body, format="turtle")
        assert set(told[assertion]) == set(graph)


def test_a_nanopublication_is_reached_by_its_iri_in_the_format_wanted(client: Client) -> None:
    path = "/nanopub/japan-granted-cambodia-for-health-2008"
    for accept, target in (("application/trig", f"{path}.trig"), ("application/n-quads", f"{path}.nq"), ("text/html", HEALTH)):
        reply = client.get(path, accept=accept)
        assert (reply.status, reply.headers["location"]) == (303, target)
    assert client.get(path, accept="text/csv").status == 406
    for missing in ("/nanopub/no-such", "/nanopub/no-such.trig", f"{path}.ttl", "/nanopub/%ff.nq"):
        assert client.get(missing).status == 404
    first = client.get(f"{path}.nq")
    assert client.send("GET", f"{path}.nq", {"If-None-Match": first.headers["etag"]}).status == 304
    assert f'<{BASE}nanopub/japan-granted-cambodia-for-health-2008>; rel="describes"' in first.headers["link"]


# ── Speed, and what must not run ─────────────────────────────────────────────


@pytest.mark.alone
@pytest.mark.parametrize("path", ["/doc/actor/japan.html", f"{HEALTH}.html"])
def test_a_page_is_kept_and_comes_at_once(client: Client, path: str) -> None:
    first = client.get(path)
    assert client.send("GET", path, {"If-None-Match": first.headers["etag"]}).status == 304
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        assert client.get(path).body == first.body
        seconds.append(time.perf_counter() - begun)
    assert min(seconds) < FIRST_BYTE_SECONDS


def test_hostile_names_are_shown_as_text() -> None:
    claim = Claim(
        "claim:x", HOSTILE, modality(":Hedged"), (HOSTILE,), (HOSTILE,), (HOSTILE,), (1,), HOSTILE, HOSTILE, "passage:s1"
    )
    term = {"type": "literal", "value": HOSTILE, "xml:lang": HOSTILE}
    row: dict[str, Any] = dict.fromkeys(
        ("form", "language", "in_scheme", "as_code", "caveat", "ends", "measure_name", "printed"), HOSTILE
    )
    row |= dict.fromkeys(("thing", "flow", "member", "body", "claim", "source"), f"actor:{HOSTILE}")
    row |= dict.fromkeys(
        ("name", "summary", "member_name", "body_name", "role_name", "status", "state", "stage", "begins"), HOSTILE
    )
    several = ("donor_names", "recipient_names", "period_names", "statuses", "claims", "donors", "recipients")
    row |= {name: [HOSTILE] for name in (*several, "party_names", "milestone_names", "sponsor_names", "beneficiary_names")}
    row |= {"occurrences": 1, "period_name": HOSTILE}
    questions = ("memberships", "agreements", "initiatives", "flows", "milestones", "timeline")
    link = Link(HOSTILE, True, "actor:x", HOSTILE, True, "/doc/actor/x", (claim.modality,), ("claim:x",))
    dated = row | {"claim": "claim:x", "period": HOSTILE, "begins": "2001-01-01", "ends": None, "edtf": HOSTILE}
    sections = tuple(portraits.Section(name, HOSTILE, (row,), 1, HOSTILE) for name in questions)
    shown = portraits.Portrait(
        HOSTILE,
        (HOSTILE,),
        (term,),
        (term,),
        ((HOSTILE, "https://example.org/"),),
        sections[0],
        sections[0],
        (portraits.Voiced(claim.modality, (claim,), 30, HOSTILE),),
        sections,
        (Relation(HOSTILE, True, (link,), 30),),
        sections[0],
        ((Query("x", HOSTILE, HOSTILE, "", {}, ()), HOSTILE),),
        HOSTILE,
        {},
        Sights(neighbourhoods.drawn(HOSTILE, [link]), timelines.apart([dated], {"claim:x": claim})),
    )
    place = {"paragraph": HOSTILE, "sentence": HOSTILE, "pages": [1], "words": 1}
    note = {"text": HOSTILE, "kind": HOSTILE, "words": HOSTILE, "note": HOSTILE}
    checked: dict[str, Any] = dict.fromkeys(
        ("outcome", "compared", "obstacle", "dataset_name", "note", "unit", "bound", "dataset", "rate_dataset", "verdict"),
        HOSTILE,
    )
    checked |= dict.fromkeys(("observed_value", "claimed_value", "ratio", "tolerance", "observations", "exchange_rate"), 2)
    checked |= {name: [HOSTILE] for name in ("missing", "missing_names", "observed_periods")}
    related = (evidence.Related(HOSTILE, (claim,)),)
    named = ((HOSTILE, HOSTILE),)
    found = evidence.Evidence(
        claim,
        HOSTILE,
        HOSTILE,
        named,
        named,
        place,
        HOSTILE,
        (evidence.Run(HOSTILE, True),),
        related,
        related,
        (claim,),
        (note,),
        (check(checked, {}),),
    )
    depictions = Depictions(home.templates(), Prefixes({}), Places(ID, True))
    frame = {"links": [], "formats": [], "completeness": "", "previous": "", "next": ""}
    for told in ({"portrait": shown}, {"evidence": found}):
        text = depictions.thing(f"{ID}claim/x", (), {}, {**told, "citation": HOSTILE}, frame)
        assert "<script>" not in text and text.count("&lt;script&gt;") > 10


# ── In a browser ─────────────────────────────────────────────────────────────


def is_the_answer(shown: Page) -> bool:
    """Say whether a page tells who says that Japan gave Cambodia 1.39 billion yen, for what, and where it is written."""
    text = " ".join(shown.locator("main").inner_text().split())
    told = ("1.39 billion yen", "authors of the article", "health and hospital facilities", "printed page 6", "note 20")
    return all(one in text for one in told)


def test_one_search_from_the_home_page_leads_to_the_claim(client: Client, browser: Browser) -> None:
    with browsers.opened(browser, f"http://127.0.0.1:{client.port}/") as seen:
        seen.page.fill("#site-search", "Cambodia 1.39 billion")
        seen.page.press("#site-search", "Enter")
        seen.page.wait_for_url("**/search*")
        seen.page.locator('main a[href^="/doc/"]').first.click()
        seen.page.wait_for_url(f"**{HEALTH}")
        assert is_the_answer(seen.page)


def test_four_clicks_from_the_home_page_lead_to_the_claim(client: Client, browser: Browser) -> None:
    with browsers.opened(browser, f"http://127.0.0.1:{client.port}/") as seen:
        seen.page.get_by_role("navigation", name="Site").get_by_role("link", name="Pictures").click()
        seen.page.locator('main a[href="/pictures/map"]').first.click()
        seen.page.locator('main a[href="/doc/actor/cambodia"]').first.click()
        seen.page.wait_for_url("**/doc/actor/cambodia")
        seen.page.get_by_role("link", name="Japan gave Cambodia 1.39 billion yen").first.click()
        seen.page.wait_for_url(f"**{HEALTH}")
        assert is_the_answer(seen.page)


@pytest.mark.parametrize("path", ["/doc/actor/cambodia", HEALTH])
def test_everybody_can_read_it(client: Client, browser: Browser, path: str) -> None:
    url = f"http://127.0.0.1:{client.port}{path}"
    with browsers.opened(browser, url) as seen:
        assert browsers.barriers(seen.page) == []
        seen.page.emulate_media(media="print")
        assert not seen.page.locator("header.site nav").is_visible()
        assert seen.page.locator("h1").is_visible()
    with browsers.opened(browser, url, width=360, color_scheme="dark") as seen:
        assert browsers.barriers(seen.page) == []
        assert not browsers.wider_than_screen(seen.page)
