"""Pages that show the article as a whole: they leave nothing out, add nothing up, and can be read by everybody."""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import browser as browsers
from conftest import Client, serve, stop
from suasion import amounts, articlemap, charts, comparing, geography, home, maps, networks, statements, timelines

PAGES = ("/compare", "/article", "/pictures", "/pictures/timeline", "/pictures/map", "/pictures/charts", "/pictures/network")
DRAWINGS = ("/pictures/timeline.svg", "/pictures/map.svg", "/pictures/charts.svg", "/pictures/network.svg")
SUGGESTIONS = '<script type="module" src="/static/suggest.js"></script>'
HOSTILE = "<script>alert(1)</script>\"'&\u202e" + "x" * 400


@pytest.fixture(scope="module")
def answers(client: Client) -> Mapping[str, list[dict[str, Any]]]:
    names = (
        "actors",
        "claims",
        "coverage",
        "flows",
        "initiatives",
        "instruments",
        "matrix",
        "passages",
        "quantities",
        "timeline",
    )
    return {name: client.rows(f"/{name}", limit=1000) for name in names}


def page(client: Client, path: str) -> str:
    reply = client.get(path)
    assert reply.status == 200, reply.body[:300]
    return reply.body.decode()


# ── What every page and drawing does ─────────────────────────────────────────


@pytest.mark.parametrize("path", [*PAGES, *DRAWINGS])
def test_a_page_is_known_by_its_tag(client: Client, path: str) -> None:
    first = client.get(path)
    assert first.status == 200
    assert first.headers["cache-control"] == "no-cache"
    assert client.send("GET", path, {"If-None-Match": first.headers["etag"]}).status == 304


@pytest.mark.parametrize("path", PAGES)
def test_a_page_links_only_to_what_is_there(client: Client, path: str) -> None:
    text = page(client, path)
    assert not re.search(r"<script(?! type=\"module\" src=\"/static/)|\sstyle=|\son\w+=", text)
    links = {link.partition("#")[0].replace("&amp;", "&") for link in re.findall(r'(?:href|src)="([^"]*)"', text)}
    assert not [link for link in links if link and not link.startswith("/")]
    by_kind = {
        re.sub(r"[?].*|(?<=/)[^/]*$", "", link) if "/doc/" in link else link.partition("?")[0]: link
        for link in sorted(links)
        if link
    }
    assert {link: client.get(link).status for link in by_kind.values()} == dict.fromkeys(by_kind.values(), 200)
    anchors = set(re.findall(r'href="#([^"]*)"', text))
    assert anchors <= set(re.findall(r'\sid="([^"]*)"', text))


@pytest.mark.parametrize("path", DRAWINGS)
def test_a_drawing_stands_alone(client: Client, path: str) -> None:
    reply = client.get(path)
    assert reply.headers["content-type"] == "image/svg+xml"
    assert "attachment" in reply.headers["content-disposition"]
    root = ET.fromstring(reply.body)  # noqa: S314  our own drawing
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title") is not None and root.find(f"{space}desc") is not None
    links = [element.attrib["href"] for element in root.iter(f"{space}a")]
    assert links and all(link.startswith(f"http://127.0.0.1:{client.port}/") for link in links)
    attributes = " ".join(element.attrib.get("fill", "") + element.attrib.get("stroke", "") for element in root.iter())
    assert "#1b1b1f" in attributes and "var(" not in attributes  # colours of its own: no style sheet goes with it


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/compare?actor=nobody", 422, "names no actor"),
        ("/compare?actor=china&year=soon", 422, "year"),
        ("/compare?actor=china,japan,asean,vietnam,laos,myanmar,thailand", 422, "too many"),
        ("/compare?split=colour", 422, "it takes period"),
        ("/compare?colour=red", 400, "not &#39;colour&#39;"),
        ("/pictures/charts?by=colour", 422, "it takes donor"),
        ("/pictures/charts?by=year&by=donor", 422, "give it once"),
        ("/pictures/network?about=nobody", 422, "names nothing"),
        ("/article?actor=china", 400, "no parameters"),
        ("/compare?actor=%ff", 422, "UTF-8"),
    ],
)
def test_what_cannot_be_shown_is_told_on_a_page(client: Client, path: str, status: int, words: str) -> None:
    reply = client.get(path, accept="text/html")
    text = reply.body.decode()
    assert reply.status == status
    assert 'role="alert"' in text and words in text
    works = re.search(r'This works: <a href="([^"]+)"', text)
    assert works and client.get(works[1].replace("&amp;", "&")).status == 200


