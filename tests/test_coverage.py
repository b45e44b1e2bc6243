"""What the curated questions cover: answers read from the article and its data, and sums that have to agree."""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from conftest import ROOT, Client
from suasion import catalog
from suasion.loading import Dataset

QUERIES = catalog.load(ROOT / "queries" / "api")
Row = dict[str, object]


def rows(client: Client, path: str, **given: object) -> list[Row]:
    """Return all rows, page by page."""
    found: list[Row] = []
    url: object = f"{path}?{urlencode(given)}"
    while url:
        document = client.send("GET", str(url)).json()
        found += document["rows"]  # type: ignore[arg-type]
        url = document["links"]["next"]  # type: ignore[index]
    return found


def only(found: list[Row]) -> Row:
    assert len(found) == 1, found
    return found[0]


def listed(row: Row, column: str) -> list[str]:
    value = row[column]
    assert isinstance(value, list), (column, value)
    return value


def number(row: Row, column: str) -> int:
    value = row[column]
    assert isinstance(value, int), (column, value)
    return value


def claims_of(found: list[Row], column: str = "claims") -> set[str]:
    return {claim for row in found for claim in listed(row, column)}


@pytest.fixture(scope="module")
def all_claims(client: Client) -> set[str]:
    return {str(row["claim"]) for row in rows(client, "/claims")}


# ── All of them ─────────────────────────────────────────────────────────────


def test_each_answer_has_its_claims() -> None:
    """The search has things and claims as its rows; codes of states and datasets come from elsewhere, and rest on no claim."""
    without = [q.name for q in QUERIES if not {"claim", "claims"} & q.columns.keys()]
    assert without == ["codes", "convert", "datasets", "resolve", "search", "suggest"]
    assert [q.name for q in QUERIES if "claims" in q.columns and not q.columns["claims"].is_list] == []


def test_a_column_of_names_stands_beside_one_of_things() -> None:
    faults = [
        f"{query.name}: {column}"
        for query in QUERIES
        for column in query.columns
        for thing, many in named_by(column)
        if not {t for t in thing if t in query.columns and query.columns[t].is_list == many}
    ]
    assert faults == []


def named_by(column: str) -> Iterator[tuple[set[str], bool]]:
    """Yield what a column of names may name: one column for `_name`, a list for `_names`."""
    if column.endswith("_name"):
        yield {column.removesuffix("_name")}, False
    if column.endswith("_names"):
        stem = column.removesuffix("_names")
        plurals = {stem, stem + "s", stem[:-1] + "ies", "bodies"}
        yield plurals, True


@pytest.mark.parametrize("query", QUERIES, ids=[q.name for q in QUERIES])
def test_things_are_given_by_iri_and_claims_are_claims(client: Client, query: catalog.Query, all_claims: set[str]) -> None:
    needed = {p.name: p.example for p in query.parameters if p.required}
    found = rows(client, f"/{query.name}", **needed)
    for column in query.columns:
        if column.endswith(("_name", "_names")):
            things = next(c for thing, _ in named_by(column) for c in thing if c in query.columns)
            values = [v for row in found for v in (listed(row, things) if query.columns[things].is_list else [row[things]]) if v]
            assert all(":" in str(v) and " " not in str(v) for v in values) or things in ("value", "neighbour"), (
                column,
                values[:5],
            )
    if "claims" in query.columns:
        assert claims_of(found) <= all_claims
    if "claim" in query.columns:
        assert {str(row["claim"]) for row in found if row["claim"]} <= all_claims


@pytest.mark.parametrize("name", ["things", "coverage", "coverage/sentences", "passages", "facets", "claims"])
def test_no_claim_is_left_out(client: Client, name: str, all_claims: set[str]) -> None:
    assert len(all_claims) == 600
    found = rows(client, f"/{name}")
    assert (claims_of(found) if name != "claims" else {row["claim"] for row in found}) == all_claims


