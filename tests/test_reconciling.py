"""Reconciliation over HTTP: what the Reconciliation Service API 0.2 demands, and how well messy names find their things."""

import json
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import jsonschema
import pytest

from conftest import Client, Reply
from suasion.prefixes import ID
from suasion.reconciling import BATCH

# What the specification says of answers, in our words: https://reconciliation-api.github.io/specs/0.2/
TEXT = {"type": "string", "minLength": 1}
ID_AND_NAME = {"id": TEXT, "name": TEXT}
NAMED = {"type": "object", "required": ["id", "name"], "properties": ID_AND_NAME}
TEMPLATE = {"type": "string", "pattern": r"^https?://.*\{\{id\}\}"}
SUGGEST = {
    "type": "object",
    "required": ["service_url", "service_path"],
    "properties": {
        "service_url": {"type": "string", "pattern": "^https?://"},
        "service_path": {"type": "string", "pattern": "^/"},
        "flyout_service_path": {"type": "string", "pattern": r"\$\{id\}"},
    },
}
SETTING = {
    "type": "object",
    "required": ["type", "label", "name"],
    "properties": {"type": {"enum": ["number", "text", "checkbox", "select"]}, "label": TEXT, "name": TEXT, "help_text": TEXT},
}
MANIFEST = {
    "type": "object",
    "required": ["versions", "name", "identifierSpace", "schemaSpace"],
    "properties": {
        "versions": {"type": "array", "contains": {"const": "0.2"}},
        "name": TEXT,
        "identifierSpace": {"type": "string", "format": "uri"},
        "schemaSpace": {"type": "string", "format": "uri"},
        "documentation": TEXT,
        "serviceVersion": TEXT,
        "defaultTypes": {"type": "array", "items": NAMED, "uniqueItems": True},
        "view": {"type": "object", "required": ["url"], "properties": {"url": TEMPLATE}},
        "preview": {
            "type": "object",
            "required": ["url", "width", "height"],
            "properties": {"url": TEMPLATE, "width": {"type": "integer"}, "height": {"type": "integer"}},
        },
        "suggest": {"type": "object", "properties": dict.fromkeys(("entity", "property", "type"), SUGGEST)},
        "extend": {
            "type": "object",
            "properties": {"propose_properties": SUGGEST, "property_settings": {"type": "array", "items": SETTING}},
        },
        "batchSize": {"type": "integer", "minimum": 1},
    },
}
CANDIDATE = {
    "type": "object",
    "required": ["id", "name", "score", "match", "type"],
    "properties": {
        "id": TEXT,
        "name": TEXT,
        "description": TEXT,
        "score": {"type": "number"},
        "match": {"type": "boolean"},
        "type": {"type": "array", "items": NAMED},
        "features": {
            "type": "array",
            "items": {"type": "object", "required": ["id", "value"], "properties": {"value": {"type": ["boolean", "number"]}}},
        },
    },
    "additionalProperties": False,
}
RESULTS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["result"],
        "properties": {"result": {"type": "array", "items": CANDIDATE}},
    },
}
SUGGESTED = {
    "type": "object",
    "required": ["result"],
    "properties": {
        "result": {"type": "array", "items": {**NAMED, "properties": {**ID_AND_NAME, "notable": {"type": "array"}}}},
    },
}
EXTENDED = {
    "type": "object",
    "required": ["rows", "meta"],
    "properties": {
        "meta": {"type": "array", "items": NAMED},
        "rows": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": {
                        "oneOf": [
                            {"type": "object", "required": ["str"], "properties": {"str": {"type": "string"}}},
                            {"type": "object", "required": ["int"], "properties": {"int": {"type": "integer"}}},
                        ]
                    },
                },
            },
        },
    },
}
PROPOSED = {
    "type": "object",
    "required": ["properties", "type"],
    "properties": {"properties": {"type": "array", "items": NAMED}, "limit": {"type": "integer"}},
}