def test_other_files_have_no_such_pages(tmp_path: Path) -> None:
    file = tmp_path / "small.ttl"
    file.write_text('<http://example.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "<script>" .\n', encoding="utf-8")
    process, port = serve(str(file))
    try:
        assert {path: Client(port).get(path).status for path in PAGES} == dict.fromkeys(PAGES, 404)
        assert "/compare" not in page(Client(port), "/")
        assert "/compare" not in page(Client(port), "/queries") and "/compare" not in page(Client(port), "/search.html?text=a")
    finally:
        stop(process)


# ── Compare ─────────────────────────────────────────────────────────────────


def test_an_instrument_stands_below_its_nearest_broader_one() -> None:
    rows = [
        {"thing": "i:a", "name": "a", "broader": []},
        {"thing": "i:b", "name": "b", "broader": ["i:a"]},
        {"thing": "i:c", "name": "c", "broader": ["i:a", "i:b", "i:d"]},
        {"thing": "i:d", "name": "d", "broader": ["i:a"]},
    ]
    order = comparing.hierarchy(rows)
    assert [(place.name, place.depth, place.also) for place in order.values()] == [
        ("a", 0, ()),
        ("b", 1, ()),
        ("c", 2, ("d",)),
        ("d", 1, ()),
    ]


def test_the_matrix_has_every_claim_of_its_actors(client: Client, answers: Mapping[str, list[dict[str, Any]]]) -> None:
    for chosen in (["actor:china", "actor:japan"], ["actor:south-korea", "actor:united-states", "actor:vietnam"]):
        rows = answers["matrix"]
        known = statements.claims(answers["claims"])
        order = comparing.hierarchy(answers["instruments"])
        above = {row["thing"]: row["broader"] for row in answers["instruments"]}
        lines = comparing.matrix(rows, order, above, known, chosen, by_period=False)
        shown = {
            (line.instrument, chosen[n], claim.name)
            for line in lines
            for n, cell in enumerate(line.cells)
            for claim in cell.claims
        }
        stated = {(row["instrument"], row["actor"], claim) for row in rows for claim in row["claims"] if row["actor"] in chosen}
        assert shown == stated
        split = comparing.matrix(rows, order, above, known, chosen, by_period=True)
        assert {claim.name for line in split for cell in line.cells for claim in cell.claims} == {claim for *_, claim in stated}
        text = page(client, "/compare?actor=" + ",".join(chosen))
        assert all(f'href="{statements.claim_link(claim)}"' in text for *_, claim in stated)


def test_what_no_claim_says_is_no_data(client: Client) -> None:
    text = page(client, "/compare?actor=vietnam&actor=laos")
    assert "No data in the article" in text and "<h1>Vietnam and Laos</h1>" in text


def test_figures_stand_in_their_own_currency(client: Client) -> None:
    text = page(client, "/compare")
    assert "more than USD 44,700,000,000" in text and "JPY 1,390,000,000" in text
    assert "152,760,000,000" not in text  # what the yen would add up to


# ── The article as a map ─────────────────────────────────────────────────────