def test_no_column_of_names_shows_the_end_of_an_iri(client: Client, dataset: Dataset) -> None:
    """Some names are one word with hyphens, such as think-tank; those are labels of the data."""
    labels = {
        str(solution[0].value)
        for solution in dataset.union.query("SELECT ?label { ?x <http://www.w3.org/2004/02/skos/core#prefLabel> ?label }")  # type: ignore[union-attr]
    }
    shown = set()
    for query in QUERIES:
        if query.name == "datasets":
            continue
        found = rows(client, f"/{query.name}", **{p.name: p.example for p in query.parameters if p.required}, provenance="none")
        for row in found:
            texts = {column: value if isinstance(value, list) else [value] for column, value in row.items()}
            ends = {re.sub(r"^.*[/#:]", "", str(value)) for values in texts.values() for value in values if ":" in str(value)}
            for column, values in texts.items():
                if column in ("name", "label") or column.endswith(("_name", "_names")):
                    shown |= {f"{query.name}.{column}: {v}" for v in values if v in ends and "-" in v and v not in labels}
    assert sorted(shown) == []


# ── Things and counts ───────────────────────────────────────────────────────


def test_things_of_a_kind(client: Client) -> None:
    persons = {row["name"] for row in rows(client, "/things", kind="person")}
    assert {"Koizumi Junichiro", "Aso Taro", "Abe Shinzo"} < persons
    states = {row["thing"]: row for row in rows(client, "/things", kind="state")}
    assert states["actor:south-korea"]["in_text"] is True
    assert states["actor:brunei"]["in_text"] is False
    assert (states["actor:brunei"]["count"], states["actor:brunei"]["claims"]) == (0, [])
    assert {"actor", "place", "state"} <= set(listed(states["actor:laos"], "kinds"))


def test_every_kind_of_thing_is_offered_and_has_things(client: Client) -> None:
    offered = next(p for q in QUERIES if q.name == "things" for p in q.parameters if p.name == "kind").values
    there = Counter(kind for row in rows(client, "/things") for kind in listed(row, "kinds"))
    assert sorted(there) == sorted(offered)


def test_facets_add_up_to_the_claims(client: Client, all_claims: set[str]) -> None:
    for facet in ("modality", "claim kind", "section"):
        found = rows(client, "/facets", by=facet)
        assert sum(number(row, "count") for row in found) == len(all_claims)
        assert all(number(row, "count") == len(listed(row, "claims")) for row in found)
    hedged = {row["value"]: row["count"] for row in rows(client, "/facets", by="section", modality="Hedged")}
    assert hedged == {row["section"]: row["hedged"] for row in rows(client, "/coverage") if row["hedged"]}


def test_facets_agree_with_the_lists_that_they_count(client: Client) -> None:
    kinds = {row["value"]: row["count"] for row in rows(client, "/facets", by="kind")}
    said = [row for row in rows(client, "/things") if row["claims"]]
    assert kinds == Counter(kind for row in said for kind in listed(row, "kinds"))
    years = {row["value"]: row["count"] for row in rows(client, "/facets", by="year")}
    assert years[2008] == len(rows(client, "/claims", year=2008))
    actors = {row["value"]: row["count"] for row in rows(client, "/facets", by="actor")}
    assert actors["actor:cambodia"] == len(rows(client, "/claims", actor="actor:cambodia"))
    modalities = {row["value"]: row["count"] for row in rows(client, "/facets", by="modality", actor="actor:china")}
    assert modalities[":Hedged"] == len(rows(client, "/claims", actor="actor:china", modality="Hedged"))


def test_the_neighbourhood_goes_both_ways(client: Client) -> None:
    found = rows(client, "/neighbourhood", thing="initiative:jenesys")
    out = {(row["property"], row["neighbour"]) for row in found if row["direction"] == "out"}
    assert {(":sponsor", "actor:japan"), (":status", ":Announced"), (":budget", "figure:jenesys-budget")} <= out
    into = {(row["property"], row["neighbour"]) for row in found if row["direction"] == "in"}
    assert (":figureOf", "figure:jenesys-budget") in into
    budget = only([row for row in found if row["property"] == ":budget"])
    assert (budget["claims"], budget["modalities"], budget["facts"]) == (
        ["claim:jenesys-budget-315-million-dollars"],
        [":ReportedFromSource"],
        1,
    )
    assert only([row for row in found if row["property"] == ":namedInText"])["claims"] == []
    assert client.get("/neighbourhood", thing="actor:atlantis").status == 404


def test_an_entity_is_told_once_and_without_what_is_derived(client: Client) -> None:
    found = rows(client, "/entity", thing="actor:asean")
    keys = [tuple(str(row[c]) for c in ("claim", "subject", "property", "value")) for row in found]
    assert len(keys) == len(set(keys))
    assert not {":standsIn", ":kindName", ":includesYear"} & {row["property"] for row in found}
    told = {str(row["claim"]) for row in found if row["claim"]}
    assert told == {str(row["claim"]) for row in rows(client, "/claims", thing="actor:asean")}


