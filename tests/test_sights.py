"""Pictures on the pages of things: connections, dates and places as the data have them, cut only where it is told."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser

import browser as browsers
from conftest import Client
from suasion import connections, geography, neighbourhoods, statements, timelines, whereabouts
from suasion.connections import Link
from suasion.neighbourhoods import BOX_HEIGHT, BOX_WIDTH, MOST, WIDTH
from suasion.places import Places
from suasion.prefixes import Prefixes
from suasion.statements import modality
from suasion.whereabouts import Known

SVG = "{http://www.w3.org/2000/svg}"
RTL = "\u202eשלום עולם"
CONFUCIUS = "/doc/initiative/confucius-institutes"


def page(client: Client, path: str) -> str:
    reply = client.get(path, accept="text/html")
    assert reply.status == 200, reply.body[:300]
    return reply.body.decode()


def told(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split()).replace("&#39;", "'")


def linked(name: str, *codes: str, claims: int = 1, incoming: bool = True, named: bool = True) -> Link:
    short = f"actor:{name.replace(' ', '-')}"
    said = tuple(modality(f":{code}") for code in codes)
    stated = tuple(f"claim:{name}-{number}" for number in range(claims))
    return Link("has party", incoming, short, name, named, f"/doc/{short.replace(':', '/')}", said, stated)


# ── Connections ──────────────────────────────────────────────────────────────


def test_neighbours_with_most_claims_are_drawn_and_the_others_counted() -> None:
    links = [linked(f"toy {number}", "Hedged", claims=number % 7 + 1) for number in range(50)]
    drawn = neighbourhoods.drawn("Toyland", links)
    assert drawn and (len(drawn.nodes), drawn.total) == (MOST, 50)
    assert min(node.claims for node in drawn.nodes) == 5  # there are 21 with five claims or more
    assert neighbourhoods.drawn("Toyland", reversed(links)) == drawn
    assert neighbourhoods.drawn("Toyland", []) is None


@pytest.mark.parametrize("number", [1, 2, 7, MOST])
def test_boxes_of_neighbours_stand_apart_and_inside_the_picture(number: int) -> None:
    drawn = neighbourhoods.drawn("Toyland", [linked(f"toy {n}", "Quoted", incoming=n % 3 > 0) for n in range(number)])
    assert drawn
    columns: dict[float, list[float]] = {}
    for node in drawn.nodes:
        assert BOX_HEIGHT / 2 <= node.y <= drawn.height - BOX_HEIGHT / 2 and node.x in (0, WIDTH - BOX_WIDTH)
        columns.setdefault(node.x, []).append(node.y)
    for ys in columns.values():
        assert all(below - above > BOX_HEIGHT for above, below in pairwise(ys))
    assert drawn.middle_height <= drawn.height


def test_a_neighbour_is_one_box_with_all_its_relations_and_the_form_of_the_surest_claim() -> None:
    first = linked("toy", "Projected", "Evaluated", claims=2)
    drawn = neighbourhoods.drawn("Toyland", [first, linked("toy", "ReportedFromSource", claims=3, incoming=False)])
    assert drawn
    (node,) = drawn.nodes
    assert (node.inward, node.outward, node.claims) == (True, True, 3)
    assert [one.code for one in node.modalities] == ["ReportedFromSource", "Evaluated", "Projected"]
    assert node.dashes == neighbourhoods.DASHES["ReportedFromSource"]
    assert node.spoken == ("toy has party Toyland; Toyland has party toy: 3 claims, reported from a source, evaluated, projected")
    assert len(set(neighbourhoods.DASHES.values())) == len(statements.MODALITIES)


def test_what_rests_on_no_claim_is_thin_and_says_so() -> None:
    drawn = neighbourhoods.drawn("Toyland", [linked("bear", claims=0, named=False), linked("doll", "Hedged")])
    assert drawn and drawn.unclaimed and [one.code for one in drawn.modalities] == ["Hedged"]
    doll, bear = sorted(drawn.nodes, key=lambda node: -node.stroke)
    assert bear.spoken.endswith(": no claim of the article") and bear.name == "actor: bear"
    assert not bear.dashes and bear.stroke < 1 < doll.stroke


@pytest.mark.parametrize("name", ["W" * 300, "東南亞" * 40, RTL * 30, "long " * 90])
def test_long_names_are_cut_to_their_box_and_told_whole(name: str) -> None:
    drawn = neighbourhoods.drawn(name, [linked(name, "Quoted")])
    assert drawn
    (node,) = drawn.nodes
    assert node.name.endswith("…") and neighbourhoods._length(node.name, 12.5) < BOX_WIDTH
    assert len(drawn.middle) <= 3 and name in node.spoken


def test_a_page_draws_the_neighbours_that_the_question_tells(client: Client) -> None:
    rows = client.rows("/neighbourhood", thing="actor:laos", limit=1000)
    text = page(client, "/doc/actor/laos").partition('<h2 id="neighbourhood">')[2].partition("<h3")[0]
    shown = set(re.findall(r'<a href="(/doc/[^"]*)" aria-label=', text))
    claimed = {str(row["neighbour"]) for row in rows if row["claims"]}
    beside = set(re.findall(r'aria-label="membership: laos in asean [^"]*: ([^":]*)"', text))
    assert beside == {"no claim of the article"}  # it comes from outside
    assert shown == {f"/doc/{name.replace(':', '/', 1)}" for name in claimed} | {"/doc/membership/laos-in-asean"}
    assert f"All {len(shown)} connected things" in told(text)
    japan = page(client, "/doc/actor/japan").partition('<h2 id="neighbourhood">')[2].partition("<h3")[0]
    assert re.search(rf"Of \d+ connected things the {MOST} with most claims; all connections", told(japan))
    assert "is sponsored by" in japan and "/neighbourhood.html?thing=actor%3Ajapan" in japan


# ── Dates ────────────────────────────────────────────────────────────────────


def test_what_is_planned_stands_apart_from_what_is_done(client: Client) -> None:
    rows = client.rows("/timeline", actor="actor:japan", limit=1000)
    known = statements.claims(client.rows("/claims", limit=1000))
    drawn = timelines.apart(rows, known)
    assert [lane.name for lane in drawn.lanes] == ["Done", "Planned"]
    for lane in drawn.lanes:
        assert {mark.state for mark in lane.marks} == {lane.name.lower()}
    told_of = {claim.name for mark in drawn.marks for claim in mark.claims}
    told_of |= {claim.name for _, claims in drawn.undated for claim in claims}
    assert told_of == {row["claim"] for row in rows}
    text = page(client, "/doc/actor/japan").partition('<h2 id="timeline-actor">')[2].partition("<table")[0]
    assert len(re.findall('<a href="/doc/[^"]*" aria-label=', text)) == len(drawn.marks) and "#dated-" not in text
    late = timelines.apart([row for row in rows if str(row["begins"] or "") > "2006"], known)
    assert late.left > 200 and late.left + late.width <= timelines.WIDTH
    assert all(late.left < x < late.left + late.width for _, x in late.ticks)


def test_a_thing_without_a_question_of_its_dates_shows_those_of_its_claims(client: Client) -> None:
    claims = {row["claim"] for row in client.rows("/claims", thing="initiative:confucius-institutes", limit=1000)}
    dated = {str(row["claim"]) for row in client.rows("/timeline", limit=1000) if row["claim"] in claims and row["begins"]}
    text = page(client, CONFUCIUS).partition('<h2 id="timeline">')[2].partition("<h2")[0]
    table = text.partition("<table")[2]
    assert dated and all(f'href="/doc/{name.replace(":", "/")}"' in table for name in dated)
    assert "planned" in told(table) and '<a href="#timeline">' in page(client, CONFUCIUS)


# ── Places ───────────────────────────────────────────────────────────────────


def test_a_map_has_the_flows_of_a_thing_and_sets_it_off(client: Client) -> None:
    text = page(client, "/doc/actor/laos").partition('<h2 id="map">')[2].partition("<h2")[0]
    rows: list[dict[str, Any]] = client.rows("/flows", recipient="actor:laos")
    givers = {(donor, row["state"]) for row in rows for donor in row["donors"]}
    listed = re.findall(r'<li id="flow-(\d+)"><a href="/doc/actor/([^"]*)">[^<]*</a> to <a href="/doc/actor/laos">', text)
    assert {name for _, name in listed} == {donor.partition(":")[2] for donor, _ in givers}
    assert len(listed) == len(givers) and all(f'href="#flow-{number}"' in text for number, _ in listed)
    assert text.count("land told meant") == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/doc/initiative/second-east-west-corridor", 'aria-label="2nd East-West Corridor, route"'),
        ("/doc/place/phnom-penh", 'r="4.5"'),
        (CONFUCIUS, "land told meant"),
        ("/doc/actor/asean", '<rect class="box"'),
    ],
)
def test_a_place_has_a_map(client: Client, path: str, expected: str) -> None:
    assert expected in page(client, path).partition('<h2 id="map">')[2].partition("<h2")[0]


@pytest.mark.parametrize("path", ["/doc/actor/hanban", "/doc/place/world", "/doc/instrument/foreign-aid", "/doc/agreement/ajcep"])
def test_there_is_no_map_that_says_nothing(client: Client, path: str) -> None:
    assert 'id="map"' not in page(client, path) and client.get(f"{path}.map.svg").status == 404


def test_no_country_that_is_left_out_as_far_away_reaches_into_the_picture() -> None:
    near = {one["ISO"]["alpha2"] for one in geography._described() if geography._is_near(one)}
    drawn = {code: rings for code, (rings, _) in geography._drawn()}
    far = {one["ISO"]["alpha2"] for one in geography._described() if not geography._is_near(one)}
    assert {"RU", "IN", "AU"} <= near and {"US", "BR", "CA"} <= far
    assert not [code for code in far & drawn.keys() if any(map(geography._reaches, drawn[code]))]


def test_a_map_shows_the_part_that_it_needs() -> None:
    countries = geography.countries()
    rows: list[Mapping[str, Any]] = [{"thing": f"actor:{name}", "name": name, "claims": []} for name in ("laos", "australia")]
    known = Known((), rows, {"actor:laos": "LA", "actor:australia": "AU"}, (), countries)
    made = whereabouts.drawn("actor:laos", "Laos", (), (), known, {})
    assert made and made.meant == {"actor:laos"} and made.itself
    left, top, width, height = made.window
    laos = next(country for code, country in countries.items() if code == "LA").capital
    assert laos and left < laos[0] < left + width and top < laos[1] < top + height
    assert width < geography.WIDTH and height < geography.HEIGHT
    assert {land.thing for land in made.picture.lands if land.thing} == {"actor:laos"}
    assert whereabouts.drawn("actor:toyland", "Toyland", (), (), known, {}) is None


# ── Files, and readers ───────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["neighbourhood", "timeline", "map"])
def test_each_picture_is_a_file_that_leads_back(client: Client, name: str) -> None:
    path = f"/doc/actor/laos.{name}.svg"
    assert f'href="{path}"' in page(client, "/doc/actor/laos")
    reply = client.get(path)
    assert (reply.status, reply.headers["content-type"]) == (200, "image/svg+xml")
    assert reply.headers["content-disposition"] == f'attachment; filename="laos-{name}.svg"'
    links = [link.get("href", "") for link in ElementTree.fromstring(reply.body).iter(f"{SVG}a")]  # noqa: S314 - ours
    assert links and all(link.startswith(f"http://127.0.0.1:{client.port}/doc/") for link in links)
    assert client.send("GET", path, {"If-None-Match": reply.headers["etag"]}).status == 304


def test_a_picture_that_is_not_there_is_not_found(client: Client) -> None:
    for path in ("/doc/actor/no-such.map.svg", "/doc/claim/china-population-1-3-billion.map.svg", "/doc/actor/laos.photo.svg"):
        assert client.get(path).status == 404


def test_spellings_and_other_names_are_counted_apart(client: Client) -> None:
    section = page(client, "/doc/actor/japan").partition('<h2 id="names">')[2].partition("<h2")[0]
    total = client.get("/names", thing="actor:japan").json()["total"]
    others = section.count("another name")
    assert total and others and section.count("<li>") == int(str(total)) + others
    assert f"Complete: {total} spellings that the text prints, and {others} other name" in told(section)
    assert "Complete: 1 spelling that the text prints; as" in told(page(client, "/doc/place/phnom-penh"))


def test_a_property_without_a_label_is_told_in_words() -> None:
    row: Mapping[str, Any] = {"neighbour": "toy", "neighbour_name": None, "property": "owl:differentFrom", "direction": "in"}
    (link,) = connections.links([{**row, "modalities": [], "claims": []}], {}, Prefixes({}), Places("https://example.org/", True))
    assert (link.property, link.incoming, link.path) == ("different from", True, "")


def test_everybody_can_read_the_pictures(client: Client, browser: Browser) -> None:
    """What axe says of them is tested with the page of Cambodia, which has all three."""
    with browsers.opened(browser, f"http://127.0.0.1:{client.port}/doc/actor/laos", width=360) as seen:
        assert not browsers.wider_than_screen(seen.page)
        overlong = """() => [...document.querySelectorAll('svg svg text')].filter(text => {
            const [own, box] = [text.getBoundingClientRect(), text.parentNode.querySelector('rect').getBoundingClientRect()];
            return own.left < box.left || own.right > box.right;
        }).map(text => text.textContent)"""
        assert seen.page.evaluate(overlong) == []
        seen.page.emulate_media(media="print")
        pictures = seen.page.locator("figure svg.picture")
        assert pictures.count() == 3
        assert all((box := one.bounding_box()) and box["width"] <= 360 for one in pictures.all())
        seen.page.emulate_media(media="screen")
        first = seen.page.locator('#neighbourhood ~ figure a[aria-label*="claim"]').first
        target = first.get_attribute("href")
        first.focus()
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_url(f"**{target}")