def test_the_map_of_the_article_leaves_nothing_out(client: Client, answers: Mapping[str, list[dict[str, Any]]]) -> None:
    text = page(client, "/article")
    sentences = [row for row in answers["passages"] if row["passage"] == row["sentence"]]
    assert list(re.findall(r'<li id="(s\d+)">', text)) == [row["passage"].partition(":")[2] for row in sentences]
    assert all(f'href="{statements.claim_link(row["claim"])}"' in text for row in answers["claims"])
    without = {row["sentence"] for row in sentences} - {row["sentence"] for row in answers["passages"] if row["claims"]}
    assert text.count("<p>No claim: ") == len(without) > 5
    assert "no reason is recorded" not in text
    assert len(re.findall(r"fingerprint <code>[0-9a-f]{64}</code>", text)) == len(sentences)


def test_what_lies_between_sentences_is_told(answers: Mapping[str, list[dict[str, Any]]]) -> None:
    gaps = articlemap.gaps(answers["passages"])
    assert gaps and all(start < end for start, end in gaps)
    ranges = [
        part.partition("-") for row in answers["passages"] if row["passage"] == row["sentence"] for part in row["ranges"].split()
    ]
    spans = [(int(start), int(end)) for start, _, end in ranges]
    assert not [gap for gap in gaps if any(a < gap[1] and gap[0] < b for a, b in spans)]


def test_no_sentence_of_the_article_is_shown_without_a_copy(client: Client, article: Path | None) -> None:
    text = page(client, "/article")
    assert "<blockquote>" not in text
    if article:
        words = (article / "article.txt").read_text(encoding="utf-8").split()
        runs = {" ".join(words[n : n + 9]) for n in range(len(words) - 9)}
        shown = re.sub(r"<[^>]+>", " ", text).split()
        assert not [run for n in range(len(shown) - 9) if (run := " ".join(shown[n : n + 9])) in runs]


def test_the_words_of_a_copy_are_shown_and_kept_private(article: Path | None, tmp_path: Path) -> None:
    if article is None:
        pytest.skip("needs the article")
    copy = tmp_path / "copy.txt"
    copy.write_text("\n\n" + (article / "article.txt").read_text(encoding="utf-8").replace("\n", " \n"), encoding="utf-8")
    process, port = serve("--article", str(copy))
    try:
        reply = Client(port).get("/article")
        assert reply.headers["cache-control"] == "private, no-cache"
        assert reply.body.count(b"<blockquote>") == reply.body.count(b'<li id="s') > 200
    finally:
        stop(process)


# ── Timeline ────────────────────────────────────────────────────────────────


def test_the_timeline_has_everything_that_is_dated(answers: Mapping[str, list[dict[str, Any]]]) -> None:
    known = statements.claims(answers["claims"])
    speaking = {row["thing"]: row["claims"] for row in answers["actors"] if row["thing"] in ("actor:china", "actor:japan")}
    drawn = timelines.drawn(answers["timeline"], speaking, {"actor:china": "China", "actor:japan": "Japan"}, known)
    assert [lane.name for lane in drawn.lanes] == ["China", "Japan", "China and Japan together", "Others"]
    shown = {claim.name for mark in drawn.marks for claim in mark.claims} | {c.name for _, cs in drawn.undated for c in cs}
    assert shown == {row["claim"] for row in answers["timeline"]}
    assert {mark.state for mark in drawn.marks} == {"done", "planned"}
    late = [mark for mark in drawn.marks if mark.edtf.startswith("2017") or mark.edtf == "2012"]
    assert late and all(mark.state == "planned" for mark in late)
    assert {mark.closes for mark in drawn.marks} == {"", "vague", "open"}
    assert all(mark.x >= 0 and mark.x + mark.width <= timelines.WIDTH for mark in drawn.marks)
    for lane in drawn.lanes:
        rows: dict[float, list[tuple[float, float]]] = {}
        for mark in lane.marks:
            rows.setdefault(mark.y, []).append((mark.x, mark.x + mark.width))
        for spans in rows.values():
            spans.sort()
            assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans)), "bars lie on each other"