def test_a_node_without_a_name_is_an_entity_too(client: Client) -> None:
    found = rows(client, "/entity", thing="figure:jenesys-budget")
    assert {(":value", 315000000), (":currency", "currency:USD")} <= {(row["property"], row["value"]) for row in found}
    assert {row["claim"] for row in found} == {"claim:jenesys-budget-315-million-dollars"}


# ── Money ───────────────────────────────────────────────────────────────────


def test_what_japan_gave_cambodia(client: Client) -> None:
    found = rows(client, "/flows", donor="actor:japan", recipient="actor:cambodia", year=2008, **{"in": "currency:JPY"})
    given = {(row["value"], row["currency"], row["printed"], *listed(row, "instruments")) for row in found}
    assert given == {
        (330000000, "currency:JPY", "330 million yen grant aid", "instrument:grant-aid", "instrument:rural-development-aid"),
        (
            1390000000,
            "currency:JPY",
            "1.39 billion yen grant aid",
            "instrument:grant-aid",
            "instrument:health-infrastructure-aid",
        ),
        (3700000000, "currency:JPY", "3.7 billion yen loan", "instrument:loan-aid"),
    }
    assert all((row["state"], row["period_names"]) == ("done", ["2008"]) for row in found)


def test_a_pledge_is_planned_and_a_flow_without_amount_has_none(client: Client) -> None:
    found = {row["flow"]: row for row in rows(client, "/flows")}
    assert (found["initiative:fukuda-aid-pledge-1977"]["state"], found["initiative:jaif"]["state"]) == ("planned", "done")
    korean = found["initiative:korea-aid-to-asean"]
    assert (korean["value"], korean["currency"], korean["donor_names"]) == (None, None, ["South Korea"])
    assert found["initiative:china-annual-aid"]["frequency"] in (":Annual", None)


def test_flows_say_who_says_so_and_where(client: Client) -> None:
    flow = only([row for row in rows(client, "/flows") if row["flow"] == "initiative:japan-cambodia-health-2008"])
    assert (flow["markers"], flow["passages"], flow["ranges"]) == ([20], ["passage:s145-health"], ["18408-18431 18504-18573"])


def test_flows_without_a_recipient_say_whom_or_where_they_are_for(client: Client) -> None:
    """The text names no recipient: of JENESYS it names the students, of the projects the place."""
    found = {row["flow"]: row for row in rows(client, "/flows")}
    jenesys, mekong = found["initiative:jenesys"], found["initiative:japan-mekong-projects-1999-2003"]
    assert (jenesys["recipients"], jenesys["beneficiaries"]) == ([], ["actor:students-from-asean-and-eas"])
    assert (mekong["recipients"], mekong["places"]) == ([], ["place:mekong-basin"])
    totals = rows(client, "/flow-totals", per="recipient")
    assert {row["key"]: row["total"] for row in totals if row["claims"] == ["claim:jenesys-budget-315-million-dollars"]} == {
        "actor:students-from-asean-and-eas": 315_000_000
    }
    assert {row["key"]: row["total"] for row in totals if str(row["key"]).startswith("place:")} == {
        "place:malacca-straits": 1_570_000_000,
        "place:mekong-basin": 115_000_000_000,
    }
    assert [row["claims"] for row in totals if row["key"] is None] == [
        ["claim:china-annual-aid-970-million-by-official-statistics"]
    ]


def test_flows_are_the_quantities_of_money_with_a_provider(client: Client) -> None:
    flows = Counter(row["figure"] for row in rows(client, "/flows") if row["value"])
    quantities = {
        row["figure"]
        for row in rows(client, "/quantities")
        if row["value"] and row["providers"] and ":MoneyAmount" in listed(row, "kinds")
    }
    assert set(flows) == quantities
    assert set(flows.values()) == {1}
    assert len(flows) == 14


def test_totals_never_mix_currencies_or_plans_with_deeds(client: Client) -> None:
    flows = [row for row in rows(client, "/flows") if row["value"]]
    expected: Counter[tuple[object, ...]] = Counter()
    for row in flows:
        expected[row["currency"], row["state"], row["frequency"]] += number(row, "value")
    totals = rows(client, "/flow-totals", per="all")
    assert {(r["currency"], r["state"], r["frequency"]): r["total"] for r in totals} == dict(expected)
    assert expected["currency:USD", "planned", None] == 1_000_000_000 + 3_000_000_000 + 315_000_000
    by_donor: Counter[tuple[object, ...]] = Counter()
    for row in rows(client, "/flow-totals", per="donor"):
        by_donor[row["currency"], row["state"], row["frequency"]] += number(row, "total")
    assert by_donor == expected
    assert claims_of(totals) <= claims_of(flows)