# Names as data sets and texts write them, and the things that they mean.
MESSY = {
    "A.S.E.A.N.": "actor/asean",
    "ASEAN+3": "actor/asean-plus-three",
    "Alliance Francaise": "actor/alliance-francaise",
    "Asean": "actor/asean",
    "Asian Dev. Bank": "actor/adb",
    "Asian Development Bank": "actor/adb",
    "Association of Southeast Asian Nations": "actor/asean",
    "Bosnia & Herzegovina": "actor/bosnia-and-herzegovina",
    "British Council": "actor/british-council",
    "Brunei Darussalam": "actor/brunei",
    "Burma": "actor/myanmar",
    "CHINA": "actor/china",
    "Confucius Institute": "initiative/confucius-institutes",
    "Congo, Dem. Rep.": "actor/congo-kinshasa",
    "Cote d'Ivoire": "actor/cote-divoire",
    "Czech Republic": "actor/czechia",
    "DPRK": "actor/north-korea",
    "Egypt, Arab Rep.": "actor/egypt",
    "Federated States of Micronesia": "actor/micronesia",
    "Hanban": "actor/hanban",
    "Hanoi": "actor/vietnam",
    "Hong Kong SAR, China": "place/hong-kong",
    "Iran, Islamic Rep.": "actor/iran",
    "Ivory Coast": "actor/cote-divoire",
    "JICA": "actor/jica",
    "Junichiro Koizumi": "actor/koizumi-junichiro",
    "Kampuchea": "actor/cambodia",
    "Kingdom of Thailand": "actor/thailand",
    "Koizumi": "actor/koizumi-junichiro",
    "Korea": "actor/south-korea",
    "Korea South": "actor/south-korea",
    "Korea, Rep.": "actor/south-korea",
    "Lao PDR": "actor/laos",
    "Lao People's Democratic Republic": "actor/laos",
    "Macedonia, FYR": "actor/north-macedonia",
    "N. Korea": "actor/north-korea",
    "PRC": "actor/china",
    "People's Republic of China": "actor/china",
    "Philippine": "actor/philippines",
    "Phillipines": "actor/philippines",
    "ROK": "actor/south-korea",
    "Rangoon": "actor/myanmar",
    "Republic of the Union of Myanmar": "actor/myanmar",
    "Russian Federation": "actor/russia",
    "Seoul": "actor/south-korea",
    "Singapour": "actor/singapore",
    "Socialist Republic of Vietnam": "actor/vietnam",
    "Soviet Union": "actor/soviet-union",
    "St. Lucia": "actor/st-lucia",
    "Swaziland": "actor/eswatini",
    "Thailnad": "actor/thailand",
    "Timor Leste": "actor/timor-leste",
    "Tokyo": "actor/japan",
    "U.S.": "actor/united-states",
    "USA": "actor/united-states",
    "United States of America": "actor/united-states",
    "Viet Nam": "actor/vietnam",
    "Viêt Nam": "actor/vietnam",
    "Yemen": "actor/yemen",
    "Yugoslavia": "actor/yugoslavia",
    "the Philippines": "actor/philippines",
    "中国": "actor/china",
    "日本": "actor/japan",
    "韓国": "actor/south-korea",
}
# What may mean several things, is only near a name, or stands for a thing without naming it: never a sure match.
UNSURE = (
    *("Tokyo", "Beijing", "Seoul", "Hanoi", "Rangoon", "Korea", "Congo", "Koizumi", "Abe", "Fukuda", "Phillipines", "Singapour"),
    *("Federal Republic of Germany", "Kingston", "declaration", "trade", "Mekong", "Atlantis", "840", "north"),
)


def ask(client: Client, queries: Mapping[str, object]) -> dict[str, list[dict[str, object]]]:
    reply = post(client, queries=json.dumps(queries))
    assert reply.status == 200, reply.body
    document = reply.json()
    jsonschema.validate(document, RESULTS)
    assert set(document) == set(queries)
    return {key: found["result"] for key, found in document.items()}  # type: ignore[index]


def one(client: Client, text: str, **more: object) -> list[dict[str, object]]:
    return ask(client, {"q": {"query": text, **more}})["q"]