# ── Sums, charts and the map ─────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "unit", "bound", "frequency", "words"),
    [
        (10000000, "USD", "MoreThan", "", "more than USD 10,000,000"),
        (970000000, "USD", "Exact", "Annual", "USD 970,000,000 a year"),
        (2.5, "times", "Approximate", "", "about 2.5 times"),
        (None, "USD", "Unstated", "", "amount not given"),
    ],
)
def test_a_figure_keeps_its_bound(value: float | None, unit: str, bound: str, frequency: str, words: str) -> None:
    assert amounts.words(value, unit, bound, frequency) == words


@pytest.mark.parametrize("by", charts.GROUPS)
def test_a_chart_mixes_no_currencies_and_no_states(answers: Mapping[str, list[dict[str, Any]]], by: str) -> None:
    figures = amounts.flows(answers["flows"])
    made = charts.amounts(figures, statements.claims(answers["claims"]), by)
    assert sum(len(chart.bars) for chart in made.charts) + len(made.without) == len(figures)
    stated = {(figure.label, figure.words): figure for figure in figures}
    for chart in made.charts:
        kinds = {
            (figure.unit, figure.measure, figure.state, figure.frequency)
            for bar in chart.bars
            for figure in (stated[bar.spoken.partition(": ")[0], bar.words],)
        }
        assert len(kinds) == 1
        assert [bar.is_open for bar in chart.bars] == [bar.words.startswith(("more than", "at least")) for bar in chart.bars]


def test_the_longest_bar_is_the_largest_figure(answers: Mapping[str, list[dict[str, Any]]]) -> None:
    made = charts.amounts(amounts.flows(answers["flows"]), {}, "donor")
    yen = next(chart for chart in made.charts if chart.title == "Loan committed, JPY")
    lengths = {bar.words: bar.length for bar in yen.bars}
    assert lengths["JPY 30,770,000,000"] / lengths["JPY 3,700,000,000"] == pytest.approx(30.77 / 3.7, rel=0.01)


def test_the_map_knows_the_states_of_asean_and_its_neighbours() -> None:
    found = geography.countries()
    asean = ["BN", "ID", "KH", "LA", "MM", "MY", "PH", "SG", "TH", "VN"]
    assert {code for code in (*asean, "CN", "JP", "KR", "TW") if code not in found or found[code].capital is None} == set()
    assert {code for code in (*asean, "CN", "JP", "KR", "TW") if not found[code].path} == set()
    assert "FR" not in found
    assert {code for code, country in found.items() if country.river} >= {"KH", "LA", "VN"}
    inside = [p for country in found.values() if (p := country.capital)]
    assert all(0 <= x <= geography.WIDTH and 0 <= y <= geography.HEIGHT for x, y in inside)


def test_the_map_shows_every_flow(client: Client, answers: Mapping[str, list[dict[str, Any]]]) -> None:
    text = page(client, "/pictures/map")
    figures = amounts.flows(answers["flows"])
    assert all(figure.words in text and figure.link in text for figure in figures)
    assert all(f'href="{statements.claim_link(name)}"' in text for figure in figures for name in figure.claims)
    assert "East-West Corridor" in text


