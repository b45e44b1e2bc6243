"""Codes of states both ways: each scheme against each other, the days on which they hold, and the traps of equal numbers."""

import json
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise, permutations
from pathlib import Path

import pyoxigraph as ox
import pytest

from conftest import Client
from suasion import crosswalk
from suasion.crosswalk import OPEN, Crosswalk
from suasion.errors import BadParameter
from suasion.loading import Dataset
from suasion.prefixes import ID, Prefixes

STATES = ("iso3166-1-alpha3", "cow-ccode", "gw-number", "un-m49", "worldbank")


def rows(dataset: Dataset, bundle: Path, name: str) -> list[Mapping[str, Mapping[str, str]]]:
    found = dataset.facts.query((bundle / "queries" / "describe" / f"{name}.rq").read_text(encoding="utf-8"))
    assert isinstance(found, ox.QuerySolutions)
    bindings = json.loads(found.serialize(format=ox.QueryResultsFormat.JSON) or b"")["results"]["bindings"]
    assert isinstance(bindings, list)
    return bindings


@pytest.fixture(scope="module")
def table(dataset: Dataset, bundle: Path) -> Crosswalk:
    return crosswalk.made(rows(dataset, bundle, "codes"), rows(dataset, bundle, "things"))


@pytest.mark.parametrize(("scheme", "other"), list(permutations(STATES, 2)))
def test_a_code_comes_back_from_every_other_scheme(table: Crosswalk, scheme: str, other: str) -> None:
    """From a code to its thing, to the other code of the thing, and back, on days when both hold."""
    tried, faults = 0, []
    for thing, held in table.held.items():
        for one in held.get(scheme, ()):
            for its in held.get(other, ()):
                first, last = max(one.first, its.first), min(one.last, its.last)
                if first > last:
                    continue
                tried += 1
                there = {found.thing for found in table.meant(scheme, one.code, first, first)}
                codes = table.codes(thing, other, first, first)
                back = {code for found in table.meant(other, its.code, first, first) for code in table.codes(found.thing, scheme)}
                if there != {thing} or its.code not in codes or back != {one.code}:
                    faults.append((thing, one, its, there, codes, back))
    assert tried > 180
    assert faults == []


def test_no_code_names_two_things_on_one_day(table: Crosswalk) -> None:
    faults = []
    for (scheme, code), holders in table.holders.items():
        spans = sorted((one.first, one.last, one.thing) for one in holders)
        for (_, last, thing), (first, _, other) in pairwise(spans):
            if first <= last and thing != other:
                faults.append((scheme, code, thing, other))
    assert faults == []


def test_states_have_the_codes_that_the_identifiers_of_the_article_have(dataset: Dataset, table: Crosswalk) -> None:
    found = dataset.facts.query(
        "PREFIX : <https://w3id.org/suasion/def#> PREFIX adms: <http://www.w3.org/ns/adms#> "
        "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> "
        "SELECT ?thing ?scheme ?code WHERE { GRAPH <https://w3id.org/suasion/graph/identifiers> "
        "{ ?thing adms:identifier ?i . ?i :identifierScheme ?scheme ; skos:notation ?code } ?thing a :State }"
    )
    assert isinstance(found, ox.QuerySolutions)
    said = [(thing.value, scheme.value, code.value) for thing, scheme, code in found]
    assert len(said) > 300
    assert [one for one in said if one[2] not in table.codes(one[0], one[1])] == []


def test_every_state_of_today_has_its_codes(table: Crosswalk) -> None:
    states = [iri for iri, thing in table.things.items() if "state" in thing.kinds]
    missing: dict[str, set[str]] = defaultdict(set)
    for iri in states:
        today = any(one.last == OPEN[1] for one in table.held[iri].get("cow-ccode", ()))
        for scheme in ("iso3166-1-alpha3", "un-m49", "worldbank"):
            if today and not table.codes(iri, scheme):
                missing[scheme].add(iri.rpartition("/")[2])
    assert missing == {"iso3166-1-alpha3": {"kosovo"}, "un-m49": {"kosovo", "taiwan"}}