def post(client: Client, **fields: str) -> Reply:
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://refine.example"}
    return client.send("POST", "/reconcile", kind, urlencode(fields).encode())


def features(candidate: Mapping[str, object]) -> dict[str, object]:
    listed = candidate["features"]
    assert isinstance(listed, list)
    return {feature["id"]: feature["value"] for feature in listed}


@pytest.fixture(scope="module")
def found(client: Client) -> dict[str, list[dict[str, object]]]:
    """What each messy name finds, asked in batches as a client does."""
    names = list(MESSY)
    batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
    return {name: result for batch in batches for name, result in ask(client, {name: {"query": name} for name in batch}).items()}


def test_the_manifest_says_what_there_is(client: Client) -> None:
    reply = client.send("GET", "/reconcile", {"Origin": "https://refine.example"})
    manifest = reply.json()
    jsonschema.validate(manifest, MANIFEST)
    assert reply.headers["access-control-allow-origin"] == "*"
    assert manifest["identifierSpace"] == ID
    for path in re.findall(r'"service_path": ?"(/[^"]+)"', json.dumps(manifest)):
        assert client.get(path, prefix="s", type="state").status == 200


def test_messy_names_find_their_things_first(found: Mapping[str, list[dict[str, object]]]) -> None:
    first = {name: str(result[0]["id"]).removeprefix(ID) if result else "" for name, result in found.items()}
    wrong = {name: (first[name], thing) for name, thing in MESSY.items() if first[name] != thing}
    assert len(MESSY) >= 60
    assert wrong == {}


def test_no_sure_match_is_wrong(found: Mapping[str, list[dict[str, object]]]) -> None:
    sure = {(name, str(c["id"]).removeprefix(ID)) for name, result in found.items() for c in result if c["match"]}
    assert {(name, thing) for name, thing in sure if MESSY[name] != thing} == set()
    assert len(sure) > 50, "most names are sure"
    assert all(not c["match"] for result in found.values() for c in result[1:])


@pytest.mark.parametrize("name", UNSURE)
def test_what_is_not_sure_is_no_match(client: Client, name: str) -> None:
    assert [c["id"] for c in one(client, name) if c["match"]] == []


def test_scores_fall_and_are_explained_by_features(found: Mapping[str, list[dict[str, object]]]) -> None:
    for result in found.values():
        scores = [c["score"] for c in result]
        assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]
        for candidate in result:
            told = features(candidate)
            if candidate["score"] == 100:
                assert told["whole_name"] is True and told["stands_for"] is False
            elif candidate["score"] == 95:
                assert told["stands_for"] is True
            else:
                assert candidate["score"] in (90, pytest.approx(80 * float(str(told["name_similarity"])), abs=0.06))


def test_a_type_restricts_the_candidates(client: Client) -> None:
    assert [c["id"] for c in one(client, "Fukuda", type="state")] == []
    people = one(client, "Fukuda", type=["person", "state"])
    assert {str(c["id"]).removeprefix(ID) for c in people} == {"actor/fukuda-takeo", "actor/fukuda-yasuo"}
    assert one(client, "Japan", type=["state", "person"], type_strict="all") == []
    assert one(client, "Japan", type=["state", "actor"], type_strict="all")[0]["match"] is True


def test_properties_decide_between_namesakes(client: Client) -> None:
    north = one(client, "Korea", properties=[{"pid": "cow-ccode", "v": "731"}])
    assert (north[0]["id"], north[0]["match"]) == (ID + "actor/north-korea", True)
    assert features(north[0])["property_cow-ccode"] is True
    assert {c["score"] for c in north[1:] if features(c).get("property_cow-ccode") is False} >= {50}
    wrong = one(client, "Japan", properties=[{"pid": "iso3", "v": ["CHN", {"id": "KOR", "name": "x"}]}])
    assert (wrong[0]["id"], wrong[0]["match"], wrong[0]["score"]) == (ID + "actor/japan", False, 50)
    coded = ask(client, {"q": {"properties": [{"pid": "gw", "v": 740}]}})["q"]
    assert [(c["id"], c["match"]) for c in coded] == [(ID + "actor/japan", True)]