def test_an_arrow_is_as_wide_as_its_claims_and_not_its_money() -> None:
    def flow(name: str, value: float, claims: list[str]) -> amounts.Figure:
        (made,) = amounts.flows(
            [
                {
                    **dict.fromkeys(("flow", "figure", "name", "measure_name", "printed"), name),
                    "value": value,
                    "currency_name": "USD",
                    "bound": ":Exact",
                    "frequency": None,
                    "state": "done",
                    "donors": ["actor:a"],
                    "donor_names": ["A"],
                    "recipient_names": [],
                    "claims": claims,
                    **{key: [] for key in ("instruments", "instrument_names", "period_names")},
                }
            ]
        )
        return made

    lists: dict[str, list[object]] = {key: [] for key in ("asserter_names", "credited_names", "hedges", "markers")}
    texts = {"modality": ":Hedged", "summary": "", "section": "1", "ranges": "1-2", "passage": "passage:s1"}
    rows = [{"claim": f"claim:{n}", **texts, **lists} for n in range(3)]
    told = [(flow("small", 1.0, ["claim:0", "claim:1", "claim:2"]), ["actor:b"]), (flow("large", 1e12, ["claim:0"]), ["actor:c"])]
    made = maps.drawn(told, [], {}, [], [], {}, {}, statements.claims(rows))
    widths = {arrow.target: arrow.width for arrow in made.arrows}
    assert widths["actor:b"] > widths["actor:c"]


# ── Network ─────────────────────────────────────────────────────────────────


def test_the_network_has_every_connection_and_is_drawn_alike(answers: Mapping[str, list[dict[str, Any]]]) -> None:
    found, things = networks.links(answers["initiatives"], answers["instruments"])
    first, second = (networks.drawn(found, things, {}, "") for _ in range(2))
    assert first == second
    shown = {(edge.source, edge.target) for edge in first.edges}
    for row in answers["initiatives"]:
        assert {(actor, row["thing"]) for actor in row["sponsors"] if actor.startswith("actor:")} <= shown
        assert {(row["thing"], instrument) for instrument in row["instruments"]} <= shown
    assert len({(node.column, node.y) for node in first.nodes}) == len(first.nodes)
    around = networks.around(found, "actor:south-korea")
    assert 0 < len(around) < len(found) and all(link in found for link in around)


# ── In a browser ─────────────────────────────────────────────────────────────


def few(shown: Page) -> None:
    """Leave the first of each kind: axe is slow, and the rest is made by the same templates."""
    tables = "tbody tr:nth-child(n+6), .claims li:nth-child(n+2), .sentences > li:nth-child(n+3), .blocks li:nth-child(n+4)"
    drawings = "svg a:nth-of-type(n+8), svg path:nth-of-type(n+30)"
    rest = f"{tables}, {drawings}, main > section:nth-of-type(n+4), .tick:nth-of-type(n+5), option"
    shown.evaluate("rest => document.querySelectorAll(rest).forEach(one => one.remove())", rest)


@pytest.mark.parametrize("path", PAGES)
def test_everybody_can_read_it(client: Client, browser: Browser, path: str) -> None:
    with browsers.opened(browser, f"http://127.0.0.1:{client.port}{path}") as seen:
        assert not browsers.wider_than_screen(seen.page)
        few(seen.page)
        assert browsers.barriers(seen.page) == []
        seen.page.set_viewport_size({"width": 360, "height": 800})
        assert not browsers.wider_than_screen(seen.page)
        seen.page.emulate_media(media="print")
        assert seen.page.locator("h1").is_visible() and not seen.page.locator("header.site nav").is_visible()


def test_dark_pictures_have_no_barriers(client: Client, browser: Browser) -> None:
    with browsers.opened(browser, f"http://127.0.0.1:{client.port}/pictures/map", color_scheme="dark", width=360) as seen:
        few(seen.page)
        assert browsers.barriers(seen.page) == []


def test_on_a_phone_charts_have_their_labels_above_the_bars_and_scroll_nowhere(client: Client, browser: Browser) -> None:
    with browsers.opened(browser, f"http://127.0.0.1:{client.port}/pictures/charts", width=360) as seen:
        page = seen.page
        assert page.locator("svg.picture").is_hidden()
        bars = page.locator(".bars li")
        assert bars.count() == page.locator("svg.picture a").count() > 20
        assert bars.filter(has_text="Japan's loan to Indonesia").first.is_visible()
        ends = "[...document.querySelectorAll('.bars svg > *')].map(one => one.getBoundingClientRect().right)"
        assert max(page.evaluate(ends)) <= 360
        page.set_viewport_size({"width": 1280, "height": 900})
        assert page.locator("svg.picture").is_visible() and bars.first.is_hidden()