def test_totals_by_recipient(client: Client) -> None:
    row = only(rows(client, "/flow-totals", per="recipient", recipient="actor:cambodia"))
    assert (row["key"], row["currency_name"], row["total"], row["flows"]) == ("actor:cambodia", "JPY", 5_420_000_000, 3)
    nargis = only([r for r in rows(client, "/flow-totals", per="donor", donor="actor:china") if not r["frequency"]])
    assert (nargis["total"], nargis["bounds"]) == (10_000_000, [":MoreThan"])


def test_quantities_by_bound(client: Client) -> None:
    found = rows(client, "/quantities", bound="MoreThan")
    assert {row["bound"] for row in found} == {":MoreThan"}
    assert {"figure:japan-aid-to-asean-1969-2005", "figure:cafta-total-trade-2007"} <= {row["figure"] for row in found}
    assert "figure:confucius-institutes-budget" in {row["figure"] for row in rows(client, "/quantities", bound="Unstated")}
    yen = rows(client, "/quantities", **{"in": "currency:JPY"})
    assert {row["unit_name"] for row in yen} == {"JPY"}
    trade = only([row for row in yen if row["figure"] == "figure:japan-asean-trade-2006"])
    assert (trade["of"], trade["counterparts"], trade["periods"]) == (["actor:japan"], ["actor:asean"], ["period:2006"])
    assert trade["markers"] == [29]


# ── Who does what ───────────────────────────────────────────────────────────


def test_things_rest_on_all_claims_of_the_modality(client: Client) -> None:
    jenesys = only([r for r in rows(client, "/initiatives", actor="actor:abe-shinzo") if r["thing"] == "initiative:jenesys"])
    assert (jenesys["sponsors"], jenesys["sponsor_names"]) == (["actor:japan"], ["Japan"])
    assert (jenesys["amounts"], jenesys["amount_names"]) == (["figure:jenesys-budget"], ["US$ 315 million"])
    assert jenesys["statuses"] == [":Announced"]
    assert len(listed(jenesys, "claims")) > number(jenesys, "matching") > 0
    ajcep = only([r for r in rows(client, "/agreements") if r["thing"] == "agreement:ajcep"])
    assert ajcep["party_names"] == ["ASEAN", "Japan"]
    assert "entry into force: late 2008" in listed(ajcep, "milestone_names")
    expo = only([r for r in rows(client, "/events") if r["thing"] == "event:china-asean-expo-2008"])
    assert (expo["organisers"], expo["periods"]) == (["actor:china"], ["period:2008-10"])
    poll = only([r for r in rows(client, "/events") if r["thing"] == "event:poll-japan-image-2008"])
    assert len(listed(poll, "places")) == 6
    vietnam = only([r for r in rows(client, "/actors") if r["thing"] == "actor:vietnam"])
    assert {"cow-ccode=816", "iso3166-1-alpha3=VNM"} <= set(listed(vietnam, "codes"))
    assert "actor:asean" in listed(vietnam, "bodies")
    loans = only([r for r in rows(client, "/instruments") if r["thing"] == "instrument:loan-aid"])
    assert "instrument:foreign-aid" in listed(loans, "broader")
    assert loans["users"] == ["actor:japan"]


def test_the_matrix_and_the_comparison_agree(client: Client) -> None:
    pair = {row["instrument"]: row for row in rows(client, "/comparison", a="actor:china", b="actor:japan")}
    for actor, side in (("actor:china", "a"), ("actor:japan", "b")):
        cells = rows(client, "/matrix", actor=actor)
        assert all(number(cell, "count") == len(listed(cell, "claims")) for cell in cells)
        for instrument, row in pair.items():
            mine = claims_of([cell for cell in cells if cell["instrument"] == instrument])
            assert mine == set(listed(row, f"claims_{side}"))
            assert len(mine) == number(row, f"count_{side}")
    assert all(set(listed(r, "claims")) == set(listed(r, "claims_a")) | set(listed(r, "claims_b")) for r in pair.values())
    aid = [r for r in rows(client, "/matrix", under="instrument:foreign-aid") if r["actor"] == "actor:japan"]
    assert "instrument:grant-aid" in {row["instrument"] for row in aid}
    assert {row["period_name"] for row in aid if row["instrument"] == "instrument:grant-aid"} == {"2008"}


