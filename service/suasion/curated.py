"""Curated questions over HTTP: the URL read, the core asked, the answer in the format wanted; receipts asked again."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from suasion import problems, questions, receipts, renderings
from suasion.catalog import Query
from suasion.errors import BadParameter, NotFound, RequestError, Unanswered
from suasion.negotiation import accept, best, entity_tag, matches
from suasion.pagecache import PageCache, Rendered
from suasion.pages import Pages
from suasion.questions import Asked, Backing, Page

FORMATS = renderings.TYPES
HEADERS = ("Suasion-Completeness", "Suasion-Dataset", "Suasion-Receipt", "Suasion-Total")
"""What each answer says in headers beside ETag and Link, whatever its format."""
MOST_HEADER_CHARACTERS = 8192
"""Link and receipt hold what was asked; servers and clients commonly refuse a head of more than 8 KiB, or 64 KiB a line."""


@dataclass(frozen=True, slots=True)
class Site:
    """What renders answers for the web: the core, the pages, the address where clients reach the service, a name of the
    dataset as it is now, which no other state of it has, and what was rendered before.
    """

    backing: Backing
    pages: Pages
    public_url: Callable[[], str]
    state: Callable[[], str]
    page_cache: PageCache


async def answer(request: Request, query: Query, extension: str, site: Site) -> Response:
    """Answer a curated question in the format of the extension, or of the Accept header without one; 304 when it is known.

    Raises UnknownParameter (400), BadParameter (422), NotFound (404), NotAcceptable (406), and what the engine raises; a page
    for readers shows what is wrong with a request beside the form.
    """
    if extension and extension not in FORMATS:
        raise NotFound(
            f"There is no format .{extension[:20]}; the formats are {', '.join('.' + e for e in FORMATS)}.",
            {"question": query.name, "example": questions.example(query, extension="csv")},
        )
    media_type = FORMATS[extension] if extension else best(accept(request), tuple(FORMATS.values()))
    if media_type != "text/html":
        return await _answer(request, query, media_type, extension, _given(request, query), site)
    # The form of the page names no ending, and sends the fields that were left empty too.
    given = {name: text for name, text in _given(request, query).items() if text or extension}
    try:
        return await _answer(request, query, media_type, extension, given, site)
    except (RequestError, Unanswered) as error:
        problems.note(request.scope, error)
        page = site.pages.refusal(query, given, await _choices(query, site.backing), error)
        return Response(page, error.status, {**problems.headers(error), "Vary": "Accept"}, "text/html; charset=utf-8")


async def verify(receipt_id: str, site: Site) -> Response:
    """Ask again what a receipt is for, and say whether query, dataset and result are the same.

    Raises BadParameter (422) for what is no receipt, and what the engine raises.
    """
    receipt = receipts.read(receipt_id)
    query = site.backing.queries.get(receipt.question)
    document: dict[str, object] = {"question": receipt.question, "parameters": dict(receipt.given)}
    if query is None:
        changed: tuple[str, ...] = ("query",)
        document["note"] = f"There is no question {receipt.question[:60]!r} any more."
        now = None
    else:
        try:
            page = await questions.ask(query, receipt.given, site.backing)
        except RequestError as error:
            digest = sha256(query.text.encode()).hexdigest()
            changed = ("query",) if digest != receipt.query_sha256 else ()
            changed += ("dataset",) if site.backing.dataset().digest != receipt.dataset_sha256 else ()
            changed, document["note"], now = (*changed, "result"), str(error), None
        else:
            changed, now = receipt.differences(page.receipt), receipts.summary(page.receipt)
            document["links"] = {"answer": page.path("json")}
    verdict = "changed" if changed else "same"
    document |= {"verdict": verdict, "changed": list(changed), "then": receipts.summary(receipt), "now": now}
    return JSONResponse(document, headers={"Cache-Control": "no-store"})


def listed(queries: Mapping[str, Query]) -> dict[str, object]:
    """Return all questions as JSON lists them: what each answers, takes and gives."""
    return {"questions": [_listed(query) for query in queries.values()]}


def _listed(query: Query) -> dict[str, object]:
    return {
        "name": query.name,
        "question": query.question,
        "summary": query.summary,
        "keywords": list(query.keywords),
        "parameters": [
            {
                "name": p.name,
                "type": p.type,
                "description": p.description,
                "required": p.required,
                "default": p.default or None,
                "values": list(p.values) or None,
                "examples": list(p.examples),
            }
            for p in query.parameters
        ],
        "columns": [
            {"name": name, "meaning": c.meaning, "type": c.type or None, "list": c.is_list} for name, c in query.columns.items()
        ],
        "claims": list(query.claims),
        "sort": list(query.sort),
        "related": list(query.related),
        "example": questions.example(query),
        "links": {"answer": f"/{query.name}", "query": f"/queries/{query.name}", "turtle": f"/queries/{query.name}.ttl"},
    }


async def _answer(
    request: Request, query: Query, media_type: str, extension: str, given: Mapping[str, str], site: Site
) -> Response:
    backing = site.backing
    asked = questions.read(query, given, backing.most_rows)
    ending = next(ending for ending, offered in FORMATS.items() if offered == media_type)
    if "provenance" in given and ending not in questions.TELL_PROVENANCE:
        said = "provenance is told in JSON and on pages: ask for .json or .html, or leave it out."
        example = questions.example(query, "provenance", "json")
        raise BadParameter(said, {"parameter": "provenance", "question": query.name, "example": example})
    tag = _tag(asked, media_type, site)
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"})
    rendered = await site.page_cache.get(f"{tag} {extension}", lambda: _rendered(asked, ending, extension, site))
    headers = {**rendered.headers, "ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"}
    if ending in ("csv", *renderings.CITATIONS):
        headers["Content-Disposition"] = f'attachment; filename="{query.name.replace("/", "-")}.{ending}"'
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return Response(rendered.body, headers=headers, media_type=media_type + charset)


async def _rendered(asked: Asked, ending: str, extension: str, site: Site) -> Rendered:
    """Ask, and write the answer down, in a thread: a large one takes long enough to hold up others."""
    page = await questions.answer(asked, site.backing)
    public_url = site.public_url()
    if ending == "html":
        choices, names = await _choices(asked.query, site.backing), await site.backing.described.names()
        body = await asyncio.to_thread(site.pages.answer, page, choices, names, public_url)
    else:
        body = await asyncio.to_thread(renderings.WRITERS[ending], page, public_url)
    return Rendered(body.encode(), _headers(page, extension))


def _headers(page: Page, extension: str) -> dict[str, str]:
    """Return what an answer of any format says beside its body, without lines that clients and proxies would refuse."""
    links = renderings.links(page, extension)
    related = [f'<{links[relation]}>; rel="{relation}"' for relation in ("self", "next", "prev") if links[relation]]
    related.append(f'<{links["describedby"]}>; rel="describedby"; type="application/sparql-query"')
    related.append(f'<{page.path("csv-metadata.json")}>; rel="describedby"; type="{FORMATS["csv-metadata.json"]}"')
    headers = {
        "Link": ", ".join(related),
        "Suasion-Completeness": page.completeness,
        "Suasion-Total": str(page.total),
        "Suasion-Receipt": page.receipt.id,
    }
    if page.dataset.digest:
        headers["Suasion-Dataset"] = f"sha256:{page.dataset.digest}"
    return {name: value for name, value in headers.items() if len(value) <= MOST_HEADER_CHARACTERS}


def _tag(asked: Asked, media_type: str, site: Site) -> str:
    """Return the entity tag of an answer, weak because it is the same for each content coding."""
    known = (site.state(), asked.query.text, sorted(asked.given.items()), media_type, site.public_url())
    return entity_tag(repr(known).encode())


async def _choices(query: Query, backing: Backing) -> dict[str, tuple[str, ...]]:
    return {p.name: await questions.choices(p, query, backing) for p in query.parameters}


def _given(request: Request, query: Query) -> dict[str, str]:
    example: dict[str, object] = {"question": query.name, "example": questions.example(query)}
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        said = "The parameters of the URL cannot be read: they have to be percent-encoded UTF-8."
        raise BadParameter(said, example) from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise BadParameter(f"{name[:60]} is given twice: give it once.", {"parameter": name[:60], **example})
        given[name] = value
    return given