def test_a_block_opens_its_sentence_and_a_cell_its_claims_by_the_keyboard(client: Client, browser: Browser) -> None:
    with browsers.opened(browser, f"http://127.0.0.1:{client.port}/article") as seen:
        assert not seen.page.locator("#s145").is_visible()
        seen.page.locator('a[href="#s145"]').press("Enter")
        seen.page.locator("#s145").wait_for(state="visible")
    with browsers.opened(browser, f"http://127.0.0.1:{client.port}/compare") as seen:
        cell = seen.page.locator(".matrix summary").first
        cell.press("Enter")
        link = seen.page.locator(".matrix details[open] .claims a").first
        link.press("Enter")
        seen.page.wait_for_url("**/doc/claim/*")


def test_a_mark_of_the_timeline_leads_to_its_claim_by_the_keyboard(client: Client, browser: Browser) -> None:
    with browsers.opened(browser, f"http://127.0.0.1:{client.port}/pictures/timeline") as seen:
        mark = seen.page.locator('svg a[href^="/doc/claim/"]').first
        mark.focus()
        mark.press("Enter")
        seen.page.wait_for_url("**/doc/claim/*")


def test_hostile_names_are_shown_as_text(browser: Browser, answers: Mapping[str, list[dict[str, Any]]]) -> None:
    """Real rows with every text replaced: drawn, rendered and looked at."""
    answers = {name: rows[:25] for name, rows in answers.items()}

    def spoilt(rows: list[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
        return [{**row, **{name: HOSTILE if isinstance(row[name], str) else row[name] for name in columns}} for row in rows]

    known = statements.claims(spoilt(answers["claims"], "summary"))
    line = timelines.drawn(spoilt(answers["timeline"], "name", "period_name"), {}, {}, known)
    flows = amounts.flows(spoilt(answers["flows"], "name", "printed"))
    sums = charts.amounts(flows, known, "donor")
    found, things = networks.links(spoilt(answers["initiatives"], "name"), spoilt(answers["instruments"], "name"))
    net = networks.drawn(found, things, {}, "")
    told = [(figure, row["recipients"]) for figure, row in zip(flows, answers["flows"], strict=True)]
    picture = maps.drawn(
        told, [], {}, [], [], dict.fromkeys((a["thing"] for a in answers["actors"]), HOSTILE), geography.countries(), known
    )
    shared = {
        "modalities": statements.MODALITIES,
        "claim_link": statements.claim_link,
        "thing_link": statements.thing_link,
        "picked": statements.picked,
        "tally": statements.tally,
        "given": {},
        "asked": "",
        "base": "",
        "page": "",
        "claims": known,
        "chosen": {},
        "by": "donor",
        "groups": (),
        "ranks": (),
        "columns": networks.COLUMNS,
        "xs": networks.EXTENTS,
        "about": "",
        "about_name": "",
        "choices": [(HOSTILE, HOSTILE)],
        "timeline": line,
        "charts": sums,
        "network": net,
        "picture": picture,
        "land_width": geography.WIDTH,
        "land_height": geography.HEIGHT,
        "width": maps.WIDTH,
    }
    environment = home.templates()
    for name in ("timeline", "charts", "map", "network"):
        body = environment.get_template(f"pictures/{name}.html").render(**shared)
        assert "<script" not in body.replace(SUGGESTIONS, "") and "&lt;script&gt;" in body
        opened = browser.new_page(viewport={"width": 360, "height": 800})
        opened.on("dialog", lambda _: pytest.fail("a script ran"))
        opened.set_content(body)
        assert opened.locator("script").count() == body.count(SUGGESTIONS) == 1
        opened.close()
        ET.fromstring(environment.get_template(f"pictures/{name}.svg").render(**shared))  # noqa: S314  our own drawing
