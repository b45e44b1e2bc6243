"""The Reconciliation Service API 0.2 (W3C Entity Reconciliation Community Group, final report of 2023-04-10), at /reconcile."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from suasion import __version__, openapi
from suasion.catalog import Parameter
from suasion.crosswalk import OPEN, Crosswalk, Crosswalks, Thing
from suasion.described import Ask
from suasion.errors import BadParameter, NotFound, TooLarge, UnsupportedMedia
from suasion.exchange import Question, Search
from suasion.matching import ARTICLE, NAME, TYPE, Candidate, Wanted, candidates
from suasion.places import Places
from suasion.prefixes import DEF, ID, Prefixes
from suasion.sparql import read_body
from suasion.terms import period

BATCH = 50
"""The most queries of a batch, and things of an extension."""
LIMIT, MOST = 10, 100
"""Candidates of a query: as many as usual, and at most."""
_LOOKED_AT = 25  # things that the text search finds, beside those that have the whole name
_SUGGESTED = 10
_WITHIN = ("names", "codes")
_FORM = "application/x-www-form-urlencoded"
_OWN = {NAME: "name", "names": "other names", TYPE: "type", ARTICLE: "named in the article", "claims": "claims on it"}
"""Properties that are no schemes of codes, with their names."""
_FRAMED = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors *"}
_SETTINGS = [
    {
        "name": "date",
        "label": "Date",
        "type": "text",
        "default": "",
        "help_text": "Codes that the thing had on a day, or in a month or year, such as 2008",
    },
    {"name": "limit", "label": "Limit", "type": "number", "default": 0, "help_text": "Most values for each thing; 0 for all"},
]
Answering = Callable[[Request], Awaitable[Response]]
Entry = tuple[str, Answering, str, type[Response], dict[str, object]]
"""A path, what answers it, the method, the class of response, and the OpenAPI entry."""
_DATE = Parameter("date", "period", "A day, month or year", "2008")


@dataclass(frozen=True, slots=True)
class Service:
    """What answers: tables of codes and names, whom to ask for a text search, its query, prefixes, pages, where things are
    described, and our address.
    """

    crosswalks: Crosswalks
    ask: Ask
    search: str
    prefixes: Prefixes
    pages: Environment
    places: Places
    public_url: Callable[[], str]
    most_bytes: int

    def entries(self) -> list[Entry]:
        """Return what the service answers: paths, what answers them, the method, the class of response, the OpenAPI entry."""
        helps: list[tuple[str, Answering, dict[str, str]]] = [
            ("suggest/entity", self.suggest_entity, {"prefix": "mek"}),
            ("suggest/type", self.suggest_type, {"prefix": "st"}),
            ("suggest/property", self.suggest_property, {"prefix": "iso"}),
            ("flyout/entity", self.flyout_entity, {"id": "actor:japan"}),
            ("flyout/type", self.flyout_type, {"id": "state"}),
            ("flyout/property", self.flyout_property, {"id": NAME}),
            ("properties", self.propose, {"type": "state"}),
        ]
        return [
            *(
                ("/reconcile", self.answer, method, JSONResponse, openapi.reconciliation_operation(method))
                for method in ("GET", "POST")
            ),
            *(
                (
                    f"/reconcile/{path}",
                    answer,
                    "GET",
                    JSONResponse,
                    openapi.lookup_operation("application/json", examples, required="type" not in examples),
                )
                for path, answer, examples in helps
            ),
            (
                "/reconcile/preview",
                self.preview,
                "GET",
                HTMLResponse,
                openapi.lookup_operation("text/html", {"id": "actor:japan"}, required=True),
            ),
        ]

    async def answer(self, request: Request) -> Response:
        """Answer the manifest, a batch of queries (section 4.3), or a data extension (section 7.3).

        Raises BadParameter (422) for JSON that is malformed or asks for what is not there, TooLarge (413) for a batch above the
        limit, UnsupportedMedia (415), and what the engine raises.
        """
        given = await self._given(request)
        if "callback" in given:
            raise BadParameter(
                "JSONP is not offered: leave callback out; pages of any origin may read the answers.", {"parameter": "callback"}
            )
        if not given:
            return JSONResponse(self.manifest(await self.crosswalks.now()))
        if len(given) > 1 or next(iter(given)) not in ("queries", "extend"):
            shown = ", ".join(given)[:100]
            raise BadParameter(f"/reconcile takes queries or extend, one of them; this has {shown}.", {"parameter": shown})
        if "queries" in given:
            return JSONResponse(await self._batch(_json(given, "queries")))
        return JSONResponse(self._extended(_json(given, "extend"), await self.crosswalks.now()))

    def manifest(self, crosswalk: Crosswalk) -> dict[str, object]:
        """Return the manifest of the service (section 3.1)."""
        url = self.public_url()

        def suggest(kind: str) -> dict[str, str]:
            path = f"/reconcile/flyout/{kind}?id=${{id}}"
            return {"service_url": url, "service_path": f"/reconcile/suggest/{kind}", "flyout_service_path": path}

        return {
            "versions": ["0.2"],
            "name": "Suasion: actors, places and ideas of an article in international relations, and the states of the world",
            "identifierSpace": ID,
            "schemaSpace": DEF,
            "documentation": f"{url}/docs",
            "serviceVersion": __version__,
            "defaultTypes": [_type(kind) for kind in ("state", "actor", "place") if kind in _kinds(crosswalk)],
            "view": {"url": f"{url}/reconcile/view?id={{{{id}}}}"},
            "preview": {"url": f"{url}/reconcile/preview?id={{{{id}}}}", "width": 400, "height": 200},
            "suggest": {kind: suggest(kind) for kind in ("entity", "type", "property")},
            "extend": {
                "propose_properties": {"service_url": url, "service_path": "/reconcile/properties"},
                "property_settings": _SETTINGS,
            },
            "batchSize": BATCH,
        }

    async def suggest_entity(self, request: Request) -> Response:
        """Suggest things whose name begins with what was typed, or that have it as IRI, short name or code (section 6)."""
        prefix, cursor = _typed(request)
        crosswalk = await self.crosswalks.now()
        scored = candidates(Wanted(prefix), await self._found(prefix, cursor + _LOOKED_AT), crosswalk, self.prefixes)
        sure = [one.thing for one in scored if one.features["identifier"] or one.features["whole_name"]]
        begun = [crosswalk.things[iri] for iri in await self._found(prefix, cursor + _LOOKED_AT) if iri in crosswalk.things]
        things = list({thing.iri: thing for thing in (*sure, *begun, *(one.thing for one in scored))}.values())
        return JSONResponse({"result": [_suggestion(thing) for thing in things[cursor : cursor + _SUGGESTED]]})

    async def suggest_type(self, request: Request) -> Response:
        """Suggest types whose name begins with what was typed, then those that have it within."""
        return _chosen(request, {kind: kind for kind in _kinds(await self.crosswalks.now())})

    async def suggest_property(self, request: Request) -> Response:
        """Suggest properties whose name begins with what was typed, then those that have it within."""
        return _chosen(request, _properties(await self.crosswalks.now()))

    async def propose(self, request: Request) -> Response:
        """Propose the properties that things of a type have (section 7.1)."""
        crosswalk = await self.crosswalks.now()
        kind = request.query_params.get("type", "")
        things = [thing for thing in crosswalk.things.values() if not kind or kind in thing.kinds]
        schemes = sorted({scheme for thing in things for scheme in crosswalk.held.get(thing.iri, {})})
        known = _properties(crosswalk)
        found = [{"id": name, "name": known[name]} for name in (*_OWN, *schemes)]
        limit = _whole(request.query_params.get("limit", ""), "limit", len(found))
        return JSONResponse({"type": kind, "limit": limit, "properties": found[:limit]})

    async def flyout_entity(self, request: Request) -> Response:
        """Return a small preview of a thing, as JSON with HTML (section 6.5). Raises NotFound (404)."""
        return self._flyout(request, self._shown(request.query_params.get("id", ""), await self.crosswalks.now()))

    async def flyout_type(self, request: Request) -> Response:
        """Return a small preview of a type. Raises NotFound (404)."""
        return self._flyout(request, _labelled(request, "type", {kind: kind for kind in _kinds(await self.crosswalks.now())}))

    async def flyout_property(self, request: Request) -> Response:
        """Return a small preview of a property. Raises NotFound (404)."""
        return self._flyout(request, _labelled(request, "property", _properties(await self.crosswalks.now())))

    async def preview(self, request: Request) -> Response:
        """Return a page that shows a thing in a frame (section 5). Raises NotFound (404)."""
        shown = self._shown(request.query_params.get("id", ""), await self.crosswalks.now())
        return HTMLResponse(self.pages.get_template("preview.html").render(**shown, framed=True), headers=_FRAMED)

    async def view(self, request: Request) -> Response:
        """Lead to the document about a thing, as its IRI does: 303. Raises NotFound (404)."""
        thing = _known(request.query_params.get("id", ""), await self.crosswalks.now(), self.prefixes)
        return RedirectResponse(self.public_url() + self.places.of(thing.iri), 303)

    def _flyout(self, request: Request, shown: Mapping[str, object]) -> Response:
        html = self.pages.get_template("preview.html").render(**shown, framed=False)
        return JSONResponse({"id": request.query_params["id"], "html": html})

    async def _batch(self, asked: object) -> dict[str, object]:
        if not isinstance(asked, dict):
            raise _malformed("queries", "an object whose members are queries")
        if len(asked) > BATCH:
            raise TooLarge(f"The batch has {len(asked)} queries: send at most {BATCH} at once.", {"limit": BATCH})
        read = {key: _query(key, query) for key, query in asked.items()}
        crosswalk = await self.crosswalks.now()
        answered: dict[str, object] = {}
        for key, (wanted, limit) in read.items():
            found = await self._found(wanted.text, _LOOKED_AT) if wanted.text.strip() else ()
            scored = candidates(wanted, found, crosswalk, self.prefixes)
            answered[key] = {"result": [_candidate(one) for one in scored[:limit]]}
        return answered

    async def _found(self, text: str, most: int) -> tuple[str, ...]:
        """Return the IRIs of things that a text search finds, best first."""
        search = Search(text[:200], most, "", _WITHIN)
        answer = await self.ask(Question(self.search, rows=(0, most), search=search))
        return tuple(row["thing"]["value"] for row in json.loads(answer.body)["rows"])

    def _extended(self, asked: object, crosswalk: Crosswalk) -> dict[str, object]:
        """Return the values of properties of things; a thing that is not known has none (section 7.4)."""
        if not isinstance(asked, dict) or not _texts(asked.get("ids")) or not isinstance(asked.get("properties"), list):
            raise _malformed("extend", "an object with ids, a list of texts, and properties, a list of objects with id")
        if len(asked["ids"]) > BATCH * 20:
            raise TooLarge(
                f"The extension has {len(asked['ids'])} ids: send at most {BATCH * 20} at once.", {"limit": BATCH * 20}
            )
        known = _properties(crosswalk)
        known |= {alias: known[scheme] for alias, scheme in crosswalk.schemes.items()}
        properties: list[tuple[str, tuple[str, str], int]] = []
        for property_ in asked["properties"]:
            name = property_.get("id") if isinstance(property_, dict) else None
            name = str(name)
            if name not in known:
                raise BadParameter(
                    f"There is no property {name[:60]!r}; GET /reconcile/properties lists them.", {"parameter": "extend"}
                )
            properties.append((name, *_settings(property_.get("settings"))))
        rows = {}
        for iri in asked["ids"]:
            thing = crosswalk.things.get(self.prefixes.expand(iri) or iri)
            rows[iri] = {
                name: _values(thing, name, span, crosswalk)[: most or None] if thing else [] for name, span, most in properties
            }
        return {"meta": [{"id": name, "name": known[name]} for name, _, _ in properties], "rows": rows}

    def _shown(self, given: str, crosswalk: Crosswalk) -> dict[str, object]:
        thing = _known(given, crosswalk, self.prefixes)
        codes = [
            (scheme, ", ".join(found))
            for scheme in ("iso3166-1-alpha3", "cow-ccode", "gw-number", "wikidata")
            if (found := crosswalk.codes(thing.iri, scheme))
        ]
        return {
            "label": thing.label,
            "kinds": thing.kinds,
            "names": thing.names[:8],
            "note": _told(thing),
            "codes": codes,
            "url": self.public_url() + self.places.of(thing.iri),
        }

    async def _given(self, request: Request) -> Mapping[str, str]:
        if request.method in ("GET", "HEAD"):
            return dict(request.query_params)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _FORM:
            raise UnsupportedMedia(
                f"A batch is sent as a form: give {_FORM}, with the field queries or extend.", {"accepted": _FORM}
            )
        body = await read_body(request, self.most_bytes)
        try:
            return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=10))
        except ValueError:
            raise _malformed("queries", "percent-encoded UTF-8") from None


def _known(given: str, crosswalk: Crosswalk, prefixes: Prefixes) -> Thing:
    thing = crosswalk.things.get(prefixes.expand(given) or given)
    if thing is None:
        raise NotFound(f"There is no thing {given[:100]!r}; GET /reconcile/suggest/entity?prefix=… finds things.")
    return thing


def _labelled(request: Request, kind: str, known: Mapping[str, str]) -> dict[str, object]:
    given = request.query_params.get("id", "")
    if given not in known:
        raise NotFound(f"There is no {kind} {given[:100]!r}; GET /reconcile/suggest/{kind}?prefix=… finds one.")
    return {"label": known[given], "kinds": [kind]}


def _query(key: str, query: object) -> tuple[Wanted, int]:
    """Return a query of a batch and the most candidates it wants."""
    if not isinstance(query, dict):
        raise _malformed("queries", f"under {key[:40]!r} an object with query or properties")
    text, kinds, limit, properties = (query.get(name) for name in ("query", "type", "limit", "properties"))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(text or "", str) or not _texts(kinds or []) or not isinstance(properties or [], list):
        raise _malformed("queries", f"under {key[:40]!r} query as text, type as text or a list of texts, properties as a list")
    if not (text or "").strip() and not properties:
        raise _malformed("queries", f"under {key[:40]!r} a query that is not empty, or properties")
    if limit is not None and (type(limit) not in (int, float) or not 1 <= limit <= 1e9):
        raise _malformed("queries", f"under {key[:40]!r} a limit from 1")
    read = tuple(_property(key, one) for one in properties or [])
    wanted = Wanted(text or "", tuple(kinds or ()), query.get("type_strict") == "all", read)
    return wanted, min(int(limit or LIMIT), MOST)


def _property(key: str, one: object) -> tuple[str, tuple[str, ...]]:
    values = one.get("v") if isinstance(one, dict) else None
    values = values if isinstance(values, list) else [values]
    texts = [value.get("id") if isinstance(value, dict) else value for value in values]
    if not isinstance(one, dict) or not isinstance(one.get("pid"), str) or any(value is None for value in texts):
        raise _malformed("queries", f"under {key[:40]!r} properties with pid, a text, and v")
    return one["pid"], tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in texts)


def _settings(given: object) -> tuple[tuple[str, str], int]:
    """Return the span and the most values that the settings of a property ask for."""
    settings = given if isinstance(given, dict) else {}
    span, date = OPEN, str(settings.get("date") or "").strip()
    if date:
        terms = period(_DATE, date)
        span = terms.get("date_first", {}).get("value", OPEN[0]), terms.get("date_last", {}).get("value", OPEN[1])
    return span, _whole(str(settings.get("limit") or ""), "limit", 0)


def _values(thing: Thing, property_: str, span: tuple[str, str], crosswalk: Crosswalk) -> list[dict[str, object]]:
    if property_ == "claims":
        return [{"int": thing.claims}]
    own = {NAME: (thing.label,), "names": thing.names, TYPE: thing.kinds, ARTICLE: ("yes" if thing.named else "no",)}
    texts = own[property_] if property_ in own else crosswalk.codes(thing.iri, crosswalk.schemes[property_], *span)
    return [{"str": text} for text in texts]


def _candidate(one: Candidate) -> dict[str, object]:
    return {
        "id": one.thing.iri,
        "name": one.thing.label,
        "description": _description(one.thing),
        "type": [_type(kind) for kind in one.thing.kinds],
        "score": one.score,
        "features": [{"id": name, "value": value} for name, value in one.features.items()],
        "match": one.match,
    }


def _suggestion(thing: Thing) -> dict[str, object]:
    return {"id": thing.iri, "name": thing.label, "description": _description(thing), "notable": [_type(k) for k in thing.kinds]}


def _description(thing: Thing) -> str:
    """Return what tells a thing from its namesakes."""
    return f"{', '.join(thing.kinds)}; {_told(thing)}"


def _told(thing: Thing) -> str:
    claims = "a claim" if thing.claims == 1 else f"{thing.claims} claims"
    where = f"in {claims} of the article" if thing.claims else "in no claim of the article"
    return "; ".join(filter(None, (thing.note.rstrip("."), where)))


def _type(kind: str) -> dict[str, str]:
    return {"id": kind, "name": kind}


def _kinds(crosswalk: Crosswalk) -> list[str]:
    return sorted({kind for thing in crosswalk.things.values() for kind in thing.kinds})


def _properties(crosswalk: Crosswalk) -> dict[str, str]:
    return _OWN | {scheme: f"code in {scheme}" for scheme in sorted(set(crosswalk.schemes.values()))}


def _chosen(request: Request, known: Mapping[str, str]) -> Response:
    prefix, cursor = _typed(request)
    wanted = prefix.strip().lower()
    begun = [name for name in known if name.startswith(wanted) or known[name].startswith(wanted)]
    inside = [name for name in known if name not in begun and (wanted in name or wanted in known[name])]
    found = [{"id": name, "name": known[name]} for name in (*begun, *inside)]
    return JSONResponse({"result": found[cursor : cursor + _SUGGESTED]})


def _typed(request: Request) -> tuple[str, int]:
    """Return what was typed so far, and how many suggestions to pass over. Raises BadParameter."""
    prefix = request.query_params.get("prefix")
    if prefix is None:
        raise BadParameter("prefix is missing: give what was typed so far.", {"parameter": "prefix"})
    return prefix[:200], _whole(request.query_params.get("cursor", ""), "cursor", 0)


def _whole(text: str, name: str, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 5):
        raise BadParameter(f"{name}={text[:20]!r} is not accepted: give a whole number.", {"parameter": name})
    return int(text)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _json(given: Mapping[str, str], name: str) -> object:
    try:
        return json.loads(given[name])
    except (ValueError, RecursionError) as error:
        raise _malformed(name, f"JSON ({str(error)[:100]})") from None


def _malformed(name: str, wanted: str) -> BadParameter:
    example = '/reconcile?queries={"q0":{"query":"Burma"}}'
    return BadParameter(
        f"{name} is not accepted: it has to be {wanted}.", {"parameter": name, "accepted": wanted, "example": example}
    )
