"""What there is of things for other uses: a claim as a nanopublication, an entry of a bibliography, pictures as files."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from suasion import __version__, citations, renderings
from suasion.errors import NotFound
from suasion.linked import Handler, Site, cited, named, portrayed, see_other, without_parameters
from suasion.negotiation import entity_tag, matches
from suasion.pagecache import Rendered
from suasion.papers import FORMATS, HTML, Drawn, Paper, answer, chosen
from suasion.prefixes import BASE, CLAIM
from suasion.sights import DRAWINGS

_WRITERS = {"bib": citations.bibtex, "ris": citations.ris, "csl.json": citations.csl_json}
_QUADS = ("trig", "nq")
_OFFERED = (*(FORMATS[ending] for ending in _QUADS), HTML)


def routes(site: Site, options: Handler) -> list[Route]:
    """Return the routes of nanopublications and citations, none where the dataset has no claims; `options` answers OPTIONS."""
    if not site.bundle:
        return []

    async def nanopublication(request: Request) -> Response:
        claim = await _claim(request, site)
        media_type = chosen(request, _OFFERED)
        if media_type == HTML:
            return see_other(site, site.places.of(claim), claim, varies=True)
        ending = next(one for one in _QUADS if FORMATS[one] == media_type)
        return see_other(site, f"{_place(claim)}.{ending}", claim, varies=True)

    def quads(ending: str) -> Handler:
        async def answered(request: Request) -> Response:
            claim = await _claim(request, site, f".{ending}")
            name = BASE + _place(claim).removeprefix("/")
            paper = Paper(_place(claim), name, site.things.nanopublication(claim), _QUADS)

            async def draw() -> Drawn:
                raise AssertionError("a nanopublication is no page")

            return await answer(request, paper, ending, site.press, draw)

        return answered

    def entry(ending: str) -> Handler:
        async def answered(request: Request) -> Response:
            about = named(request, site, "/doc/", f".{ending}")
            await site.things.refuse_unknown(about)
            body = _WRITERS[ending](await cited(about, site))
            tag = entity_tag(body.encode())
            headers = {"ETag": tag, "Cache-Control": "no-cache"}
            if matches(request.headers.get("if-none-match", ""), tag):
                return Response(status_code=304, headers=headers)
            headers["Content-Disposition"] = f'attachment; filename="{quote(about.rpartition("/")[2])}.{ending}"'
            return Response(body, headers=headers, media_type=renderings.TYPES[ending])

        return answered

    def picture(name: str) -> Handler:
        async def answered(request: Request) -> Response:
            about = named(request, site, "/doc/", f".{name}.svg")
            return await _drawing(request, site, about, name)

        return answered

    found: list[Route] = []
    for path, handler in (
        *((f"/nanopub/{{name}}.{ending}", quads(ending)) for ending in _QUADS),
        ("/nanopub/{name}", nanopublication),
        *((f"/doc/{{path:path}}.{ending}", entry(ending)) for ending in _WRITERS),
        *((f"/doc/{{path:path}}.{name}.svg", picture(name)) for name in DRAWINGS),
    ):
        found += [
            Route(path, without_parameters(handler), methods=["GET", "HEAD"], include_in_schema=False),
            Route(path, options, methods=["OPTIONS"], include_in_schema=False),
        ]
    return found


async def _drawing(request: Request, site: Site, about: str, name: str) -> Response:
    """Answer with a picture of a thing, kept or made anew; 304 when it is known. Raises NotFound (404) and Gone (410)."""
    await site.things.refuse_unknown(about)
    path = site.places.of(about)
    tag = entity_tag(repr((site.press.state(), __version__, path, name, site.public_url())).encode())
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)

    async def render() -> Rendered:
        told = await portrayed(about, site)
        body = site.depictions.drawing(name, told.sights, told.name, path, site.public_url()) if told else ""
        if not body:
            raise NotFound(f"There is no picture {name!r} of this: its page has those that there are.", {"example": path})
        return Rendered(body.encode())

    rendered = await site.press.page_cache.get(tag, render)
    headers["Content-Disposition"] = f'attachment; filename="{quote(about.rpartition("/")[2])}-{name}.svg"'
    return Response(rendered.body, headers=headers, media_type="image/svg+xml")


async def _claim(request: Request, site: Site, ending: str = "") -> str:
    """Return the claim that a path names, before an ending. Raises NotFound (404) and Gone (410)."""
    claim = CLAIM + named(request, site, "/nanopub/", ending).removeprefix(site.things.namespace)
    await site.things.refuse_unknown(claim)
    return claim


def _place(claim: str) -> str:
    """Return the path of the nanopublication of a claim."""
    return f"/nanopub/{quote(claim.removeprefix(CLAIM))}"