def test_each_code_of_iso_3166_and_kosovo_has_one_item_in_wikidata(table: Crosswalk) -> None:
    today = {
        one.thing
        for (scheme, _), held in table.holders.items()
        for one in held
        if scheme == "iso3166-1-alpha3" and one.last == OPEN[1]
    }
    assert len(today) > 240
    items = {thing: table.codes(thing, "wikidata") for thing in (*today, ID + "actor/kosovo")}
    assert {thing: codes for thing, codes in items.items() if len(codes) != 1} == {}
    assert len({codes[0] for codes in items.values()}) == len(items)


@pytest.mark.parametrize(
    ("scheme", "code", "date", "things"),
    [
        ("cow", "710", "2008-01-01", {"china"}),
        ("cow-ccode", "840", "", {"philippines"}),
        ("iso3166-1-numeric", "840", "", {"united-states"}),
        ("un-m49", "840", "", {"united-states"}),
        ("isonum", "710", "", {"south-africa"}),
        ("cow", "800", "2008", {"thailand"}),
        ("isonum", "800", "", {"uganda"}),
        ("cow", "740", "2008", {"japan"}),
        ("dac", "740", "", {"north-korea"}),
        ("isonum", "740", "", {"suriname"}),
        ("cow", "732", "2008", {"south-korea"}),
        ("dac", "732", "", {"taiwan"}),
        ("iso3", "KOR", "", {"south-korea"}),
        ("iso3", "PRK", "", {"north-korea"}),
        ("cow", "730", "", {"korea-to-1910"}),
        ("cow", "731", "2008", {"north-korea"}),
        ("cow", "816", "2008", {"vietnam"}),
        ("gw", "816", "2008", {"vietnam"}),
        ("gw", "815", "", {"annam"}),
        ("gw", "817", "", {"south-vietnam"}),
        ("cow", "817", "1970", {"south-vietnam"}),
        ("cow", "817", "2008", set()),
        ("polity", "818", "", {"vietnam"}),
        ("vdem", "34", "", {"vietnam"}),
        ("cow", "255", "2008", {"germany"}),
        ("cow", "255", "1930", {"german-reich"}),
        ("cow", "260", "1980", {"west-germany"}),
        ("cow", "260", "2008", set()),
        ("cow", "265", "1980", {"east-germany"}),
        ("gw", "260", "1980", {"west-germany"}),
        ("gw", "260", "2008", {"germany"}),
        ("gw", "260", "", {"west-germany", "germany"}),
        ("gw", "260", "1990", {"west-germany", "germany"}),
        ("cow", "345", "2008", {"serbia"}),
        ("cow", "345", "1980", {"yugoslavia"}),
        ("cow", "345", "2005", {"serbia-and-montenegro"}),
        ("gw", "340", "2008", {"serbia"}),
        ("gw", "345", "2008", set()),
        ("gw", "345", "1980", {"yugoslavia"}),
        ("cow", "315", "1980", {"czechoslovakia"}),
        ("cow", "316", "2008", {"czechia"}),
        ("iso3", "CSK", "1980", {"czechoslovakia"}),
        ("iso2", "CS", "1980", {"czechoslovakia"}),
        ("iso2", "CS", "2005", {"serbia-and-montenegro"}),
        ("cow", "365", "1980", {"soviet-union"}),
        ("cow", "365", "2008", {"russia"}),
        ("iso3", "SUN", "1980", {"soviet-union"}),
        ("cow", "678", "1980", {"yemen-arab-republic"}),
        ("cow", "679", "2008", {"yemen"}),
        ("gw", "678", "2008", {"yemen"}),
        ("gw", "678", "1980", {"yemen-arab-republic"}),
        ("cow", "625", "2008", {"sudan"}),
        ("cow", "626", "2008", set()),
        ("cow", "626", "2012", {"south-sudan"}),
        ("fips", "CH", "", {"china"}),
        ("iso2", "CH", "", {"switzerland"}),
        ("fips", "SN", "", {"singapore"}),
        ("iso2", "SN", "", {"senegal"}),
        ("fips", "BM", "", {"myanmar"}),
        ("iso2", "BM", "", {"bermuda"}),
        ("fips", "RP", "", {"philippines"}),
        ("fips", "KS", "", {"south-korea"}),
        ("fips", "VM", "", {"vietnam"}),
        ("cow", "775", "2008", {"myanmar"}),
        ("dac", "635", "", {"myanmar"}),
        ("dac", "725", "", {"brunei"}),
        ("dac", "761", "", {"singapore"}),
        ("vdem", "brunei", "", set()),
        ("cow-igo-ioname", "AsDB", "", {"adb"}),
        ("cow-igo-ioname", "AfDB", "", set()),
        ("cow-igo-ioname", "APT", "", set()),
        ("wb", "XKX", "", {"kosovo"}),
        ("m49", "4", "", {"afghanistan"}),
        ("iso3", "hkg", "", {"hong-kong"}),
        ("wikidata", "Q17", "", {"japan"}),
        ("geonames", "1814991", "", {"china"}),
        ("eurovoc", "5969", "", {"china"}),
        ("ror", "00r2tnt10", "", set()),
        ("cameo-country", "CHN", "", {"china"}),
        ("desta", "67", "", {"china-asean-fta"}),
        ("imf", "924", "", {"china"}),
    ],
)
def test_a_code_means_what_it_means_on_that_day(
    client: Client, table: Crosswalk, scheme: str, code: str, date: str, things: set[str]
) -> None:
    """Over HTTP, and in the tables that answer many at once."""
    given = {"scheme": scheme, "code": code, **({"date": date} if date else {})}
    reply = client.get("/resolve", **given).json()
    found = reply["rows"]
    assert isinstance(found, list)
    assert {str(row["thing"]).partition(":")[2] for row in found} == things
    assert (reply["note"] is None) == bool(things)
    assert all(row["source"] for row in found)
    days = {"": OPEN}.get(date) or ((date, date) if len(date) == 10 else (f"{date}-01-01", f"{date}-12-31"))
    meant = table.meant(table.scheme(scheme), code, *days)
    assert {one.thing.rpartition("/")[2] for one in meant} == things
    spans = {(one.first or None, None if one.last == OPEN[1] else one.last) for one in meant}
    assert {(row["begins"], row["ends"]) for row in found} == spans


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({"from": "cow", "to": "iso3166-1-alpha3", "code": "710", "date": "2008-01-01"}, [("CHN", "1860-10-25", None)]),
        ({"from": "iso3", "to": "cow", "code": "DEU", "date": "2008"}, [("255", "1990-10-03", None)]),
        ({"from": "gw", "to": "cow", "code": "260"}, [("260", "1955-05-05", "1990-10-02"), ("255", "1990-10-03", None)]),
        ({"from": "cow", "to": "gw", "code": "679"}, [("678", "1990-05-22", None)]),
        ({"from": "cow", "to": "iso3", "code": "260"}, [(None, "1955-05-05", "1990-10-02")]),
        ({"from": "cow", "to": "iso3", "code": "365", "date": "1980"}, [("SUN", "1922-12-30", "1991-12-25")]),
        ({"from": "iso2", "to": "iso3", "code": "vn"}, [("VNM", None, None)]),
        ({"from": "m49", "to": "wb", "code": "76"}, [("BRA", None, None)]),
        ({"from": "cow", "to": "iso3", "code": "260", "date": "2008"}, []),
        ({"from": "iso3", "to": "ror", "code": "JPN"}, [(None, None, None)]),
    ],
)
def test_a_code_of_one_scheme_becomes_one_of_another(
    client: Client, given: dict[str, str], codes: list[tuple[str | None, ...]]
) -> None:
    found = client.rows("/convert", **given)
    assert [(row["becomes"], row["begins"], row["ends"]) for row in found] == codes