def test_identifiers_and_codes_are_found_as_well(client: Client) -> None:
    for given in ("actor:japan", ID + "actor/japan"):
        assert (one(client, given)[0]["id"], one(client, given)[0]["match"]) == (ID + "actor/japan", True)
    coded = one(client, "Q17")[0]
    assert (coded["id"], coded["match"], coded["score"]) == (ID + "actor/japan", False, 90)


def test_the_limit_is_kept_and_queries_go_by_url_too(client: Client) -> None:
    assert len(one(client, "aid", limit=3)) <= 3
    by_url = client.get("/reconcile", queries=json.dumps({"a": {"query": "Burma"}, "b": {"query": "Nusquamia"}})).json()
    assert by_url["a"] == {"result": one(client, "Burma")}
    assert by_url["b"] == {"result": []}


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"queries": "{"}, 422, "it has to be JSON"),
        ({"queries": "[" * 100_000}, 422, "it has to be JSON"),
        ({"queries": "[]"}, 422, "an object whose members are queries"),
        ({"queries": '{"a": {}}'}, 422, "a query that is not empty, or properties"),
        ({"queries": '{"a": {"query": " "}}'}, 422, "a query that is not empty, or properties"),
        ({"queries": '{"a": {"query": 3}}'}, 422, "query as text"),
        ({"queries": '{"a": {"query": "x", "limit": 0}}'}, 422, "a limit from 1"),
        ({"queries": '{"a": {"query": "x", "type": [3]}}'}, 422, "type as text or a list of texts"),
        ({"queries": '{"a": {"query": "x", "properties": [{"v": 1}]}}'}, 422, "properties with pid"),
        ({"queries": json.dumps({str(n): {"query": "x"} for n in range(BATCH + 1)})}, 413, "send at most 50 at once"),
        ({"extend": "{}"}, 422, "an object with ids"),
        ({"extend": '{"ids": ["x"], "properties": [{"id": "shoe-size"}]}'}, 422, "There is no property 'shoe-size'"),
        (
            {"extend": '{"ids": [], "properties": [{"id": "cow", "settings": {"date": "soon"}}]}'},
            422,
            "date='soon' is not accepted",
        ),
        ({"queries": "{}", "extend": "{}"}, 422, "one of them"),
        ({"query": "Burma"}, 422, "/reconcile takes queries or extend"),
        ({"queries": "{}", "callback": "f"}, 422, "JSONP is not offered"),
    ],
)
def test_what_is_malformed_is_refused_with_what_is_wanted(client: Client, fields: dict[str, str], status: int, said: str) -> None:
    reply = post(client, **fields)
    assert reply.status == status
    assert said in str(reply.json()["detail"])


def test_other_bodies_are_refused(client: Client) -> None:
    assert client.send("POST", "/reconcile", {"Content-Type": "application/json"}, b"{}").status == 415
    assert client.send("OPTIONS", "/reconcile").headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert client.send("HEAD", "/reconcile").status == 200


def suggest(client: Client, kind: str, prefix: str, cursor: int = 0) -> list[str]:
    document = client.get(f"/reconcile/suggest/{kind}", prefix=prefix, cursor=cursor).json()
    jsonschema.validate(document, SUGGESTED)
    result = document["result"]
    assert isinstance(result, list)
    return [str(item["id"]).removeprefix(ID) for item in result]


def test_things_types_and_properties_are_suggested_while_they_are_typed(client: Client) -> None:
    assert set(suggest(client, "entity", "mek")[:2]) == {"place/mekong-basin", "place/mekong-river"}
    assert suggest(client, "entity", "Myanmar")[0] == suggest(client, "entity", "actor:myanmar")[0] == "actor/myanmar"
    many = suggest(client, "entity", "a")
    assert many[3:] == suggest(client, "entity", "a", cursor=3)[: len(many) - 3]
    assert suggest(client, "type", "st")[0] == "state"
    assert suggest(client, "property", "iso3166-1-alpha3") == ["iso3166-1-alpha3"]
    assert {"cow-ccode", "cow-stateabb"} <= set(suggest(client, "property", "cow"))
    assert client.get("/reconcile/suggest/entity").status == 422
    assert client.get("/reconcile/suggest/entity", prefix="a", cursor="x").status == 422


