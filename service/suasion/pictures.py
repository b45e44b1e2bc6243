"""The pages that show the article as a whole: actors compared, the article as a map, pictures; each with its data."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from suasion import amounts, articlemap, charts, comparing, geography, maps, networks, timelines
from suasion.asking import Asking
from suasion.errors import BadParameter, UnknownParameter
from suasion.negotiation import entity_tag, matches
from suasion.pagecache import PageCache, Rendered
from suasion.questions import Backing
from suasion.statements import MODALITIES, Row, claim_link, picked, tally, thing_link

QUESTIONS = (
    *("actors", "claims", "coverage", "flows", "identifiers", "initiatives", "instruments", "matrix", "notes", "passages"),
    *("quantities", "rankings", "surveys", "timeline"),
)
"""The curated questions that the pages are made from; where one is missing there are no such pages."""
_USUAL = ("actor:china", "actor:japan")
Given = Mapping[str, tuple[str, ...]]
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gallery:
    """What the pages need: templates, who to ask, the address of the service, a name of the dataset as it is now, and the words
    of passages by their short names where the operator gave a copy of the article, with a name of that copy; and where pages
    are kept.
    """

    templates: Environment
    asking: Asking
    public_url: Callable[[], str]
    state: Callable[[], str]
    words: Mapping[str, str]
    edition: str
    page_cache: PageCache
    countries: Callable[[], Mapping[str, geography.Country]] = field(default_factory=lambda: cache(geography.countries))


@dataclass(frozen=True, slots=True)
class Picture:
    """A page: its path, its template, its parameters with what each is, and what fills it in; `drawing` names its SVG."""

    path: str
    template: str
    parameters: Mapping[str, str]
    make: Callable[[Gallery, Given], Awaitable[Context]]
    drawing: str = ""


def routes(
    templates: Environment,
    backing: Backing,
    own: Mapping[str, str],
    public_url: Callable[[], str],
    state: Callable[[], str],
    words: Mapping[str, str],
    page_cache: PageCache,
) -> list[Route]:
    """Return the routes of the pages, none where a question that they are made from is missing.

    `own` are the texts of queries/pages/*.rq by their names, `words` those of passages, where the service has a copy.
    """
    if not {*QUESTIONS} <= backing.queries.keys():
        return []
    edition = sha256(repr(sorted(words.items())).encode()).hexdigest()
    gallery = Gallery(templates, Asking(backing, own, state), public_url, state, words, edition, page_cache)
    found = []
    for picture in PICTURES:
        found.append(Route(picture.path, _page(gallery, picture), include_in_schema=False))
        if picture.drawing:
            found.append(Route(f"{picture.path}.svg", _file(gallery, picture), include_in_schema=False))
    return found


def _page(gallery: Gallery, picture: Picture) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await _shown(request, gallery, picture, picture.template, "text/html")

    return answer


def _file(gallery: Gallery, picture: Picture) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await _shown(request, gallery, picture, picture.drawing, "image/svg+xml")

    return answer


async def _shown(request: Request, gallery: Gallery, picture: Picture, template: str, media_type: str) -> Response:
    """Return a page or its drawing, kept or made anew; 304 when it is known. Raises BadParameter and what asking raises."""
    given = _given(request, picture)
    known = (gallery.state(), gallery.edition, template, sorted(given.items()), gallery.public_url())
    tag = entity_tag(repr(known).encode())
    # The words of the article are not for caches that others read too.
    caching = "private, no-cache" if gallery.words else "no-cache"
    headers = {"ETag": tag, "Cache-Control": caching}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    file = media_type != "text/html"

    async def render() -> Rendered:
        context = await picture.make(gallery, given)
        body = gallery.templates.get_template(template).render(
            **context,
            given=given,
            asked=str(request.url.query),
            base=gallery.public_url() if file else "",
            page=picture.path if file else "",
            modalities=MODALITIES,
            claim_link=claim_link,
            thing_link=thing_link,
            picked=picked,
            tally=tally,
        )
        return Rendered(body.encode())

    rendered = await gallery.page_cache.get(tag, render)
    if file:
        headers["Content-Disposition"] = f'attachment; filename="{picture.path.rpartition("/")[2]}.svg"'
    charset = "" if file else "; charset=utf-8"
    return Response(rendered.body, headers=headers, media_type=media_type + charset)


def _given(request: Request, picture: Picture) -> Given:
    """Return what the URL asks for: each parameter with its values, repeated or with commas between; empty ones left out."""
    try:
        pairs = parse_qsl(request.scope["query_string"].decode("ascii"), errors="strict", max_num_fields=50)
    except ValueError:
        said = "The parameters of the URL cannot be read: they have to be percent-encoded UTF-8, 50 at most."
        raise BadParameter(said, {"example": picture.path}) from None
    given: dict[str, tuple[str, ...]] = {}
    for name, text in pairs:
        if name not in picture.parameters:
            known = ", ".join(picture.parameters) or "no parameters"
            raise UnknownParameter(
                f"{picture.path} takes {known}, not {name[:60]!r}.", {"parameter": name[:60], "example": picture.path}
            )
        given[name] = tuple(dict.fromkeys((*given.get(name, ()), *(part.strip() for part in text.split(",") if part.strip()))))
    return {name: texts for name, texts in given.items() if texts}


def _one(given: Given, name: str, picture_path: str) -> str:
    """Return the value of a parameter that is given once, "" without it. Raises BadParameter for several."""
    texts = given.get(name, ())
    if len(texts) > 1:
        raise BadParameter(f"{name} is given {len(texts)} times: give it once.", {"parameter": name, "example": picture_path})
    return texts[0] if texts else ""


def _actors(given: Given, rows: Sequence[Row], path: str, most: int = 6) -> dict[str, str]:
    """Return the actors asked for with their names, China and Japan where none is. Raises BadParameter for an unknown one."""
    names = {row["thing"]: row["name"] for row in rows}
    usual = [actor for actor in _USUAL if actor in names]
    wanted = [text.lower() if ":" in text else f"actor:{text.lower()}" for text in given.get("actor", ())] or usual
    example: dict[str, object] = {"parameter": "actor", "example": f"{path}?actor=china,japan"}
    for actor in wanted:
        if actor not in names:
            raise BadParameter(f"actor={actor[:60]!r} names no actor of the article: /actors.html lists them.", example)
    if len(wanted) > most:
        raise BadParameter(f"{len(wanted)} actors are too many to stand side by side: give up to {most}.", example)
    return {actor: names[actor] for actor in dict.fromkeys(wanted)}


# ── What fills in each page ─────────────────────────────────────────────────


async def _index(_: Gallery, __: Given) -> Context:
    return {}


async def _compare(gallery: Gallery, given: Given) -> Context:
    asking = gallery.asking
    year = _one(given, "year", "/compare")
    split = _one(given, "split", "/compare")
    if split not in ("", "period"):
        raise BadParameter(
            f"split={split[:60]!r} is not known: it takes period.", {"parameter": "split", "example": "/compare?split=period"}
        )
    actors, instruments, flows, figures = await asking.several("actors", "instruments", "flows", "quantities")
    chosen = _actors(given, actors, "/compare")
    cells = await asking.rows("matrix", **({"year": year} if year else {}))
    known = await asking.claims()
    order = comparing.hierarchy(instruments)
    above = {row["thing"]: row["broader"] for row in instruments}
    sums = amounts.flows(flows)
    measured = amounts.quantities(figures)
    *first, last = chosen.values()
    return {
        "chosen": chosen,
        "title": f"{', '.join(first)} and {last}" if first else last,
        "year": year,
        "split": split,
        "choices": sorted(
            {(row["actor_name"], row["actor"]) for row in cells} | {(name, actor) for actor, name in chosen.items()}
        ),
        "lines": comparing.matrix(cells, order, above, known, tuple(chosen), by_period=split == "period"),
        "sums": comparing.sums(sums, tuple(chosen), lambda figure: figure.mean_names or ("means not given",)),
        "measures": comparing.sums(
            (figure for figure in measured if not figure.unit.isupper()), tuple(chosen), lambda figure: (figure.measure,)
        ),
        "claims": known,
    }


async def _article(gallery: Gallery, _: Given) -> Context:
    asking = gallery.asking
    coverage, passages, notes = await asking.several("coverage", "passages", "notes")
    known = await asking.claims()
    prints = {row["passage"]: row["fingerprint"] for row in await asking.special("fingerprints")}
    made = articlemap.sections(coverage, passages, prints, known, gallery.words)
    marked: dict[int, list[Row]] = {}
    for row in notes:
        marked.setdefault(row["marker"], []).append(row)
    return {
        "sections": made,
        "works": await asking.backing.described.works(),
        "notes": sorted(marked.items()),
        "gaps": articlemap.gaps(passages),
        "has_words": bool(gallery.words),
    }


async def _timeline(gallery: Gallery, given: Given) -> Context:
    actors, rows = await gallery.asking.several("actors", "timeline")
    chosen = _actors(given, actors, "/pictures/timeline", most=4)
    speaking = {row["thing"]: row["claims"] for row in actors if row["thing"] in chosen}
    return {"timeline": timelines.drawn(rows, speaking, chosen, await gallery.asking.claims()), "chosen": chosen}


async def _map(gallery: Gallery, _: Given) -> Context:
    asking = gallery.asking
    actors, flows, undertakings = await asking.several("actors", "flows", "initiatives")
    codes = {row["thing"]: row["code"] for row in await asking.rows("identifiers", scheme="iso3166-1-alpha2")}
    names = {row["thing"]: row["name"] for row in (*actors, *undertakings)}
    told = list(zip(amounts.flows(flows), (row["recipients"] for row in flows), strict=True))
    points = await asking.special("geometries")
    known = await asking.claims()
    picture = maps.drawn(told, actors, codes, points, undertakings, names, gallery.countries(), known)
    return {
        "picture": picture,
        "claims": known,
        "land_width": geography.WIDTH,
        "land_height": geography.HEIGHT,
        "width": maps.WIDTH,
    }


async def _charts(gallery: Gallery, given: Given) -> Context:
    by = _one(given, "by", "/pictures/charts") or "donor"
    if by not in charts.GROUPS:
        raise BadParameter(
            f"by={by[:60]!r} is not known: it takes {', '.join(charts.GROUPS)}.",
            {"parameter": "by", "example": "/pictures/charts?by=year"},
        )
    flows, figures, surveys, rankings = await gallery.asking.several("flows", "quantities", "surveys", "rankings")
    known = await gallery.asking.claims()
    sums = amounts.flows(flows)
    drawn = {figure.name for figure in sums}
    money = [*sums, *(f for f in amounts.quantities(figures) if f.unit.isupper() and f.name not in drawn)]
    made = charts.below(
        charts.amounts(money, known, by),
        (lambda y: charts.shares(surveys, known, y), lambda y: charts.multiples(rankings, known, y)),
    )
    return {"charts": made, "by": by, "groups": tuple(charts.GROUPS), "ranks": charts.ranks(rankings), "claims": known}


async def _network(gallery: Gallery, given: Given) -> Context:
    about = _one(given, "about", "/pictures/network")
    actors, undertakings, instruments = await gallery.asking.several("actors", "initiatives", "instruments")
    found, things = networks.links(undertakings, instruments)
    names = {row["thing"]: row["name"] for row in (*actors, *undertakings, *instruments)}
    if about:
        fitting = [thing for thing in things if about.lower() in (thing, thing.partition(":")[2])]
        if len(fitting) != 1:
            said = f"about={about[:60]!r} names {'several things' if fitting else 'nothing'} in this picture: give a short name."
            raise BadParameter(said, {"parameter": "about", "example": "/pictures/network?about=actor:japan"})
        about = fitting[0]
        found = networks.around(found, about)
    known = await gallery.asking.claims()
    choices = sorted((names.get(thing, label), thing) for thing, (label, _) in things.items())
    return {
        "network": networks.drawn(found, things, names, about),
        "columns": networks.COLUMNS,
        "xs": networks.EXTENTS,
        "about": about,
        "about_name": names.get(about, about),
        "choices": choices,
        "claims": known,
    }


PICTURES = (
    Picture("/pictures", "pictures/index.html", {}, _index),
    Picture(
        "/compare",
        "pictures/compare.html",
        {"actor": "an actor; several times or with commas", "year": "a year", "split": "period, for a row for each period"},
        _compare,
    ),
    Picture("/article", "pictures/article.html", {}, _article),
    Picture(
        "/pictures/timeline", "pictures/timeline.html", {"actor": "whose lanes there are"}, _timeline, "pictures/timeline.svg"
    ),
    Picture("/pictures/map", "pictures/map.html", {}, _map, "pictures/map.svg"),
    Picture("/pictures/charts", "pictures/charts.html", {"by": "donor, instrument or year"}, _charts, "pictures/charts.svg"),
    Picture("/pictures/network", "pictures/network.html", {"about": "a thing"}, _network, "pictures/network.svg"),
)