def test_convert_says_what_the_tables_say(client: Client, table: Crosswalk) -> None:
    """For every state whose numbers differ between COW and Gleditsch and Ward, and a few more."""
    odd = sorted(
        {
            one.code
            for iri in table.held
            for one in table.held[iri].get("cow-ccode", ())
            if set(table.codes(iri, "gw-number")) != {one.code}
        }
    )
    assert len(odd) > 10
    for code in [*odd, "2", "40", "710"]:
        found = {(row["thing"], row["becomes"]) for row in client.rows("/convert", **{"from": "cow", "to": "gw", "code": code})}
        expected = set()
        for one in table.meant("cow-ccode", code):
            its = table.codes(one.thing, "gw-number", one.first, one.last)
            both = table.held[one.thing].get("gw-number", ())
            if its or not both:
                expected |= {(one.thing, its_code) for its_code in its or (None,)}
        assert {(ID + str(thing).replace(":", "/"), becomes) for thing, becomes in found} == expected, code


def test_all_codes_of_a_thing_are_those_of_both_graphs(client: Client, table: Crosswalk, prefixes: Prefixes) -> None:
    for thing in ("actor:japan", "actor:asean", "actor:south-africa", "place:hong-kong", "actor:brunei"):
        iri = prefixes.expand(thing) or ""
        found = client.rows("/codes", thing=thing)
        said = {(row["in_scheme"], row["as_code"]) for row in found}
        assert said == {(scheme, one.code) for scheme, held in table.held[iri].items() for one in held}, thing
    then = {row["in_scheme"] for row in client.rows("/codes", thing="germany", date="1980")}
    assert "cow-ccode" not in then and "iso3166-1-alpha3" in then