def test_previews_show_a_thing_in_a_frame_and_run_nothing(client: Client) -> None:
    reply = client.get("/reconcile/preview", id=ID + "actor/japan")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = reply.headers["content-security-policy"]
    assert "frame-ancestors *" in policy and "default-src 'none'" in policy
    assert b"<strong>Japan</strong>" in reply.body and b"cow-ccode 740" in reply.body
    for kind, id_ in (("entity", "actor:japan"), ("type", "state"), ("property", "cow-ccode")):
        document = client.get(f"/reconcile/flyout/{kind}", id=id_).json()
        assert document["id"] == id_ and str(document["html"]).startswith("<p>")
    for path in ("preview", "flyout/entity", "flyout/type", "flyout/property"):
        lost = client.get(f"/reconcile/{path}", id="<script>x</script>")
        assert lost.status == 404 and lost.headers["content-type"] == "application/problem+json"
    quoted = client.get("/reconcile/flyout/entity", id="initiative:confucius-institutes").json()
    assert "<script" not in str(quoted["html"])


def test_a_thing_is_viewed_in_the_document_that_its_iri_leads_to(client: Client) -> None:
    view = str(client.get("/reconcile").json()["view"]["url"])  # type: ignore[index]
    address = view.partition("/reconcile")[0]
    for id_ in (ID + "actor/japan", "actor:france", ID + "place/hong-kong"):
        reply = client.send("GET", view.removeprefix(address).replace("{{id}}", quote(id_, safe="")))
        place = f"{address}/doc/{id_.removeprefix(ID).replace(':', '/')}"
        assert (reply.status, reply.headers["location"]) == (303, place)
        page = client.get(place.removeprefix(address), accept="text/html")
        assert page.status == 200
        preview = client.get("/reconcile/preview", id=id_).body.decode()
        assert f'href="{place}"' in preview
    assert client.get("/reconcile/view", id="actor:nobody").status == 404


def test_values_of_properties_are_fetched_with_their_settings(client: Client) -> None:
    asked = {
        "ids": [ID + "actor/germany", "actor:west-germany", "actor:nobody"],
        "properties": [
            {"id": "cow-ccode", "settings": {"date": "1980"}},
            {"id": "gw"},
            {"id": "names", "settings": {"limit": 1}},
            {"id": "claims"},
            {"id": "in_article"},
        ],
    }
    document = post(client, extend=json.dumps(asked)).json()
    jsonschema.validate(document, EXTENDED)
    assert [item["id"] for item in document["meta"]] == ["cow-ccode", "gw", "names", "claims", "in_article"]  # type: ignore[attr-defined]
    rows = document["rows"]
    assert isinstance(rows, dict) and list(rows) == asked["ids"]
    germany, west, nobody = rows.values()
    assert (germany["cow-ccode"], west["cow-ccode"]) == ([], [{"str": "260"}])
    assert (germany["gw"], west["gw"]) == ([{"str": "260"}], [{"str": "260"}])
    assert len(germany["names"]) == 1 and germany["claims"] == [{"int": 0}] and germany["in_article"] == [{"str": "no"}]
    assert set(map(tuple, nobody.values())) == {()}


def test_properties_of_a_type_are_proposed(client: Client) -> None:
    document = client.get("/reconcile/properties", type="state").json()
    jsonschema.validate(document, PROPOSED)
    listed = document["properties"]
    assert isinstance(listed, list)
    names = {item["id"] for item in listed}
    assert {"name", "cow-ccode", "iso3166-1-alpha3", "wikidata"} <= names and "ror" not in names
    assert len(client.get("/reconcile/properties", type="state", limit=2).json()["properties"]) == 2  # type: ignore[arg-type]