def test_uses_name_user_means_and_target(client: Client) -> None:
    found = rows(client, "/uses", actor="actor:china")
    tourism = [row for row in found if "instrument:tourism-promotion" in listed(row, "instruments")]
    assert tourism
    assert all(row["claim"] for row in tourism)
    assert {user for row in tourism for user in listed(row, "users")} == {"actor:china"}


def test_effects_say_what_hinders_what(client: Client) -> None:
    found = rows(client, "/effects", relation="hinders")
    assert ("relationship:japan-ally-of-asean", "concept:ambitions-of-china") in {(r["subject"], r["object"]) for r in found}
    assert {row["relation"] for row in found} == {":hinders"}


def test_assessments_have_their_degree(client: Client) -> None:
    found = [row for row in rows(client, "/assessments") if "cautious" in listed(row, "quality_names")]
    assert {(*listed(row, "degrees"), row["modality"]) for row in found} == {(":Comparative", ":Evaluated")}


def test_a_dialogue_partner_since_1991(client: Client) -> None:
    row = only(rows(client, "/relationships", actor="actor:south-korea"))
    assert (row["kind_names"], row["period_names"]) == (["formal dialogue partner"], ["since 1991"])


def test_members_of_asean_at_a_date(client: Client) -> None:
    def members(day: str) -> set[object]:
        return {row["member"] for row in rows(client, "/memberships", body="actor:asean", at=day)}

    assert len(members("2009-01-01")) == 10
    assert members("2009-01-01") - members("1999-04-29") == {"actor:cambodia"}
    assert members("1967-08-07") == set()
    leader = only(rows(client, "/memberships", body="actor:japan", at="2009-01-01"))
    assert (leader["member_name"], leader["from_text"], leader["claim"]) == ("Aso Taro", False, None)
    of_vietnam = rows(client, "/memberships", member="actor:vietnam")
    assert {"actor:asean", "actor:clmv"} <= {row["body"] for row in of_vietnam}
    assert {row["from_text"] for row in of_vietnam} == {True, False}
    assert all((row["claim"] is not None) == row["from_text"] for row in of_vietnam)


def test_members_in_a_year_or_a_month_are_those_of_any_of_its_days(client: Client) -> None:
    def ministers(at: str) -> list[object]:
        return [row["member_name"] for row in rows(client, "/memberships", body="actor:japan", at=at)]

    assert ministers("2008") == ministers("2008-09") == ["Aso Taro", "Yasuo Fukuda"]
    assert ministers("2008-10") == ministers("2008-10-01") == ["Aso Taro"]
    assert ministers("2006/2007") == ["Abe Shinzo", "Koizumi Junichiro", "Yasuo Fukuda"]


def test_events_of_a_year_are_those_that_took_place_in_it(client: Client) -> None:
    assert "event:second-asean-summit-1977" in {row["thing"] for row in rows(client, "/events", year=1977)}
    of_2008 = rows(client, "/events", year=2008)
    assert "event:poll-japan-image-2008" in {row["thing"] for row in of_2008}
    assert {name for row in of_2008 for name in listed(row, "period_names")} == {"2008", "October 2008"}


def test_steps_toward_a_body_of_two_are_found_by_either(client: Client) -> None:
    steps = {row["milestone"]: row for row in rows(client, "/milestones", actor="actor:china")}
    assert steps["milestone:asean-china-center-establishment"]["state"] == "planned"
    assert steps["milestone:asean-china-center-mou-negotiation"]["state"] == "under way"
    assert steps["milestone:tianjin-eco-city-start"]["state"] == "done"


def test_steps_of_an_agreement(client: Client) -> None:
    found = rows(client, "/milestones", of="agreement:ajcep")
    assert {(row["stage"], row["period_name"]) for row in found} == {
        (":Negotiation", None),
        (":Signature", "late 2008"),
        (":EntryIntoForce", "late 2008"),
    }
    planned = {row["milestone"] for row in rows(client, "/milestones") if row["state"] == "planned"}
    assert "milestone:japan-asean-6-fta-realisation" in planned
    assert "milestone:tokyo-declaration-signature" not in planned