def test_a_scheme_that_is_none_is_refused_with_those_that_are(client: Client, table: Crosswalk) -> None:
    reply = client.get("/resolve", scheme="cown", code="710")
    assert reply.status == 422
    assert {"cow,", "iso3166-1-alpha3,", "gw-number,"} <= set(str(reply.json()["accepted"]).split())
    with pytest.raises(BadParameter, match=r"There is no scheme 'cown'; there are .* cow, "):
        table.scheme("cown")


def test_states_that_the_article_does_not_name_are_in_no_answer_on_the_article(client: Client, table: Crosswalk) -> None:
    lines = client.get("/graph/states", "application/n-triples").body.decode().splitlines()
    labelled = {line.split()[0].strip("<>") for line in lines if "core#prefLabel" in line}
    outside = {iri.replace(ID, "").replace("/", ":") for iri in labelled if iri in table.things}
    listed = {str(row["thing"]) for path in ("/actors", "/things?kind=actor", "/things?kind=state") for row in client.rows(path)}
    assert listed & outside == set()
    assert len(outside) > 180 and "actor:south-africa" in outside
    assert {str(row["thing"]) for row in client.rows("/identifiers", scheme="cow-ccode")} & outside == set()
    plain = client.get("/sparql", "text/csv", query="SELECT ?s WHERE { ?s a <https://w3id.org/suasion/def#State> }")
    assert len(plain.body.splitlines()) == 18 + 1
    hit = client.rows("/search", text="Afghanistan")[0]
    assert (hit["thing"], hit["kind"]) == ("actor:afghanistan", "outside")


def test_each_scheme_says_where_its_codes_are_from(client: Client) -> None:
    reply = client.get("/graph/states", "application/n-triples")
    triples = reply.body.decode().splitlines()
    schemes = {line.split()[0] for line in triples if "rdf-schema#Datatype" in line}
    sources = {line.split()[0] for line in triples if "dc/terms/source" in line and '"' in line}
    assert len(schemes) == 15 and schemes == sources


def test_whole_names_are_compared_whatever_their_order_and_short_forms() -> None:
    key = crosswalk.name_key
    assert key("Korea, Rep.") == key("Republic of Korea") == key("REPUBLIC OF KOREA")
    assert key("N. Korea") == key("North Korea") != key("South Korea")
    assert key("St. Lucia") == key("Saint Lucia")
    assert key("中国") != key("国中"), "the order of characters is the word"
    assert key("The") == ()