# ── Time ────────────────────────────────────────────────────────────────────


def test_the_timeline_tells_plans_from_deeds_and_when_they_were_claimed(client: Client) -> None:
    late = rows(client, "/timeline", **{"from": 2012})
    assert {row["state"] for row in late if row["begins"] and str(row["begins"]) >= "2012"} == {"planned"}
    early = rows(client, "/timeline", to=1959)
    assert {"1950s", "since the 1950s"} <= {row["period_name"] for row in early}
    assert "1977" not in {row["period_name"] for row in early}
    pledge = [row for row in rows(client, "/timeline", year=1977) if "fukuda-aid-pledge" in str(row["thing"])]
    assert {(row["thing"], row["state"]) for row in pledge} == {
        ("initiative:fukuda-aid-pledge-1977", "planned"),
        ("figure:fukuda-aid-pledge-1977", "planned"),
        ("milestone:fukuda-aid-pledge-1977", "done"),
    }
    assert {row["claimed"] for row in pledge} == {"2009-02-17"}


def test_what_begins_in_the_year_comes_before_what_spans_it(client: Client) -> None:
    found = [(row["in_year"], str(row["begins"])[:4]) for row in rows(client, "/timeline", year=2008)]
    begun = [year for kind, year in found if kind == "begins"]
    assert begun and set(begun) == {"2008"} and "2008" not in {year for kind, year in found if kind == "spans"}
    assert [kind for kind, _ in found] == sorted(str(kind) for kind, _ in found)
    assert {row["in_year"] for row in rows(client, "/timeline")} == {None}


def test_what_was_claimed_before_the_article(client: Client) -> None:
    found = rows(client, "/timeline", known_by=2008)
    assert {row["claim"] for row in found} == {
        "claim:poll-2008-japan-contribution-positive-92-percent",
        "claim:poll-2008-japan-friendly-96-percent",
        "claim:poll-2008-japan-trustworthy-friend-93-percent",
    }
    assert rows(client, "/timeline", known_by=2009) == rows(client, "/timeline")


@pytest.mark.parametrize("name", ["claims", "timeline", "quantities", "initiatives", "flows", "matrix"])
def test_a_year_out_of_all_periods_has_nothing(client: Client, name: str) -> None:
    assert rows(client, f"/{name}", year=1949) == []
    assert rows(client, f"/{name}", year=2018) == []
    assert rows(client, f"/{name}", year=2007) != []


# ── Who says so, and where ──────────────────────────────────────────────────


def test_who_is_quoted_for_what(client: Client) -> None:
    koizumi = rows(client, "/quotations", by="actor:koizumi-junichiro")
    assert "the most effective assistance" in {row["phrase"] for row in koizumi}
    assert {"27", "28"} == {str(m) for row in koizumi for m in listed(row, "markers")}
    held = {claim for row in koizumi for claim in listed(row, "held")}
    assert "claim:koizumi-on-countries-living-on-their-own" in held
    no_one = {row["phrase"] for row in rows(client, "/quotations") if not row["speaker"]}
    assert "leadership deficit" in no_one
    quoted = {row["claim"] for row in rows(client, "/quotations", modality="Quoted")}
    assert quoted == {row["claim"] for row in rows(client, "/claims", modality="Quoted")}


def test_whose_claim_it_is(client: Client, all_claims: set[str]) -> None:
    quoted = rows(client, "/claims", asserter="actor:koizumi-junichiro")
    assert {row["modality"] for row in quoted} == {":Quoted"}
    authors = rows(client, "/claims", asserter="actor:article-authors")
    assert len(authors) == len(all_claims) - len(rows(client, "/claims", modality="Quoted"))
    statistics = rows(client, "/claims", credits="actor:chinese-official-statistics")
    assert all(row["asserters"] == ["actor:article-authors"] for row in statistics)
    assert statistics


def test_what_a_note_backs_and_where_its_marker_stands(client: Client) -> None:
    found = rows(client, "/notes")
    assert {row["marker"] for row in found} == set(range(1, 40))
    assert {row["marker"] for row in found if row["place"] == "after"} == {1, 27, 28}
    assert {row["marker_range"] for row in found if row["marker"] == 21} == {"18767-18771"}
    shares = rows(client, "/sources", **{"as": "note marker"})
    assert {row["source"]: row["rests"] for row in shares} == Counter(f"note:{row['marker']}" for row in found)


def test_note_markers_stand_where_the_source_has_them(client: Client, article: object) -> None:
    if article is None:
        pytest.skip("the source text is not given")
    text = (article / "article.txt").read_text(encoding="utf-8")  # type: ignore[operator]
    found = rows(client, "/notes")
    assert len({row["marker"] for row in found}) == 39
    for row in found:
        start, end = map(int, str(row["marker_range"]).split("-"))
        assert text[start:end] == f"[{row['marker']}]"


def test_what_credits_rest_on(client: Client) -> None:
    roles = Counter(row["role"] for row in rows(client, "/sources"))
    assert roles["note marker"] == 39
    credited = {row["source"]: row for row in rows(client, "/sources", **{"as": "credited"})}
    assert credited["event:poll-japan-image-2008"]["rests"] == 3
    assert claims_of(list(credited.values())) == {row["claim"] for row in rows(client, "/claims") if row["credited"]}


def test_contradictions_stand_side_by_side(client: Client) -> None:
    denied = rows(client, "/contradictions", relation="cito:disagreesWith")
    pairs = {(row["claim"], row["other"]) for row in denied}
    assert ("claim:chinese-arrivals-above-15-million-a-year-2000s", "claim:chinese-tourists-to-asean-3-4-million-2007") in pairs
    assert len(pairs) == 5
    assert all(set(listed(row, "claims")) == {row["claim"], row["other"]} for row in denied)
    cautious = {row["claim"] for row in rows(client, "/contradictions", section="1")}
    assert "claim:china-more-practical-in-strategic-arrangements" in cautious


def test_each_contradiction_stands_once_and_denials_come_first(client: Client) -> None:
    found = rows(client, "/contradictions")
    pairs = Counter(frozenset((row["claim"], row["other"])) for row in found)
    assert set(pairs.values()) == {1}
    kinds = [str(row["kind"]) for row in found]
    assert kinds == sorted(kinds, key=["denial", "limit", "contrast"].index)
    assert {(row["kind"], row["relation"]) for row in found} == {
        ("denial", "cito:disagreesWith"),
        ("limit", "cito:qualifies"),
        ("contrast", ":contrastsWith"),
    }
    later = "claim:japan-asean-6-fta-possible-in-2012"
    opposed = {row["other"] for row in rows(client, "/contradictions", section="2.2") if row["claim"] == later}
    assert opposed == {"claim:tokyo-declaration-aims-at-fta-before-2012"}
    both = {row["claim"] for row in rows(client, "/contradictions", relation=":contrastsWith")}
    assert "claim:small-states-can-profit-from-soft-power-struggles" in both


def test_cautions_name_their_claims(client: Client) -> None:
    found = rows(client, "/quality-notes", claim="claim:japan-asean-trade-1-8-trillion-yen-2006")
    assert found
    assert {row["section"] for row in found} == {"2.2"}
    noted = {row["claim"] for row in rows(client, "/claims") if row["quality_notes"]}
    assert noted == claims_of(rows(client, "/quality-notes"))


def test_a_sentence_and_its_parts(client: Client) -> None:
    found = rows(client, "/passages", of="passage:s145")
    assert [(row["passage"], row["kind"], row["claims"]) for row in found] == [
        ("passage:s145", "sentence", []),
        ("passage:s145-coastal-zone", "part", ["claim:japan-lent-cambodia-for-coastal-zone-2008"]),
        ("passage:s145-health", "part", ["claim:japan-granted-cambodia-for-health-2008"]),
        ("passage:s145-poverty", "part", ["claim:japan-granted-cambodia-for-rural-poverty-2008"]),
    ]
    assert found[0]["markers"] == [20]
    at = {row["passage"] for row in rows(client, "/passages", position=18504)}
    assert at == {"passage:s145", "passage:s145-health"}
    second = {row["claim"] for row in rows(client, "/claims", position=18504)}
    assert second == {"claim:japan-granted-cambodia-for-health-2008"}


def test_sentences_are_counted_with_their_claims(client: Client) -> None:
    found = {row["sentence"]: row for row in rows(client, "/coverage/sentences")}
    assert (found["passage:s145"]["claim_count"], found["passage:s145"]["parts"]) == (3, 3)
    sections = rows(client, "/coverage")
    assert sum(number(row, "claim_count") for row in sections) == sum(number(row, "claim_count") for row in found.values())
    assert all(number(row, "claim_count") == len(listed(row, "claims")) for row in (*sections, *found.values()))


def test_a_claim_names_its_parts(client: Client) -> None:
    found = rows(client, "/claim", claim="claim:japan-granted-cambodia-for-health-2008")
    assert {row["claim"] for row in found} == {"claim:japan-granted-cambodia-for-health-2008"}
    recipient = only([row for row in found if row["property"] == ":recipient"])
    assert (recipient["value"], recipient["value_name"]) == ("actor:cambodia", "Cambodia")


# ── Ranks, polls, names ─────────────────────────────────────────────────────


def test_ranks_among_trade_partners(client: Client) -> None:
    ranks = {
        (*listed(r, "subjects"), *listed(r, "counterparts"), r["measure"]): r["value"]
        for r in rows(client, "/rankings")
        if r["kind"] == ":Rank"
    }
    assert ranks == {
        ("actor:asean", "actor:japan", "measure:trade-partner-rank"): 3,
        ("actor:japan", "actor:asean", "measure:export-partner-rank"): 4,
        ("actor:japan", "actor:asean", "measure:import-partner-rank"): 2,
    }
    laos = only([row for row in rows(client, "/rankings") if "actor:laos" in listed(row, "receivers")])
    assert (laos["relation"], laos["value"], laos["unit_name"], laos["counterparts"]) == (
        ":Greater",
        3,
        "times",
        ["actor:united-states"],
    )


def test_findings_of_the_poll(client: Client) -> None:
    found = {row["image_name"]: row for row in rows(client, "/surveys")}
    assert {name: row["value"] for name, row in found.items()} == {
        "trustworthy friend": 93,
        "friendly country": 96,
        "positive image": 92,
    }
    assert len(listed(found["friendly country"], "places")) == 6
    assert {str(m) for m in listed(found["friendly country"], "markers")} == {"39"}
    seen = [row for row in rows(client, "/perceptions") if row["perceiver_names"] == ["respondents of the 2008 poll"]]
    assert {row["figure"] for row in seen} == {row["figure"] for row in found.values()}


def test_all_findings_of_the_poll_speak_of_the_countries_where_it_was_held(client: Client) -> None:
    findings = {row["claim"] for row in rows(client, "/surveys")}
    for country in ("indonesia", "malaysia", "philippines", "singapore", "thailand", "vietnam"):
        assert findings <= {row["claim"] for row in rows(client, "/claims", actor=f"actor:{country}")}
    notes = rows(client, "/quality-notes", claim="claim:poll-2008-japan-friendly-96-percent")
    assert any("who ran the poll" in str(row) and "how many were asked" in str(row) for row in notes)


@pytest.mark.parametrize(("text", "also"), [("USIA", "usia"), ("Aid", "aid"), ("alliance francaise", "Alliance Franc\u0327aise")])
def test_a_text_is_found_at_the_beginnings_of_words(client: Client, text: str, also: str) -> None:
    found = rows(client, "/claims", text=text)
    assert found == rows(client, "/claims", text=also) != []
    pattern = re.compile(r"\b" + text.replace("francaise", "française"), re.IGNORECASE)
    assert [row["summary"] for row in found if not pattern.search(str(row["summary"]))] == []
    assert {row["claim"] for row in rows(client, "/claims") if pattern.search(str(row["summary"]))} == {
        row["claim"] for row in found
    }


def test_a_text_without_words_fits_no_claim(client: Client) -> None:
    assert rows(client, "/claims", text="...") == rows(client, "/claims", text="nthusiasm") == []


def test_spellings_in_their_scripts(client: Client) -> None:
    pinyin = rows(client, "/names", script="zh-latn-pinyin")
    assert {row["form"] for row in pinyin} == {"mulin waijiao", "gonggong waijiao", "weixiao waijiao"}
    assert all(row["claims"] for row in pinyin)
    burma = {row["form"] for row in rows(client, "/names", thing="actor:myanmar")}
    assert burma == {"Burma", "Myanmar", "Burma (Myanmar)"}


def test_codes_of_a_scheme(client: Client) -> None:
    cow = {row["thing"]: row for row in rows(client, "/identifiers", scheme="cow-ccode")}
    assert len(cow) == 18
    assert (cow["actor:vietnam"]["code"], cow["actor:japan"]["code"]) == ("816", "740")
    assert {row["scheme"] for row in rows(client, "/identifiers", code="816")} == {"cow-ccode", "gw-number"}
